// Where secrets come from: `secret x = ...` of a play, the sources that an inventory names; and
// whether the vault has what they ask for.
#include <algorithm>
#include <set>

#include "compile/builder.h"
#include "compile/convert.h"

namespace cnplay::compile {
namespace {

using Source = plan::SecretSource;

constexpr const char* kSources =
    "sources are `env(\"X\")`, `command([\"pass\", \"x\"])`, `ask(\"prompt\")`, `vault(\"path\")` "
    "and "
    "`generate(length: 40)`";
// As secrets/generate.h can make them; shorter ones are guessed.
constexpr std::int64_t kShortestGenerated = 8;
constexpr std::int64_t kLongestGenerated = 1024;

std::optional<Source::Kind> kind_of(const std::string& name) {
  if (name == "env") return Source::Kind::env;
  if (name == "command") return Source::Kind::command;
  if (name == "ask") return Source::Kind::ask;
  if (name == "vault") return Source::Kind::vault;
  if (name == "generate") return Source::Kind::generate;
  return std::nullopt;
}

const char* example_of(Source::Kind kind) {
  switch (kind) {
    case Source::Kind::env:
      return "`env(\"X\")`";
    case Source::Kind::command:
      return "`command([\"pass\", \"show\", \"x\"])`";
    case Source::Kind::ask:
      return "`ask(\"prompt\")`";
    case Source::Kind::vault:
      return "`vault(\"prod/key\")`";
    case Source::Kind::generate:
      return "`generate(length: 40)`";
  }
  return "";
}

}  // namespace

plan::SecretRef secret_of_inventory(Context& context, std::string name,
                                    const inventory::Value::Secret& secret, Span at) {
  Source source;
  source.name = std::move(name);
  source.kind = *kind_of(secret.kind);  // the inventory's reader lets no others through
  source.arguments = secret.arguments;
  source.where = context.where(at);
  if (source.kind == Source::Kind::vault) context.vault_uses.push_back({secret.arguments[0], at});
  return context.secret(std::move(source));
}

void check_vault(Context& context) {
  if (context.vault_uses.empty() || !context.input.vault_paths) return;
  const auto found = context.input.vault_paths();
  if (!found) {
    const Error& error = found.error();
    context.error("E0307", error.what, context.vault_uses[0].at, "needs the vault", error.help);
    return;
  }
  if (!*found) return;  // nobody there to open it
  const std::vector<std::string>& paths = **found;
  std::set<std::pair<std::string, std::uint32_t>> seen;  // a group's variable is read for each host
  for (const VaultUse& use : context.vault_uses) {
    if (!seen.emplace(use.path, use.at.begin).second) continue;
    if (use.path.empty() || std::ranges::find(paths, use.path) != paths.end()) continue;
    const std::string near = diag::did_you_mean(use.path, paths);
    context.error(
        "E0306", "the vault has no " + code(use.path), use.at, "not in " + context.input.vault_name,
        !near.empty() ? "did you mean " + code(near) + "?"
                      : "put it there with `cnplay vault set`; `cnplay vault list` says what "
                        "there is");
  }
}

void Builder::secret(const syntax::SecretDecl& node) {
  const auto refuse = [&](Span at, std::string label, std::string help) {
    context_.error("E0303", "not a source of a secret", at, std::move(label), std::move(help));
    declare(node.name, {}, "secret");
  };
  const auto* call = std::get_if<syntax::Call>(&node.source.node);
  const std::string name = call ? dotted_name(*call->callee) : "";
  const auto kind = kind_of(name);
  if (!kind) {
    const std::string near =
        call ? diag::did_you_mean(name, {"env", "command", "ask", "vault", "generate"}) : "";
    if (!call) evaluator_.check(node.source);
    refuse(call ? call->callee->span : node.source.span,
           call ? "unknown source" : "a value, not a source",
           near.empty() ? kSources : "did you mean " + code(near) + "?");
    return;
  }
  Source source;
  source.name = node.name.text;
  source.where = context_.where(node.name.span);
  source.kind = *kind;
  const bool good = source.kind == Source::Kind::generate
                        ? generated(source, *call, node.source.span)
                        : read_from(source, *call, node.source.span);
  if (!good) {
    declare(node.name, {}, "secret");
    return;
  }
  Evaluated out =
      known(secret_of(simple(Kind::string)), plan::Value(context_.secret(std::move(source))));
  out.depends.secret_declared = node.name.span;
  declare(node.name, std::move(out), "secret");
}

// Fills in the one argument of a source that is read; false after a report.
bool Builder::read_from(Source& source, const syntax::Call& call, Span at) {
  const auto refuse = [&](Span where, std::string label) {
    context_.error("E0303", "not a source of a secret", where, std::move(label),
                   std::string("write ") + example_of(source.kind));
    return false;
  };
  const bool one = call.args.size() == 1 && call.args[0].value && !call.args[0].spread &&
                   call.args[0].name.text.empty();
  if (!one) return refuse(at, "takes one argument");
  const syntax::Expr& argument = *call.args[0].value;
  const bool words = source.kind == Source::Kind::command;
  const auto value =
      evaluator_.constant(argument, words ? list_of(simple(Kind::string)) : simple(Kind::string),
                          {"the source of a secret", "write it out"});
  if (!value) return false;
  if (const auto* list = value->as<plan::List>()) {
    for (const auto& word : *list) source.arguments.push_back(*word.as<std::string>());
  } else {
    source.arguments.push_back(*value->as<std::string>());
  }
  if (source.arguments.empty() || source.arguments[0].empty()) {
    return refuse(argument.span, "names nothing");
  }
  if (source.kind == Source::Kind::vault) {
    context_.vault_uses.push_back({source.arguments[0], argument.span});
  }
  return true;
}

// `generate(length: 40, path: "prod/db", rotate: fresh)`: the plan holds path, length, and `once`
// or `rotate`. False after a report.
bool Builder::generated(Source& source, const syntax::Call& call, Span at) {
  const auto refuse = [&](Span where, std::string label, std::string help) {
    context_.error("E0303", "not a source of a secret", where, std::move(label), std::move(help));
    return false;
  };
  std::optional<plan::Value> length;
  std::string path = play_->name.text + "/" + source.name;
  bool rotate = false;
  std::vector<std::string> seen;
  for (const auto& argument : call.args) {
    const std::string& name = argument.name.text;
    if (!argument.value || argument.spread || name.empty()) {
      return refuse(at, "its arguments have names", "write `generate(length: 40)`");
    }
    if (std::ranges::find(seen, name) != seen.end()) {
      return refuse(argument.name.span, "given twice", "leave one of them");
    }
    seen.push_back(name);
    const TypePtr type = name == "length"   ? simple(Kind::int_)
                         : name == "path"   ? simple(Kind::string)
                         : name == "rotate" ? simple(Kind::bool_)
                                            : nullptr;
    if (!type) {
      const std::string near = diag::did_you_mean(name, {"length", "path", "rotate"});
      return refuse(argument.name.span, "`generate` has no such argument",
                    near.empty() ? "its arguments are `length`, `path` and `rotate`"
                                 : "did you mean " + code(near) + "?");
    }
    const auto value =
        evaluator_.constant(*argument.value, type, {"the source of a secret", "write it out"});
    if (!value) return false;
    if (name == "rotate") rotate = *value->as<bool>();
    if (name == "path") path = *value->as<std::string>();
    if (name == "path" && path.empty()) {
      return refuse(argument.value->span, "names nothing", "write `path: \"prod/key\"`");
    }
    if (name != "length") continue;
    length = *value;
    const std::int64_t n = *value->as<std::int64_t>();
    if (n < kShortestGenerated || n > kLongestGenerated) {
      return refuse(argument.value->span,
                    "not of " + std::to_string(kShortestGenerated) + " to " +
                        std::to_string(kLongestGenerated) + " characters",
                    "40 is a good length: 238 bits");
    }
  }
  if (!length) return refuse(at, "how long is it?", "write `generate(length: 40)`");
  source.arguments = {path, std::to_string(*length->as<std::int64_t>()),
                      rotate ? "rotate" : "once"};
  for (const Source& other : context_.plan.secrets) {
    if (other.kind == source.kind && other.arguments[0] == path &&
        other.arguments != source.arguments) {
      return refuse(at, "another secret is generated there: " + code(other.name),
                    "give one of them another `path`");
    }
  }
  context_.vault_uses.push_back({"", at});
  return true;
}

}  // namespace cnplay::compile
