// The head of a play: what its names stand for.
#include <algorithm>
#include <unordered_map>

#include "compile/builder.h"
#include "compile/convert.h"
#include "syntax/parse.h"

namespace cnplay::compile {

using plan::Value;

void Builder::declare(const syntax::Name& name, Evaluated value, std::string_view what) {
  auto held = std::make_shared<const Evaluated>(std::move(value));
  scope_->later.erase(name.text);
  if (context_.is_reserved(name.text, name.span, what)) return;
  if (scope_->declare(name.text, {held, name.span, what})) return;
  const Variable* first = scope_->find(name.text);
  context_.error_with("E0104", code(name.text) + " is declared twice", name.span, "again here",
                      first->declared, "first declared here",
                      "a name means one thing: choose another one");
}

void Builder::owner(const syntax::Owner& node) {
  const auto text = evaluator_.constant_text(node.text, {"the owner", "write a text"});
  if (text) context_.plan.owner = *text;
}

void Builder::hosts(const syntax::HostsDecl& node) {
  Evaluated value = evaluator_.check(node.value, simple(Kind::hosts));
  if (node.expect) {
    const auto expected = evaluator_.constant(*node.expect, simple(Kind::int_),
                                              {"the expected number of hosts", "write a number"});
    // It is the inventory that is asserted: `--limit` takes nothing away here.
    if (expected && !value.poison() &&
        *expected->as<std::int64_t>() != static_cast<std::int64_t>(value.whole.size())) {
      const std::int64_t n = *expected->as<std::int64_t>();
      context_.error_with(
          "E0509",
          code(node.name.text) + " has " + count_of(value.whole.size(), "host") + ", expected " +
              std::to_string(n),
          node.expect->span, "asserted here", context_.input.inventory->span(), "of this inventory",
          "correct the inventory, or write `expect " + std::to_string(value.whole.size()) + "`");
    }
  }
  if (!value.poison()) {
    value.label = node.name.text;
    value.hosts = context_.selected_of(value.hosts);
    if (value.whole.empty()) {
      context_.error("E0508", "the set of hosts " + code(node.name.text) + " is empty",
                     node.value.span, "no host in it",
                     "put a host in it, or take the set out of the play");
      value = {};
    } else if (discarded_ == 0 && !value.hosts.empty()) {
      context_.plan.sets.push_back({node.name.text, value.hosts});
    }
  }
  declare(node.name, std::move(value), "set of hosts");
}

// ---- parameters and `-e`

Span Builder::extra_span(const diag::SourceMap::Source& source, const std::string& name) const {
  const auto begin = source.base + static_cast<std::uint32_t>(name.size() + 1);
  return {begin, source.base + static_cast<std::uint32_t>(source.text.size())};
}

Evaluated Builder::extra_value(const diag::SourceMap::Source& source, const std::string& name,
                               const TypePtr& type) {
  const Span at = extra_span(source, name);
  if (is_poison(type)) return {};
  if (holds_secret(type)) {
    // What was given is not shown once more.
    const auto& masked = context_.input.sources->add("-e", name + "=(not shown)");
    context_.error("E0304", "a secret cannot be given with `-e`", extra_span(masked, name),
                   "everyone on this machine can read it in the list of processes",
                   "let the play read it: `secret " + name + " = env(\"X\")`");
    return {};
  }
  const TypePtr inner = bare(type);
  if (is(inner, Kind::list) || is(inner, Kind::map)) {
    const auto& text = context_.input.sources->add("-e", source.text.substr(name.size() + 1));
    const std::size_t before = context_.diags.errors();
    const auto expr = syntax::parse_expression(text, context_.diags);
    if (!expr || context_.diags.errors() != before) return {};
    const Scope nothing;
    const Scope* scope = std::exchange(evaluator_.scope, &nothing);
    Evaluated value = evaluator_.check(*expr, type);
    evaluator_.scope = scope;
    return value;
  }
  auto value = value_of_extra(source.text.substr(name.size() + 1), type);
  if (value) return known(type, std::move(*value));
  context_.error("E0209", "`-e " + name + "` must be " + with_article(type), at, value.error().what,
                 value.error().help);
  return {};
}

// A default of a secret type that no secret went into.
void Builder::refuse_clear_secret(Evaluated& value, Span at) {
  if (value.poison() || !holds_secret(value.type) || value.depends.secret_declared.known()) return;
  if (Evaluator::flatten(value).cells()[0].value.is_none()) return;
  context_.error("E0303", "a secret does not belong in a play in clear text", at,
                 "anyone who reads the file has it",
                 "name its source: `secret x = env(\"X\")`, and use `x` here");
  value = {};
}

void Builder::param(const syntax::ParamDecl& node) {
  const std::string& name = node.name.text;
  const TypePtr type = evaluator_.type(node.type);
  Evaluated fallback;
  if (node.fallback) {
    fallback = evaluator_.check(*node.fallback, type);
    if (!fallback.poison() && fallback.depends.per_host) {
      evaluator_.constant(fallback, node.fallback->span, {"a parameter", ""});
      fallback = {};
    }
  }
  if (node.fallback) refuse_clear_secret(fallback, node.fallback->span);
  const auto* extra = context_.extra(name);
  Evaluated value;
  Span at = node.name.span;
  if (extra) {
    value = extra_value(*extra, name, type);
    at = extra_span(*extra, name);
  } else if (node.fallback) {
    value = fallback;
    at = node.fallback->span;
  } else if (is(type, Kind::optional)) {
    value = known(type, Value());
  } else if (!is_poison(type)) {
    context_.error("E0116", "parameter " + code(name) + " has no value", node.name.span,
                   "neither a default nor `-e`",
                   holds_secret(type) ? "read it in the play: `secret " + name + " = env(\"X\")`"
                                      : "run with `-e " + name + "=...`, or give it a default");
  }
  if (node.where) {
    evaluator_.check_where(*node.where, value, at, code(name));
    // A default that breaks its own condition is a mistake even where `-e` overrides it.
    if (extra && node.fallback) {
      evaluator_.check_where(*node.where, fallback, node.fallback->span, code(name));
    }
  }
  if (!value.poison()) {
    context_.plan.params.emplace_back(name, Evaluator::flatten(value).cells()[0].value);
    if (holds_secret(value.type) && !value.depends.secret_declared.known()) {
      value.depends.secret_declared = node.name.span;
    }
  }
  declare(node.name, std::move(value), "parameter");
}

void Builder::check_extras() {
  std::vector<std::string> names;
  for (const auto& item : play_->body.items) {
    if (const auto* p = std::get_if<syntax::ParamDecl>(&item.node)) names.push_back(p->name.text);
    if (const auto* h = std::get_if<syntax::HostvarDecl>(&item.node)) names.push_back(h->name.text);
  }
  for (const auto& [name, source] : context_.extras()) {
    if (context_.used_extras().contains(name) || std::ranges::find(names, name) != names.end()) {
      continue;
    }
    const std::string near = diag::did_you_mean(name, names);
    context_.error("E0105", "play " + code(play_->name.text) + " has no parameter " + code(name),
                   {source->base, source->base + static_cast<std::uint32_t>(name.size())},
                   "unknown parameter",
                   !near.empty()   ? "did you mean " + code(near) + "?"
                   : names.empty() ? "it takes no parameters"
                                   : "it takes " + enumerate(names));
  }
}

// ---- host variables

namespace {

struct ValueHash {
  std::size_t operator()(const Value& value) const { return hash_of(value); }
};

// Told if a step reads the variable on a host that has this value: what other hosts have is not
// this play's business.
std::shared_ptr<const diag::Diagnostic> misfit_of(const syntax::HostvarDecl& node,
                                                  const std::string& host,
                                                  const inventory::Value& value,
                                                  const TypePtr& type, const Error& error) {
  const bool given = std::holds_alternative<inventory::Value::Secret>(value.data);
  const bool wanted = is(without_optional(type), Kind::secret);
  const std::string of = code(node.name.text) + " of " + code(host);
  diag::Diagnostic d;
  d.code = given || wanted ? "E0305" : "E0213";
  d.summary = given    ? "the secret host variable " + of + " is not declared as a secret"
              : wanted ? "the secret host variable " + of + " is in clear text"
                       : "host variable " + of + " does not fit";
  d.subject = {value.span, error.what};
  d.notes.push_back({node.name.span, "declared here"});
  d.help = error.help;
  return std::make_shared<const diag::Diagnostic>(std::move(d));
}

}  // namespace

void Builder::hostvar(const syntax::HostvarDecl& node) {
  const std::string& name = node.name.text;
  const TypePtr type = evaluator_.type(node.type);
  Evaluated value;
  value.type = type;
  value.depends.per_host = true;
  value.depends.cause = node.name.span;
  if (holds_secret(type)) value.depends.secret_declared = node.name.span;
  Evaluated fallback;
  if (node.fallback) {
    fallback = evaluator_.check(*node.fallback, type);
    refuse_clear_secret(fallback, node.fallback->span);
  } else if (is(type, Kind::optional)) {
    fallback = known(type, Value());
  }
  const auto* extra = context_.extra(name);
  if (extra) {
    Evaluated given = extra_value(*extra, name, type);
    value.values = given.values;
    if (given.poison()) value = {};
  } else if (is_poison(type)) {
    value = {};
  } else {
    Trouble none;
    none.what = Trouble::What::no_hostvar;
    none.name = name;
    none.declared = node.name.span;
    const auto missing = std::make_shared<const Trouble>(std::move(none));
    std::vector<Cell> cells;
    std::unordered_map<Value, std::uint32_t, ValueHash> seen;
    std::unordered_map<std::uint32_t, std::uint32_t> misfits;  // cells, by the place of the value
    std::vector<std::uint32_t> index(context_.host_count(), 0);
    const bool use_fallback = node.fallback || is(type, Kind::optional);
    // Cells for hosts without a value are made when the first such host is met: a column without
    // any is read without a look at each cell.
    std::optional<std::uint32_t> missing_cell;
    std::optional<std::uint32_t> quiet;
    const auto cell_for = [&](std::optional<std::uint32_t>& cell, const TroublePtr& trouble) {
      if (!cell) {
        cell = static_cast<std::uint32_t>(cells.size());
        cells.push_back({Value(), trouble});
      }
      return *cell;
    };
    const auto quiet_cell = [&] { return cell_for(quiet, std::make_shared<const Trouble>()); };
    std::vector<std::uint32_t> from_fallback;  // by cell of the fallback
    for (HostIndex h = 0; h < index.size(); ++h) {
      if (!context_.selected(h)) {
        index[h] = cell_for(missing_cell, missing);
        continue;
      }
      const auto variable = context_.input.inventory->variable(h, name);
      if (!variable) {
        if (!use_fallback) {
          index[h] = cell_for(missing_cell, missing);
          continue;
        }
        if (fallback.poison()) {
          index[h] = quiet_cell();
          continue;
        }
        const std::uint32_t cell = fallback.values.cell_of(h);
        if (from_fallback.empty()) {
          for (const auto& one : fallback.values.cells()) {
            from_fallback.push_back(static_cast<std::uint32_t>(cells.size()));
            cells.push_back(one);
          }
        }
        index[h] = from_fallback[cell];
        continue;
      }
      auto typed = value_of_inventory(context_, name, variable->value, type);
      if (typed) {
        const auto [at, fresh] =
            seen.emplace(std::move(*typed), static_cast<std::uint32_t>(cells.size()));
        if (fresh) cells.push_back({at->first, nullptr});
        index[h] = at->second;
        continue;
      }
      const auto [misfit, fresh] =
          misfits.emplace(variable->value.span.begin, static_cast<std::uint32_t>(cells.size()));
      if (fresh) {
        Trouble trouble;
        trouble.what = Trouble::What::misfit;
        trouble.diagnostic =
            misfit_of(node, context_.host_name(h), variable->value, type, typed.error());
        cells.push_back({Value(), std::make_shared<const Trouble>(std::move(trouble))});
      }
      index[h] = misfit->second;
    }
    if (use_fallback && !fallback.poison()) value.depends.add(fallback.depends);
    value.values = Values(std::move(cells), std::move(index));
  }
  evaluator_.hostvars.insert_or_assign(name, std::make_shared<const Evaluated>(value));
  declare(node.name, std::move(value), "host variable");
}

// ---- let, require, lock

void Builder::let(const syntax::Let& node) {
  const TypePtr type = node.type ? evaluator_.type(*node.type) : nullptr;
  Evaluated value = evaluator_.check(node.value, type);
  if (!node.modifiers.empty()) Modifiers(context_, node.modifiers, kPlainPlace);
  const auto* list = std::get_if<syntax::ListLit>(&node.value.node);
  if (!value.poison() && !type && list && list->items.empty()) {
    context_.error("E0210", "the type of " + code(node.name.text) + " cannot be determined",
                   node.value.span, "an empty list of what?",
                   "write it: `let " + node.name.text + ": list<string> = []`");
    value = {};
  } else if (!value.poison() && !type && is(value.type, Kind::none)) {
    context_.error("E0210", "the type of " + code(node.name.text) + " cannot be determined",
                   node.value.span, "none of what?",
                   "write it: `let " + node.name.text + ": string? = none`");
    value = {};
  } else if (value.step) {
    context_.error("E0212", "a step is not a value", node.value.span, "a step",
                   "name one of its facts: `code.moved.before`");
    value = {};
  }
  declare(node.name, std::move(value), "name");
}

void Builder::require(const syntax::Require& node) {
  const auto message =
      node.message
          ? evaluator_.constant_text(*node.message, {"the message of a `require`", "write a text"})
          : std::nullopt;
  if (const auto* call = std::get_if<syntax::Call>(&node.condition.node);
      call && dotted_name(*call->callee) == "rehearsed") {
    rehearsed(*call, node.condition.span);
    return;
  }
  const Evaluated condition = evaluator_.check(node.condition, simple(Kind::bool_));
  if (condition.poison()) return;
  if (condition.depends.now && !condition.depends.fact && !condition.depends.per_host) {
    context_.error(
        "E0910", "`require` on `now` is not supported yet", condition.depends.cause,
        "known only when the run starts",
        "begin the play with `wait until T, late_by D`, or look at the clock before the run");
    return;
  }
  const auto holds =
      evaluator_.constant(condition, node.condition.span,
                          {"a `require`", "a module's `check` can look at a host and fail"});
  if (holds && !*holds->as<bool>()) {
    context_.error(
        "E0516",
        message ? "a precondition does not hold: " + *message : "a precondition does not hold",
        node.condition.span, "is false", "see to it that it holds, then run again");
  }
}

void Builder::rehearsed(const syntax::Call& call, Span at) {
  plan::Requirement out;
  out.where = context_.where(at);
  bool has_on = false;
  bool has_within = false;
  for (const auto& argument : call.args) {
    if (!argument.value) continue;
    const std::string& name = argument.name.text;
    if (name == "on" && !has_on) {
      has_on = true;
      if (const auto on =
              evaluator_.constant_text(*argument.value, {"the inventory of `rehearsed`", ""})) {
        out.on = *on;
      }
    } else if (name == "within" && !has_within) {
      has_within = true;
      const auto within = evaluator_.constant(*argument.value, simple(Kind::duration),
                                              {"`within` of `rehearsed`", ""});
      if (within) out.within = *within->as<Duration>();
    } else {
      evaluator_.check(*argument.value);
      const std::string near = diag::did_you_mean(name, {"on", "within"});
      context_.error("E0211", "`rehearsed` takes `on` and `within`",
                     near.empty() ? argument.span : argument.name.span,
                     name == "on" || name == "within" ? "given twice" : "unknown argument",
                     near.empty() ? "write `rehearsed(on: \"staging\", within: 7d)`"
                                  : "did you mean " + code(near) + "?");
      return;
    }
  }
  if (!has_on || !has_within) {
    context_.error("E0211", "`rehearsed` takes `on` and `within`", at,
                   has_on ? "within what time?" : "on which inventory?",
                   "write `rehearsed(on: \"staging\", within: 7d)`");
    return;
  }
  context_.plan.requirements.push_back(std::move(out));
}

void Builder::mode(const syntax::Mode& node) {
  if (node.mode.text == "incident") {
    context_.plan.incident = true;
    return;
  }
  const std::string near = diag::did_you_mean(node.mode.text, {"incident"});
  context_.error("E0531", "there is no mode " + code(node.mode.text), node.mode.span,
                 "unknown mode",
                 near.empty() ? "a play has `mode incident`, or none" : "did you mean `incident`?");
}

void Builder::lock(const syntax::Lock& node) {
  const auto name = evaluator_.constant_text(node.name, {"the name of a lock", "write a name"});
  if (!name) return;
  const bool good = !name->empty() && (*name)[0] != '-' && (*name)[0] != '/' &&
                    name->find("..") == std::string::npos && name->back() != '/' &&
                    name->find("//") == std::string::npos && name->size() <= 200 &&
                    std::ranges::all_of(*name, [](unsigned char c) {
                      return std::isalnum(c) || c == '_' || c == '-' || c == '.' || c == '/';
                    });
  if (!good) {
    context_.error("E0202", "a lock cannot be called \"" + *name + "\"", node.name.span,
                   "not a name of a lock",
                   "use letters, digits, `.`, `_`, `-` and `/` between them: \"deploy/staging\"");
    return;
  }
  if (std::ranges::find(context_.plan.locks, *name) == context_.plan.locks.end()) {
    context_.plan.locks.push_back(*name);
  }
}

}  // namespace cnplay::compile
