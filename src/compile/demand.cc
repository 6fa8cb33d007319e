// Where a value is needed: is it known, is it one, has every host one, may it be seen.
#include <algorithm>
#include <utility>

#include "compile/evaluator.h"

namespace cnplay::compile {

using plan::Value;

bool Evaluator::refuse_secret(const Evaluated& value, Span at, const std::string& note,
                              const std::string& help) {
  if (!holds_secret(value.type)) return false;
  diag::Diagnostic d;
  d.code = "E0301";
  d.summary = "a secret would be printed";
  const Span read = value.depends.secret_at.known() ? value.depends.secret_at : at;
  // A part of a text is what was read there, a secret string; the whole has a type of its own.
  const bool whole = read == at && is(value.type, Kind::secret);
  d.subject = {read, name_of(whole ? value.type : secret_of(simple(Kind::string)))};
  if (value.depends.secret_declared.known()) {
    const auto place = context_.input.sources->locate(value.depends.secret_declared);
    const bool same = context_.input.sources->find(read) ==
                      context_.input.sources->find(value.depends.secret_declared);
    d.subject.text +=
        ", declared " + (same ? "on line " + std::to_string(place.line)
                              : "at " + context_.where(value.depends.secret_declared));
  }
  if (!note.empty()) d.notes.push_back({{}, note});
  d.help = help.empty() ? "leave it out, or say where it is kept instead" : help;
  context_.diags.add(std::move(d));
  return true;
}

std::optional<Value> Evaluator::constant(const syntax::Expr& expr, const TypePtr& expected,
                                         const Purpose& purpose) {
  const std::string outer = std::exchange(secret_note, purpose.what + " is shown and recorded");
  const Evaluated value = check(expr, expected);
  secret_note = outer;
  return constant(value, expr.span, purpose);
}

std::optional<Value> Evaluator::constant(const Evaluated& value, Span at, const Purpose& purpose) {
  if (value.poison()) return std::nullopt;
  use(value);
  if (refuse_secret(value, at, purpose.what + " is shown and recorded", "")) return std::nullopt;
  const Span cause = value.depends.cause.known() ? value.depends.cause : at;
  if (value.depends.fact || value.depends.now) {
    context_.error(
        "E0115", purpose.what + " must be known before the run", cause,
        value.depends.fact ? "a fact: known only during the run"
                           : "`now` is known only when the run starts",
        purpose.help.empty() ? "steer with `when`, or make it a parameter" : purpose.help);
    return std::nullopt;
  }
  if (value.depends.per_host) {
    context_.error("E0114", purpose.what + " must be one value for the whole run", cause,
                   "has one value for each host",
                   "make it a `param`, or a `let` without host variables");
    return std::nullopt;
  }
  const Values values = flatten(value);
  if (values.cells()[0].trouble) {
    report(*values.cells()[0].trouble, {}, {}, "", at);
    return std::nullopt;
  }
  return values.cells()[0].value;
}

std::optional<std::string> Evaluator::constant_text(const syntax::Expr& expr,
                                                    const Purpose& purpose) {
  const auto value = constant(expr, simple(Kind::string), purpose);
  const auto* text = value ? value->as<std::string>() : nullptr;
  return text ? std::optional(*text) : std::nullopt;
}

std::optional<Value> Evaluator::single(const syntax::Expr& expr, const TypePtr& expected,
                                       const Purpose& purpose) {
  const std::string outer = std::exchange(secret_note, purpose.what + " is shown and recorded");
  const Evaluated value = check(expr, expected);
  secret_note = outer;
  if (value.poison()) return std::nullopt;
  use(value);
  if (refuse_secret(value, expr.span, purpose.what + " is shown and recorded", "")) {
    return std::nullopt;
  }
  if (value.depends.per_host) {
    const Span cause = value.depends.cause.known() ? value.depends.cause : expr.span;
    if (value.depends.fact) {
      context_.error("E0121", purpose.what + " must be one value for the whole run", cause,
                     "this fact has one value for each host",
                     "choose a host: `code.moved[web[0]].before`");
    } else {
      context_.error("E0114", purpose.what + " must be one value for the whole run", cause,
                     "has one value for each host",
                     "make it a `param`, or a `let` without host variables");
    }
    return std::nullopt;
  }
  const Values values = flatten(value);
  if (values.cells()[0].trouble) {
    report(*values.cells()[0].trouble, {}, {}, "", expr.span);
    return std::nullopt;
  }
  return values.cells()[0].value;
}

std::optional<plan::Column> Evaluator::column(const Evaluated& value,
                                              std::span<const HostIndex> hosts,
                                              const std::string& label, Span at) {
  if (value.poison()) return std::nullopt;
  use(value);
  const Values values = flatten(value);
  std::vector<std::pair<const Trouble*, std::vector<HostIndex>>> troubles;
  const bool any =
      std::ranges::any_of(values.cells(), [](const Cell& c) { return c.trouble != nullptr; });
  if (any) {
    for (const HostIndex h : hosts) {
      const Trouble* trouble = values.at(h).trouble.get();
      if (!trouble) continue;
      auto known = std::ranges::find(troubles, trouble, [](const auto& t) { return t.first; });
      if (known == troubles.end()) {
        troubles.push_back({trouble, {}});
        known = troubles.end() - 1;
      }
      known->second.push_back(h);
    }
  }
  for (const auto& [trouble, missing] : troubles) report(*trouble, missing, hosts, label, at);
  if (!troubles.empty()) return std::nullopt;
  return column_for(values, hosts);
}

namespace {

std::string names_of(const Context& context, const std::vector<HostIndex>& hosts) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < hosts.size() && i < 3; ++i)
    names.push_back(code(context.host_name(hosts[i])));
  if (hosts.size() == 4) names.push_back(code(context.host_name(hosts[3])));
  if (hosts.size() > 4) names.push_back(std::to_string(hosts.size() - 3) + " more");
  return enumerate(names);
}

}  // namespace

void Evaluator::report(const Trouble& trouble, const std::vector<HostIndex>& missing,
                       std::span<const HostIndex> hosts, const std::string& label, Span at) {
  switch (trouble.what) {
    case Trouble::What::quiet:
      return;
    case Trouble::What::failed:
      context_.error("E0208",
                     "this cannot be computed" +
                         (missing.empty() ? "" : " for " + names_of(context_, missing)),
                     trouble.at.known() ? trouble.at : at, trouble.message);
      return;
    case Trouble::What::no_fact: {
      const bool one = hosts.size() == 1;
      const bool operators = trouble.hosts.find(' ') != std::string::npos;
      const std::string first = (operators ? "(" + trouble.hosts + ")" : trouble.hosts) + "[0]";
      context_.error_with(
          one ? "E0121" : "E0122",
          one ? "which host's " + code(trouble.name) + "?"
              : code(trouble.name) + " does not exist on " + names_of(context_, missing),
          trouble.at,
          one ? "has one value for each host of its step, and none on " +
                    names_of(context_, missing)
              : "its step does not run there",
          trouble.declared, "the action",
          "choose a host: `" + trouble.message + "[" + first + "]" +
              trouble.name.substr(trouble.message.size()) + "`");
      return;
    }
    case Trouble::What::misfit:
      if (context_.reported_hostvars.insert(trouble.diagnostic->subject.span.begin).second) {
        context_.diags.add(*trouble.diagnostic);
      }
      return;
    case Trouble::What::no_hostvar:
      break;
  }
  if (missing.empty() || !context_.reported_hostvars.insert(trouble.declared.begin).second) return;
  const auto& inventory = *context_.input.inventory;
  if (missing[0] == context_.local) {
    context_.error_with(
        "E0101", "host variable " + code(trouble.name) + " has no value on `local`",
        trouble.at.known() ? trouble.at : at, "needed on the controller", trouble.declared,
        "declared here",
        "the controller has no host variables: give this one a default, or pass it with `-e`");
    return;
  }
  diag::Diagnostic d;
  d.code = "E0101";
  d.summary = "host variable " + code(trouble.name) + " has no value on " +
              std::to_string(missing.size()) + " of " + count_of(hosts.size(), "host");
  d.subject = {trouble.at.known() ? trouble.at : at,
               hosts.size() == 1 ? "needed for " + code(context_.host_name(hosts[0]))
                                 : "needed for every host of " + code(label)};
  const auto& first = inventory.hosts()[missing[0]];
  d.notes.push_back({first.span, names_of(context_, missing) +
                                     (missing.size() == 1 ? " gets no value" : " get no value")});
  std::vector<std::string> groups;
  for (const auto group : first.groups) groups.push_back(inventory.groups()[group].name);
  std::string list;
  for (const auto& group : groups) list += (list.empty() ? "" : ", ") + group;
  d.help = missing.size() == 1 ? "set " + code(trouble.name) + " for " + code(first.name) +
                                     " or for one of its groups (" + list + ")"
                               : "set " + code(trouble.name) +
                                     " for these hosts or for a group of theirs (" + list + ")";
  context_.diags.add(std::move(d));
}

void Evaluator::check_where(const syntax::Where& where, const Evaluated& value, Span at,
                            const std::string& subject) {
  if (value.poison()) return;
  Scope inner(scope);
  // A value that is none has nothing to satisfy.
  if (is(value.type, Kind::none)) return;
  auto it = std::make_shared<Evaluated>(value);
  it->type = without_optional(value.type);
  it->values = value.values.map([](const Cell& cell) -> Cell {
    if (cell.trouble || !cell.value.is_none()) return cell;
    return {plan::Value(), std::make_shared<const Trouble>()};
  });
  inner.replace("it", {it, at, "value"});
  const Scope* outer = scope;
  scope = &inner;
  const Evaluated condition = check(where.condition, simple(Kind::bool_));
  const auto message = where.message
                           ? constant_text(*where.message, {"the message of a `where`", ""})
                           : std::nullopt;
  scope = outer;
  if (condition.poison()) return;
  for (const auto& cell : condition.values.cells()) {
    if (cell.trouble) continue;
    if (cell.value.needs_run_time()) {
      // An optional that is none, or a fact: the run cannot refuse what was promised before it.
      context_.error_with("E0115", subject + " cannot be checked before the run", at,
                          "known only during the run", where.condition.span, "what must hold",
                          "pass a value that is known");
      return;
    }
    if (const bool* holds = cell.value.as<bool>(); holds && !*holds) {
      context_.error_with("E0206", subject + (message ? ": " + *message : " is not allowed"), at,
                          "breaks the condition", where.condition.span, "what must hold",
                          "it must satisfy `" + context_.text(where.condition.span) + "`");
      return;
    }
  }
}

}  // namespace cnplay::compile
