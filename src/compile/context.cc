#include "compile/context.h"

#include <algorithm>

namespace cnplay::compile {

std::string enumerate(const std::vector<std::string>& words, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " " + std::string(last) + " " : ", ";
    out += words[i];
  }
  return out;
}

Context::Context(const Input& in, diag::Diagnostics& out)
    : input(in), diags(out), has_inventory_(in.inventory != nullptr) {
  if (in.limited && has_inventory_) {
    selected_.resize(host_count());
    for (const HostIndex h : in.limit) selected_[h] = true;
  }
  for (const auto& [name, value] : in.extra) {
    extras_[name] = &in.sources->add("-e", name + "=" + value);  // the last one holds
  }
}

std::string Context::where(Span span) const {
  const diag::Location at = input.sources->locate(span);
  return at.file.empty() ? "" : std::string(at.file) + ":" + std::to_string(at.line);
}

void Context::error(std::string code, std::string summary, Span at, std::string label,
                    std::string help) {
  diags.error(std::move(code), std::move(summary), {at, std::move(label)}, std::move(help));
}

void Context::error_with(std::string code, std::string summary, Span at, std::string label,
                         Span other, std::string other_label, std::string help) {
  diag::Diagnostic d;
  d.code = std::move(code);
  d.summary = std::move(summary);
  d.subject = {at, std::move(label)};
  if (other.known()) {
    const bool near = input.sources->find(at) == input.sources->find(other) && at != other;
    (near ? d.context : d.notes).push_back({other, std::move(other_label)});
  }
  d.help = std::move(help);
  diags.add(std::move(d));
}

bool Context::is_reserved(std::string_view name, Span at, std::string_view what) {
  if (name != plan::kLocal) return false;
  error("E0127", "a " + std::string(what) + " cannot be called `local`", at,
        "`local` is the controller", "choose another name");
  return true;
}

std::vector<HostIndex> Context::selected_of(const std::vector<HostIndex>& hosts) const {
  std::vector<HostIndex> out;
  std::ranges::copy_if(hosts, std::back_inserter(out), [&](HostIndex h) { return selected(h); });
  return out;
}

plan::ScriptId Context::script(std::string text, std::string where) {
  const auto next = static_cast<plan::ScriptId>(plan.scripts.size());
  const auto [at, fresh] = scripts_.emplace(std::pair(text, where), next);
  if (fresh) plan.scripts.push_back({std::move(text), std::move(where)});
  return at->second;
}

plan::SecretRef Context::secret(plan::SecretSource source) {
  for (std::uint32_t i = 0; i < plan.secrets.size(); ++i) {
    const auto& known = plan.secrets[i];
    if (known.kind == source.kind && known.arguments == source.arguments) return {i};
  }
  plan.secrets.push_back(std::move(source));
  return {static_cast<std::uint32_t>(plan.secrets.size() - 1)};
}

plan::Value Context::fact(plan::NodeId node, std::uint32_t action, std::string name,
                          std::optional<HostIndex> host) {
  auto expr = std::make_shared<plan::Expr>();
  expr->op = plan::Op::fact;
  expr->fact = {node, action, std::move(name), host};
  if (host) facts_with_host.push_back(expr);
  return plan::Value(plan::Deferred{std::move(expr)});
}

const diag::SourceMap::Source* Context::extra(const std::string& name) {
  const auto at = extras_.find(name);
  if (at == extras_.end()) return nullptr;
  used_extras_.insert(name);
  return at->second;
}

}  // namespace cnplay::compile
