// `inventory.domain`: a variable that is set for the whole inventory, as one value.
#include <algorithm>

#include "compile/convert.h"
#include "compile/evaluator.h"

namespace cnplay::compile {

using plan::Value;

namespace {

using In = inventory::Value;

// The type that a value has by itself; poison: it is none, a secret, or a list of several types.
TypePtr own_type(const In& value) {
  if (std::holds_alternative<bool>(value.data)) return simple(Kind::bool_);
  if (std::holds_alternative<std::int64_t>(value.data)) return simple(Kind::int_);
  if (std::holds_alternative<std::string>(value.data)) return simple(Kind::string);
  if (std::holds_alternative<In::Duration>(value.data)) return simple(Kind::duration);
  if (std::holds_alternative<In::Size>(value.data)) return simple(Kind::size);
  if (std::holds_alternative<In::Percent>(value.data)) return simple(Kind::percent);
  const auto of_all = [](const auto& items, const auto& value_of) -> TypePtr {
    TypePtr type;
    for (const auto& item : items) {
      const TypePtr one = own_type(value_of(item));
      type = type ? unify(type, one) : one;
      if (!type || is_poison(type)) return nullptr;
    }
    return type;
  };
  if (const auto* list = std::get_if<In::List>(&value.data)) {
    const TypePtr type = of_all(*list, [](const In& item) -> const In& { return item; });
    return type ? list_of(type) : simple(Kind::poison);
  }
  if (const auto* record = std::get_if<In::Record>(&value.data)) {
    const TypePtr type =
        of_all(*record, [](const In::Member& member) -> const In& { return member.value; });
    return type ? map_of(type) : simple(Kind::poison);
  }
  return simple(Kind::poison);
}

// Types whose values are written as texts.
bool reads_text(const TypePtr& type) {
  const TypePtr inner = bare(type);
  return is(inner, Kind::time) || is(inner, Kind::path) || is(inner, Kind::enum_);
}

}  // namespace

bool Evaluator::names_inventory(const syntax::Expr& object) const {
  const auto* ref = std::get_if<syntax::NameRef>(&object.node);
  if (ref == nullptr || ref->name.text != "inventory") return false;
  if (scope != nullptr && scope->find("inventory") != nullptr) return false;
  return !find_step || !find_step(ref->name);
}

Evaluated Evaluator::inventory_member(const syntax::Name& name, Span span,
                                      const TypePtr& expected) {
  const inventory::Inventory& inventory = *context_.input.inventory;
  if (name.text == "name") return known(simple(Kind::string), Value(inventory.name()));
  const auto variable = inventory.whole_variable(name.text);
  if (!variable) return not_of_inventory(name);
  if (variable->per_host) {
    context_.error_with("E0543", code("inventory." + name.text) + " is not one value", name.span,
                        "differs from host to host", variable->name_span, "reads `host` or `index`",
                        "declare `hostvar " + name.text + ": string`, and read " + code(name.text) +
                            " for each host");
    return poison();
  }
  if (std::holds_alternative<In::Secret>(variable->value.data)) {
    context_.error_with("E0543", code("inventory." + name.text) + " is a secret", name.span,
                        "cannot be shown", variable->name_span, "its source",
                        "declare it: `hostvar " + name.text + ": secret<string>`");
    return poison();
  }
  const TypePtr own = own_type(variable->value);
  const bool as_text = expected && is(own, Kind::string) && reads_text(expected);
  const TypePtr wanted = as_text ? bare(expected) : own;
  if (is_poison(wanted)) {
    context_.error_with("E0543", code("inventory." + name.text) + " has no type", name.span,
                        "what is it?", variable->name_span, "set here",
                        "its items must have one type, and an empty list has none: declare "
                        "`hostvar " +
                            name.text + ": list<string>`");
    return poison();
  }
  auto value = value_of_inventory(context_, name.text, variable->value, wanted);
  if (!value) {
    diag::Diagnostic d;
    d.code = "E0213";
    d.summary = code("inventory." + name.text) + " does not fit";
    d.subject = {variable->value.span, value.error().what};
    d.notes.push_back({span, "needed here as " + with_article(wanted)});
    d.help = value.error().help;
    context_.diags.add(std::move(d));
    return poison();
  }
  return known(wanted, *std::move(value));
}

Evaluated Evaluator::not_of_inventory(const syntax::Name& name) {
  const inventory::Inventory& inventory = *context_.input.inventory;
  diag::Diagnostic d;
  d.code = "E0543";
  d.summary = code(name.text) + " is not set for the whole inventory";
  d.subject = {name.span, "no variable of " + code(inventory.name()) + " itself"};
  const auto places = inventory.variable_places(name.text);
  for (std::size_t i = 0; i < places.size() && i < 3; ++i) {
    d.notes.push_back({places[i].name_span, "set for " + places[i].of});
  }
  std::vector<std::string> names = inventory.whole_variable_names();
  names.push_back("name");
  const std::string near = diag::did_you_mean(name.text, names);
  if (!places.empty()) {
    d.help = "move it to the `vars` of the inventory itself, or declare `hostvar " + name.text +
             ": string` and read " + code(name.text) + " for each host";
  } else if (!near.empty()) {
    d.help = "did you mean " + code("inventory." + near) + "?";
  } else {
    d.help = "set it: `inventory " + inventory.name() + " { vars { " + name.text + ": ... } }`";
  }
  context_.diags.add(std::move(d));
  return poison();
}

}  // namespace cnplay::compile
