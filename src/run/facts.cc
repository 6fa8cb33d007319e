#include "run/facts.h"

#include <charconv>
#include <chrono>

namespace cnplay::run {

namespace {

std::optional<std::int64_t> integer(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

const char* words(plan::FactType type) {
  switch (type) {
    case plan::FactType::string:
      return "a string";
    case plan::FactType::int_:
      return "an int";
    case plan::FactType::bool_:
      return "true or false";
    case plan::FactType::path:
      return "a path";
    case plan::FactType::duration:
      return "a duration (whole seconds, or such as 1h30m)";
    case plan::FactType::size:
      return "a size (bytes, or such as 512MiB)";
    case plan::FactType::time:
      return "a time such as 2026-12-01T22:00:00Z";
    case plan::FactType::list_of_string:
      return "a list, one item a line";
  }
  return "";
}

std::optional<plan::Value> parse(plan::FactType type, const std::string& text) {
  switch (type) {
    case plan::FactType::string:
      return plan::Value(text);
    case plan::FactType::int_:
      if (auto v = integer(text)) return plan::Value(*v);
      return std::nullopt;
    case plan::FactType::bool_:
      if (text == "true") return plan::Value(true);
      if (text == "false") return plan::Value(false);
      return std::nullopt;
    case plan::FactType::path:
      if (text.empty() || text.find('\n') != std::string::npos) return std::nullopt;
      return plan::Value(text);
    case plan::FactType::duration: {
      constexpr std::int64_t kMost = Duration::max().count() / 1000;
      if (auto v = integer(text)) {
        if (*v < -kMost || *v > kMost) return std::nullopt;
        return plan::Value(Duration(*v * 1000));
      }
      if (auto v = parse_duration(text)) return plan::Value(*v);
      return std::nullopt;
    }
    case plan::FactType::size:
      if (auto v = integer(text)) {
        if (*v < 0) return std::nullopt;
        return plan::Value(Size{*v});
      }
      if (auto v = parse_size(text)) return plan::Value(*v);
      return std::nullopt;
    case plan::FactType::time:
      if (auto v = parse_time(text)) return plan::Value(*v);
      return std::nullopt;
    case plan::FactType::list_of_string: {
      plan::List list;
      std::size_t from = 0;
      while (from < text.size()) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        list.emplace_back(text.substr(from, end - from));
        from = end + 1;
      }
      return plan::Value(std::move(list));
    }
  }
  return std::nullopt;
}

}  // namespace

Result<plan::Value> read_fact(plan::FactType type, const Untrusted& text) {
  const std::string& raw = text.raw();
  if (raw.find('\0') != std::string::npos) return fail("holds a NUL byte");
  if (to_valid_utf8(raw) != raw) return fail("is not valid UTF-8");
  if (auto value = parse(type, raw)) return *std::move(value);
  return fail(std::string("should be ") + words(type));
}

Result<plan::Record> read_facts(const plan::Action& action,
                                const std::vector<std::pair<std::string, Untrusted>>& said,
                                bool complete) {
  // The latest word on each fact, in order of declaration.
  plan::Record facts;
  std::vector<const Untrusted*> latest(action.returns.size(), nullptr);
  for (const auto& [name, text] : said) {
    std::size_t i = 0;
    while (i < action.returns.size() && action.returns[i].name != name) ++i;
    if (i == action.returns.size()) {
      return fail("module " + action.module + " reported the fact `" + Untrusted(name).display(80) +
                      "`, which it does not declare",
                  "add it to the module's `returns`");
    }
    latest[i] = &text;
  }
  for (std::size_t i = 0; i < action.returns.size(); ++i) {
    const plan::FactDecl& decl = action.returns[i];
    if (latest[i] == nullptr) {
      if (!complete) continue;
      return fail("module " + action.module + " did not report its fact `" + decl.name + "`",
                  "its check must report every fact of `returns` before its verdict");
    }
    auto value = read_fact(decl.type, *latest[i]);
    if (!value) {
      return fail("module " + action.module + ": the fact `" + decl.name + "` " +
                  value.error().what + "; it is `" + latest[i]->display(80) + "`");
    }
    facts.emplace_back(decl.name, *std::move(value));
  }
  return facts;
}

FactStore::Entry& FactStore::entry(plan::NodeId node, std::uint32_t action, plan::HostIndex host) {
  return entries_[key(node, action)][host];
}

void FactStore::set(plan::NodeId node, std::uint32_t action, plan::HostIndex host,
                    plan::Record facts, bool unapplied) {
  Entry& e = entry(node, action, host);
  e.facts = std::move(facts);
  e.unapplied = unapplied;
  e.known = true;
}

void FactStore::save(plan::NodeId node, std::uint32_t action, plan::HostIndex host,
                     const plan::Record& facts) {
  Entry& e = entry(node, action, host);
  if (!e.saved) e.saved = facts;
}

void FactStore::touch(plan::NodeId node, plan::HostIndex host) { touched_.insert({node, host}); }

bool FactStore::touched(const plan::FactRef& ref, plan::HostIndex host) const {
  return touched_.contains({ref.node, home(ref, host)});
}

plan::HostIndex FactStore::home(const plan::FactRef& ref, plan::HostIndex host) const {
  const plan::Node& node = plan_.node(ref.node);
  if (node.human) return 0;  // what people say holds for all
  if (node.once && !node.hosts.empty()) return node.hosts.front();
  return ref.host.value_or(host);
}

const FactStore::Entry* FactStore::find(const plan::FactRef& ref, plan::HostIndex host) const {
  const auto of_action = entries_.find(key(ref.node, ref.action));
  if (of_action == entries_.end()) return nullptr;
  const auto it = of_action->second.find(home(ref, host));
  return it == of_action->second.end() ? nullptr : &it->second;
}

namespace {

std::optional<plan::Value> member(const plan::Record& facts, const std::string& name) {
  for (const auto& [key, value] : facts) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<plan::Value> FactStore::get(const plan::FactRef& ref, plan::HostIndex host) const {
  if (plan::is_check(plan_.node(ref.node))) return answer(ref);
  const Entry* e = find(ref, host);
  return e != nullptr && e->known ? member(e->facts, ref.name) : std::nullopt;
}

std::optional<plan::Value> FactStore::saved(const plan::FactRef& ref, plan::HostIndex host) const {
  const Entry* e = find(ref, host);
  if (e != nullptr && e->saved) return member(*e->saved, ref.name);
  return get(ref, host);
}

// Of a `check { ... }`: one for all hosts and modules of it.
std::optional<plan::Value> FactStore::answer(const plan::FactRef& ref) const {
  const plan::Node& node = plan_.node(ref.node);
  // Whoever chooses a part of a play has decided that there is something to do.
  if (!node.left_out.empty()) return plan::Value(true);
  std::optional<plan::Value> found;
  each_answer(node, [&](const Entry& entry) {
    const auto one = member(entry.facts, ref.name);
    if (one && (!found || *one == plan::Value(true))) found = one;
  });
  return found;
}

void FactStore::each_answer(const plan::Node& node,
                            const std::function<void(const Entry&)>& visit) const {
  for (std::uint32_t action = 0; action < node.actions.size(); ++action) {
    const auto of_action = entries_.find(key(node.id, action));
    if (of_action == entries_.end()) continue;
    for (const auto& [host, entry] : of_action->second) visit(entry);
  }
}

bool FactStore::unapplied(const plan::FactRef& ref, plan::HostIndex host) const {
  if (const plan::Node& node = plan_.node(ref.node); plan::is_check(node)) {
    bool depends = false;
    each_answer(node, [&](const Entry& entry) { depends = depends || entry.unapplied; });
    return depends && answer(ref) != plan::Value(true);
  }
  const Entry* e = find(ref, host);
  return e != nullptr && e->unapplied;
}

}  // namespace cnplay::run
