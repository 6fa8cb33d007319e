// Expressions: names, members, facts and indices.
#include <algorithm>

#include "compile/evaluator.h"

namespace cnplay::compile {

using plan::Op;
using plan::Value;

namespace {

bool any_trouble(const Values& values) {
  return std::ranges::any_of(values.cells(), [](const Cell& c) { return c.trouble != nullptr; });
}

// A missing host variable is pointed out where this expression reads it, not where a `let` did.
Values read_at(const Values& values, Span at) {
  if (!any_trouble(values)) return values;
  return values.map([&](const Cell& cell) -> Cell {
    if (!cell.trouble || cell.trouble->what == Trouble::What::quiet) return cell;
    auto moved = std::make_shared<Trouble>(*cell.trouble);
    moved->at = at;
    return {Value(), std::move(moved)};
  });
}

EvaluatedPtr read_at(const Evaluated& value, Span at) {
  auto out = std::make_shared<Evaluated>(value);
  out->values = read_at(value.values, at);
  for (auto& [name, field] : out->fields) field = read_at(*field, at);
  if (out->depends.cause.known()) out->depends.cause = at;
  if (holds_secret(out->type)) out->depends.secret_at = at;
  return out;
}

}  // namespace

Evaluated Evaluator::name(const syntax::Name& name, Span span) {
  if (name.text == plan::kLocal && context_.local) {
    Evaluated out;
    out.type = simple(Kind::host);
    out.hosts = out.whole = {*context_.local};
    out.label = plan::kLocal;
    return out;
  }
  if (const Variable* variable = scope ? scope->find(name.text) : nullptr) {
    if (!variable->value || variable->value->poison()) return poison();
    return *read_at(*variable->value, span);
  }
  if (find_step) {
    if (auto step = find_step(name)) return std::move(*step);
  }
  if (name.text == "now") {
    Evaluated out = known(simple(Kind::time), deferred(Op::now));
    out.depends.now = true;
    out.depends.cause = span;
    return out;
  }
  if (name.text == "inventory") {
    Evaluated out;
    auto type = std::make_shared<Type>();
    type->kind = Kind::record;
    type->fields.emplace_back("name", simple(Kind::string));
    out.type = std::move(type);
    out.fields.emplace_back(
        "name", std::make_shared<const Evaluated>(
                    known(simple(Kind::string), Value(context_.input.inventory->name()))));
    return out;
  }
  if (const Span* later = scope ? scope->find_later(name.text) : nullptr) {
    context_.error_with("E0103", code(name.text) + " is used before it is declared", span,
                        "not known yet", *later, "declared here",
                        "move the declaration above its first use");
    return poison();
  }
  if (name.text == "saved") {
    context_.error("E0124", "`saved` has a meaning in an `undo` only", span, "not inside an `undo`",
                   "name the step: `STEP.ACTION.FACT`, as in `code.moved.before`");
    return poison();
  }
  std::vector<std::string> names = {"now", "inventory", plan::kLocal};
  if (scope) scope->add_names(names);
  if (step_names) step_names(names);
  const std::string near = diag::did_you_mean(name.text, names);
  std::string help = near.empty() ? "" : "did you mean " + code(near) + "?";
  const auto variables = context_.input.inventory->variable_names();
  if (std::ranges::find(variables, name.text) != variables.end()) {
    help = "the inventory sets it: declare it with its type, `hostvar " + name.text + ": string`";
  } else if (help.empty() && context_.input.inventory->find_group(name.text)) {
    help = "it is a group of the inventory: write `group(\"" + name.text + "\")`";
  } else if (help.empty() && name.text == "all") {
    help = "all hosts of the inventory are `group(\"all\")`";
  } else if (help.empty() && (name.text == "inventory_hostname" || name.text == "host" ||
                              name.text == "hostname" || name.text == "ansible_host")) {
    help = "a script asks its host: `$(hostname)`; of one host of a set, `web[0].name` is the name";
  } else if (help.empty() && name.text.starts_with("ansible_")) {
    help =
        "no facts are gathered on their own: call host.facts, or set it in the inventory and "
        "declare it with `hostvar`";
  } else if (help.empty()) {
    help = "declare it with `let`, `param` or `hostvar`, or put a text in quotes: \"" + name.text +
           "\"";
  }
  context_.error("E0102", "unknown name " + code(name.text), span, "not declared", std::move(help));
  return poison();
}

Evaluated Evaluator::member(const syntax::Member& member, Span span) {
  const Evaluated object = check(*member.object);
  if (object.poison()) return poison();
  const std::string& name = member.name.text;
  if (object.steps) return step_of(*object.steps, member);
  if (object.step) {
    if (object.step->saved) return saved(*object.step, member.name, span);
    std::vector<std::string> names;
    for (const auto& action : object.step->actions) {
      if (action->let.empty()) continue;
      if (action->let == name) {
        if (action->unknown) return poison();
        Evaluated out;
        out.type = simple(Kind::facts);
        out.facts = action;
        return out;
      }
      names.push_back(action->let);
    }
    const std::string near = diag::did_you_mean(name, names);
    context_.error_with("E0107",
                        "step " + code(object.step->name) + " has no action called " + code(name),
                        member.name.span, "no such action", object.step->declared, "the step",
                        !near.empty()   ? "did you mean " + code(near) + "?"
                        : names.empty() ? "name the action in the step: `let " + name + " = ...`"
                                        : "its named actions: " + enumerate(names));
    return poison();
  }
  if (object.facts) return fact(object, member.name, span);
  if (is(object.type, Kind::host)) {
    Evaluated value = host_member(object.host(), member.name, span);
    value.depends.batch = object.depends.batch;
    value.depends.in_batch = object.depends.in_batch;
    return value;
  }
  if (is(object.type, Kind::record)) {
    std::vector<std::string> names;
    for (const auto& [known_name, field] : object.fields) {
      if (known_name == name) return *field;
      names.push_back(known_name);
    }
    for (const auto& [known_name, type] : object.type->fields) {
      if (object.fields.empty() && known_name == name) {
        const Values operand[] = {object.values};
        return result(type, apply(Op::member, operand, {name}, span), object.depends, span);
      }
      if (object.fields.empty()) names.push_back(known_name);
    }
    const std::string near = diag::did_you_mean(name, names);
    context_.error(
        "E0107", "the record has no field " + code(name), member.name.span, "unknown field",
        near.empty() ? "its fields: " + enumerate(names) : "did you mean " + code(near) + "?");
    return poison();
  }
  context_.error("E0107", with_article(object.type) + " has no members", member.name.span,
                 "unknown member",
                 is(object.type, Kind::map) ? "read a map with `[\"" + name + "\"]`" : "");
  return poison();
}

// `h.name`, `h.address`, and the host variables that the play declares.
Evaluated Evaluator::host_member(HostIndex host, const syntax::Name& name, Span span) {
  if (name.text == "name") return known(simple(Kind::string), Value(context_.host_name(host)));
  if (host == context_.local && !hostvars.contains(name.text)) {
    context_.error("E0107", "`local` has no member " + code(name.text), name.span,
                   "the controller has a name alone",
                   name.text == "address" ? "a script asks it: `$(hostname -f)`"
                                          : "host variables are of an inventory's hosts");
    return poison();
  }
  const inventory::Inventory& inventory = *context_.input.inventory;
  if (name.text == "address")
    return known(simple(Kind::string), Value(inventory.ssh(host).address));
  if (const auto at = hostvars.find(name.text); at != hostvars.end()) {
    if (at->second->poison()) return poison();
    Evaluated value = *at->second;
    const Cell& cell = value.values.at(host);
    if (cell.trouble) {
      const HostIndex hosts[] = {host};
      if (!context_.selected(host)) {
        context_.error("E0101",
                       "host variable " + code(name.text) + " of " +
                           code(context_.host_name(host)) + " is not known under `--limit`",
                       name.span, "of a host that is left out", "widen the limit");
      } else if (cell.trouble->what != Trouble::What::quiet) {
        report(*cell.trouble, {host}, hosts, context_.host_name(host), name.span);
      }
      return poison();
    }
    value.values = Values(cell.value);
    value.depends.per_host = false;
    value.depends.cause = span;
    if (holds_secret(value.type)) {
      value.depends.secret_at = span;
      value.depends.secret_declared = at->second->depends.secret_declared;
    }
    return value;
  }
  std::vector<std::string> names = {"name", "address"};
  for (const auto& [known_name, value] : hostvars) names.push_back(known_name);
  const std::string near = diag::did_you_mean(name.text, names);
  const auto variables = inventory.variable_names();
  const bool undeclared = std::ranges::find(variables, name.text) != variables.end();
  context_.error("E0107", "a host has no member " + code(name.text), name.span, "unknown member",
                 undeclared ? "the inventory sets it: declare it with its type, `hostvar " +
                                  name.text + ": string`"
                 : !near.empty() ? "did you mean " + code(near) + "?"
                                 : "it has " + enumerate(names));
  return poison();
}

// `moved.before`: the value of each host, or of the host that was chosen.
Evaluated Evaluator::fact(const Evaluated& object, const syntax::Name& name, Span span) {
  const ActionFacts& facts = *object.facts;
  const auto decl = std::ranges::find(facts.facts, name.text, &plan::FactDecl::name);
  if (decl == facts.facts.end()) {
    std::vector<std::string> names;
    for (const auto& one : facts.facts) names.push_back(one.name);
    const std::string near = diag::did_you_mean(name.text, names);
    context_.error_with("E0107", code(facts.label) + " has no fact " + code(name.text), name.span,
                        "unknown fact", facts.declared, "the action",
                        !near.empty()   ? "did you mean " + code(near) + "?"
                        : names.empty() ? "this module returns none"
                                        : "its facts: " + enumerate(names));
    return poison();
  }
  if (facts.people) {
    Evaluated said;
    said.type = type_of_fact(decl->type);
    said.depends.fact = true;
    said.depends.cause = span;
    said.values = Values(context_.fact(facts.copies[0].node, 0, name.text, {}));
    return said;
  }
  // A step whose hosts could not be made out was reported there.
  const bool nowhere_at_all = std::ranges::all_of(
      facts.copies, [](const ActionFacts::Copy& copy) { return copy.hosts.empty(); });
  if (nowhere_at_all && !facts.saved) return poison();
  Evaluated out;
  out.type = type_of_fact(decl->type);
  out.depends.batch = object.depends.batch;
  out.depends.in_batch = object.depends.in_batch;
  out.depends.fact = true;
  out.depends.cause = span;
  if (object.chosen || facts.once) {
    const HostIndex host = object.chosen ? *object.chosen : facts.copies[0].hosts[0];
    for (const auto& copy : facts.copies) {
      if (std::ranges::binary_search(copy.hosts, host)) {
        out.values = Values(context_.fact(copy.node, copy.action, name.text, host));
        return out;
      }
    }
    context_.error_with("E0122",
                        code(facts.label) + " does not exist on " + code(context_.host_name(host)),
                        span, "the step does not run there", facts.declared, "the action",
                        context_.selected(host) ? "choose a host of the step's set"
                                                : "widen the limit: it leaves this host out");
    return poison();
  }
  out.depends.per_host = true;
  if (facts.saved) {
    out.values = Values(context_.fact(facts.copies[0].node, facts.copies[0].action, name.text, {}));
    return out;
  }
  Trouble nowhere;
  nowhere.what = Trouble::What::no_fact;
  nowhere.name = facts.label + "." + name.text;
  nowhere.message = facts.label;
  nowhere.hosts = facts.hosts;
  nowhere.at = span;
  nowhere.declared = facts.declared;
  std::vector<Cell> cells = {{Value(), std::make_shared<const Trouble>(std::move(nowhere))}};
  std::vector<std::uint32_t> index(context_.host_count(), 0);
  for (const auto& copy : facts.copies) {
    for (const HostIndex h : copy.hosts) index[h] = static_cast<std::uint32_t>(cells.size());
    cells.push_back({context_.fact(copy.node, copy.action, name.text, {}), nullptr});
  }
  out.values = Values(std::move(cells), std::move(index));
  return out;
}

// `saved.before`: the fact of that name in the step, if one action has it; else `saved.moved`.
Evaluated Evaluator::saved(const StepFacts& step, const syntax::Name& name, Span span) {
  bool unknown = false;
  std::vector<ActionFactsPtr> with_fact;
  std::vector<std::string> names;
  for (const auto& action : step.actions) {
    unknown = unknown || action->unknown;
    if (!action->let.empty() && action->let == name.text) {
      if (action->unknown) return poison();
      Evaluated out;
      out.type = simple(Kind::facts);
      out.facts = action;
      return out;
    }
    for (const auto& one : action->facts) {
      names.push_back(one.name);
      if (one.name == name.text) with_fact.push_back(action);
    }
  }
  if (with_fact.size() == 1) {
    Evaluated object;
    object.type = simple(Kind::facts);
    object.facts = with_fact[0];
    return fact(object, name, span);
  }
  if (with_fact.size() > 1) {
    std::vector<std::string> ways;
    for (const auto& action : with_fact) {
      if (!action->let.empty()) ways.push_back(code("saved." + action->let + "." + name.text));
    }
    context_.error(
        "E0124",
        std::to_string(with_fact.size()) + " actions of this step have a fact " + code(name.text),
        name.span, "which one?",
        ways.empty() ? "give the actions names: `let first = ...`"
                     : "write " + enumerate(ways, "or"));
    return poison();
  }
  if (unknown) return poison();  // it may be a fact of the action that is not known
  const std::string near = diag::did_you_mean(name.text, names);
  context_.error_with("E0124", "no action of this step has a fact " + code(name.text), name.span,
                      "nothing is saved under this name", step.declared, "the step",
                      !near.empty()   ? "did you mean " + code(near) + "?"
                      : names.empty() ? "its actions return no facts"
                                      : "saved are: " + enumerate(names));
  return poison();
}

Evaluated Evaluator::index(const syntax::Index& node, Span span) {
  Evaluated object = check(*node.object);
  if (object.poison()) {
    check(*node.index);
    return poison();
  }
  if (object.steps) return turn_of(*object.steps, node);
  if (object.facts) {
    const Evaluated host = check(*node.index, simple(Kind::hosts));
    if (host.poison()) return poison();
    if (host.whole.size() != 1) {
      context_.error("E0121", "one host must be chosen", node.index->span,
                     count_of(host.whole.size(), "host"),
                     "choose one: `" + context_.text(node.index->span) + "[0]`");
      return poison();
    }
    object.chosen = host.host();
    object.depends.batch = host.depends.batch;
    object.depends.in_batch = host.depends.in_batch;
    return object;
  }
  if (is(object.type, Kind::hosts)) {
    const Evaluated key = check(*node.index);
    if (is(bare(key.type), Kind::string)) {
      context_.error("E0203", "a set of hosts is indexed by a number", node.index->span, "a text",
                     "one host by its name is `host(" + context_.text(node.index->span) + ")`");
      return poison();
    }
    const auto at = constant(*node.index, simple(Kind::int_), {"which host is meant", ""});
    if (!at) return poison();
    const std::int64_t n = *at->as<std::int64_t>();
    if (n < 0 || static_cast<std::size_t>(n) >= object.whole.size()) {
      context_.error("E0207", "index " + std::to_string(n) + " is out of range", node.index->span,
                     (object.label.empty() ? "the set" : code(object.label)) + " has " +
                         count_of(object.whole.size(), "host"),
                     "the first host has the index 0");
      return poison();
    }
    object.type = simple(Kind::host);
    const auto only = [at = static_cast<std::size_t>(n)](std::vector<HostIndex>& hosts) {
      hosts = at < hosts.size() ? std::vector{hosts[at]} : std::vector<HostIndex>{};
    };
    only(object.hosts);
    only(object.whole);
    object.label = context_.host_name(object.host());
    if (object.of_batch) object.depends.batch = {object.host()};
    return object;
  }
  const bool secret = is(object.type, Kind::secret);
  const TypePtr container = secret ? object.type->of : object.type;
  const bool map = is(container, Kind::map);
  if (!map && !is(container, Kind::list)) {
    check(*node.index);
    context_.error("E0204", with_article(object.type) + " cannot be indexed", node.object->span,
                   "neither a list, a map nor hosts",
                   is(object.type, Kind::record) ? "read a field with a `.`" : "");
    return poison();
  }
  const Evaluated at = check(*node.index, simple(map ? Kind::string : Kind::int_));
  if (at.poison()) return poison();
  Dependence depends = object.depends;
  depends.add(at.depends);
  const Values operands[] = {object.values, at.values};
  Values values = apply(Op::index, operands, {}, node.index->span);
  if (values.uniform() && values.cells()[0].trouble &&
      values.cells()[0].trouble->what == Trouble::What::failed) {
    context_.error("E0207", map ? "there is no such key" : "an index is out of range",
                   node.index->span, values.cells()[0].trouble->message,
                   map ? "" : "the first item has the index 0");
    return poison();
  }
  return result(secret ? secret_of(container->of) : container->of, std::move(values), depends,
                span);
}

}  // namespace cnplay::compile
