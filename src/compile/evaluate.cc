// Expressions: literals, and a value where a type is asked for.
#include <algorithm>
#include <array>

#include "compile/convert.h"
#include "compile/evaluator.h"

namespace cnplay::compile {

using plan::Value;
using syntax::Expr;

Evaluated known(TypePtr type, Value value) {
  Evaluated out;
  out.type = std::move(type);
  out.values = Values(std::move(value));
  return out;
}

Evaluated Evaluator::check(const Expr& expr, const TypePtr& expected) {
  Evaluated value = check_node(expr, expected);
  return expected ? fit(std::move(value), expected, expr.span, &expr) : value;
}

Evaluated Evaluator::check_node(const Expr& expr, const TypePtr& expected) {
  const auto& node = expr.node;
  if (const auto* lit = std::get_if<syntax::StringLit>(&node)) {
    return string(*lit, expr.span, expected);
  }
  if (const auto* lit = std::get_if<syntax::IntLit>(&node)) {
    return known(simple(Kind::int_), Value(lit->value));
  }
  if (const auto* lit = std::get_if<syntax::BoolLit>(&node)) {
    return known(simple(Kind::bool_), Value(lit->value));
  }
  if (std::holds_alternative<syntax::NoneLit>(node)) return known(simple(Kind::none), Value());
  if (const auto* lit = std::get_if<syntax::DurationLit>(&node)) {
    return known(simple(Kind::duration), Value(Duration(lit->milliseconds)));
  }
  if (const auto* lit = std::get_if<syntax::SizeLit>(&node)) {
    return known(simple(Kind::size), Value(Size{lit->bytes}));
  }
  if (const auto* lit = std::get_if<syntax::PercentLit>(&node)) {
    return known(simple(Kind::percent), Value(Percent{lit->value}));
  }
  if (const auto* lit = std::get_if<syntax::ListLit>(&node)) return list(*lit, expr.span, expected);
  if (const auto* lit = std::get_if<syntax::RecordLit>(&node)) return record(*lit, expected);
  if (const auto* ref = std::get_if<syntax::NameRef>(&node)) return name(ref->name, expr.span);
  if (const auto* m = std::get_if<syntax::Member>(&node)) {
    if (names_inventory(*m->object)) return inventory_member(m->name, expr.span, expected);
    return member(*m, expr.span);
  }
  if (const auto* i = std::get_if<syntax::Index>(&node)) return index(*i, expr.span);
  if (const auto* c = std::get_if<syntax::Call>(&node)) return call(*c, expr.span);
  if (const auto* u = std::get_if<syntax::Unary>(&node)) return unary(*u, expr.span);
  if (const auto* b = std::get_if<syntax::Binary>(&node)) return binary(*b, expr.span);
  if (const auto* c = std::get_if<syntax::Conditional>(&node)) {
    return conditional(*c, expected, expr.span);
  }
  return poison();
}

Evaluated Evaluator::result(TypePtr type, Values values, Dependence depends, Span at) {
  if (values.uniform()) {
    const auto& trouble = values.cells()[0].trouble;
    if (trouble && trouble->what == Trouble::What::failed) {
      context_.error("E0208", "this cannot be computed", trouble->at.known() ? trouble->at : at,
                     trouble->message);
      return poison();
    }
  }
  Evaluated out;
  out.type = std::move(type);
  out.values = std::move(values);
  out.depends = depends;
  return out;
}

// ---- literals

Evaluated Evaluator::string(const syntax::StringLit& lit, Span span, const TypePtr& expected) {
  const TypePtr target = expected ? bare(expected) : nullptr;
  const bool typed =
      target && (is(target, Kind::path) || is(target, Kind::time) || is(target, Kind::enum_));
  Dependence depends;
  std::vector<Values> parts;
  bool secret = false;
  bool good = true;
  for (const auto& part : lit.parts) {
    if (!part.expr) {
      parts.emplace_back(Value(part.text));
      continue;
    }
    Evaluated value = check(*part.expr);
    if (value.poison()) {
      good = false;
      continue;
    }
    if (!has_text(value.type)) {
      const bool optional = is(value.type, Kind::optional) || is(value.type, Kind::none);
      context_.error(
          "E0203", with_article(value.type) + " has no text", part.expr->span,
          optional ? "may be none" : "not allowed in a string",
          optional
              ? "give a value for that case: `${" + context_.text(part.expr->span) + " ?? \"...\"}`"
          : is(value.type, Kind::hosts) ? "write its name in the text, or one host: `[0]`"
                                        : "name one of its parts with a `.`");
      good = false;
      continue;
    }
    secret = secret || holds_secret(value.type);
    if (holds_secret(value.type)) value.depends.secret_at = part.expr->span;
    depends.add(value.depends);
    if (is(value.type, Kind::host)) value.values = Values(Value(context_.host_name(value.host())));
    parts.push_back(std::move(value.values));
  }
  if (!good) return poison();
  Values text = parts.empty()       ? Values(Value(std::string()))
                : parts.size() == 1 ? concat(std::span(parts).first(1), span)
                                    : concat(parts, span);
  TypePtr type = simple(Kind::string);
  if (typed) {
    type = target;
    std::optional<Error> error;
    bool later = false;
    text = text.map([&](const Cell& cell) -> Cell {
      if (cell.trouble) return cell;
      if (cell.value.needs_run_time()) {
        later = true;
        return cell;
      }
      auto value = value_of_text(*cell.value.as<std::string>(), target);
      if (value) return {std::move(*value), nullptr};
      error = value.error();
      return {Value(), std::make_shared<const Trouble>()};
    });
    if (later && !is(target, Kind::path)) {
      context_.error("E0115", with_article(target) + " must be known before the run", span,
                     "its text is known only during the run",
                     "use a value that has this type already");
      return poison();
    }
    if (error) {
      context_.error("E0202", error->what, span, "not " + with_article(target), error->help);
      return poison();
    }
  }
  return result(secret ? secret_of(type) : type, std::move(text), depends, span);
}

Evaluated Evaluator::list(const syntax::ListLit& lit, Span span, const TypePtr& expected) {
  const TypePtr target = expected ? bare(expected) : nullptr;
  const bool typed = target && is(target, Kind::list);
  TypePtr item_type = typed ? target->of : nullptr;
  std::vector<Values> items;
  Dependence depends;
  bool good = true;
  bool secret = false;
  for (const auto& item : lit.items) {
    Evaluated value = check(item, typed ? target->of : nullptr);
    if (value.poison()) {
      good = false;
      continue;
    }
    if (!typed) {
      const TypePtr both = item_type ? unify(item_type, value.type) : value.type;
      if (!both) {
        context_.error_with(
            "E0203", "expected " + with_article(item_type) + ", found " + with_article(value.type),
            item.span, with_article(value.type), lit.items[0].span,
            "the list begins with " + with_article(item_type),
            "all items of a list must have the same type");
        good = false;
        continue;
      }
      item_type = both;
    }
    secret = secret || holds_secret(value.type);
    depends.add(value.depends);
    if (value.hosts.empty() && value.facts == nullptr) {
      items.push_back(flatten(value));
    } else {
      context_.error("E0212", "a list holds values", item.span, with_article(value.type),
                     "sets of hosts are joined by `|`: `web | db`");
      good = false;
    }
  }
  if (!good) return poison();
  Values values = combine(items, [](std::span<const Cell* const> row) -> Cell {
    plan::List out;
    for (const Cell* cell : row) out.push_back(cell->value);
    return {Value(std::move(out)), nullptr};
  });
  if (items.empty()) values = Values(Value(plan::List{}));
  return result(list_of(item_type ? item_type : simple(Kind::poison)), std::move(values), depends,
                span);
}

Evaluated Evaluator::record(const syntax::RecordLit& lit, const TypePtr& expected) {
  const TypePtr target = expected ? bare(expected) : nullptr;
  const TypePtr item = target && is(target, Kind::map) ? target->of : nullptr;
  Evaluated out;
  auto type = std::make_shared<Type>();
  type->kind = Kind::record;
  bool good = true;
  std::vector<std::pair<std::string, Span>> seen;
  const auto add = [&](const std::string& name, Span at, Evaluated value) {
    for (const auto& [known, place] : seen) {
      if (known != name) continue;
      context_.error_with("E0104", code(name) + " is set twice", at, "again here", place,
                          "first here", "keep one of the two");
      good = false;
      return;
    }
    seen.emplace_back(name, at);
    if (value.poison()) good = false;
    out.depends.add(value.depends);
    type->fields.emplace_back(name, value.type);
    out.fields.emplace_back(name, std::make_shared<const Evaluated>(std::move(value)));
  };
  for (const auto& field : lit.fields) {
    if (!field.value) continue;
    if (field.spread) {
      Evaluated value = check(*field.value);
      if (value.poison()) {
        good = false;
      } else if (value.fields.empty()) {
        context_.error("E0203", "`..` takes a record, found " + with_article(value.type),
                       field.value->span, "not a record", "name it: `field: value`");
        good = false;
      } else {
        for (const auto& [name, part] : value.fields) add(name, field.span, *part);
      }
      continue;
    }
    Evaluated value = check(*field.value, item);
    if (!value.hosts.empty() || value.facts || value.step) {
      context_.error("E0212", "a record holds values", field.value->span, with_article(value.type),
                     "name the set where it is needed");
      value = poison();
    }
    add(field.name.text, field.name.span.known() ? field.name.span : field.span, std::move(value));
  }
  if (!good) {
    // Known fields stay usable, so that one bad one does not hide faults in the others.
    if (out.fields.empty()) return poison();
  }
  // Where there are fields, their values are the record's: see flatten().
  if (out.fields.empty()) out.values = Values(Value(plan::Record{}));
  out.type = std::move(type);
  return out;
}

Values Evaluator::flatten(const Evaluated& value) {
  if (!is(value.type, Kind::record) || value.fields.empty()) return value.values;
  std::vector<Values> parts;
  for (const auto& [name, field] : value.fields) parts.push_back(flatten(*field));
  return combine(parts, [&](std::span<const Cell* const> row) -> Cell {
    plan::Record record;
    for (std::size_t i = 0; i < row.size(); ++i) {
      record.emplace_back(value.fields[i].first, row[i]->value);
    }
    return {Value(std::move(record)), nullptr};
  });
}

// ---- a value where a type is asked for

Evaluated Evaluator::fit(Evaluated value, const TypePtr& expected, Span at, const Expr* expr) {
  if (value.poison() || is_poison(expected)) return poison();
  if (!assignable(value.type, expected)) {
    mismatch(value, expected, at, expr);
    return poison();
  }
  if (is(value.type, Kind::record) && is(bare(expected), Kind::map)) {
    value.values = flatten(value);
    value.fields.clear();
  }
  value.type = expected;
  return value;
}

namespace {

std::string spelled(std::int64_t n) {
  constexpr std::array<const char*, 13> words = {"zero", "one",    "two",   "three", "four",
                                                 "five", "six",    "seven", "eight", "nine",
                                                 "ten",  "eleven", "twelve"};
  return n >= 0 && n < static_cast<std::int64_t>(words.size()) ? words[static_cast<std::size_t>(n)]
                                                               : std::to_string(n);
}

}  // namespace

void Evaluator::mismatch(const Evaluated& value, const TypePtr& expected, Span at,
                         const Expr* expr) {
  const TypePtr wanted = bare(expected);
  if (holds_secret(value.type) && !holds_secret(expected) && assignable(bare(value.type), wanted)) {
    refuse_secret(value, at,
                  secret_note.empty()
                      ? "only a place of type secret<" + name_of(wanted) + "> takes it"
                      : secret_note,
                  secret_help);
    return;
  }
  if (is(value.type, Kind::optional) && assignable(value.type->of, expected)) {
    context_.error("E0203",
                   "expected " + with_article(wanted) + ", found " + with_article(value.type), at,
                   "may be none", "give a value for that case: `" + context_.text(at) + " ?? ...`");
    return;
  }
  std::string label = with_article(value.type);
  std::string help;
  const auto* number = expr ? std::get_if<syntax::IntLit>(&expr->node) : nullptr;
  const auto* text = expr ? std::get_if<syntax::StringLit>(&expr->node) : nullptr;
  if (number && is(wanted, Kind::duration)) {
    const std::string n = std::to_string(number->value);
    label = spelled(number->value) + " what?";
    help = "write `" + n + "s` or `" + n + "m`";
  } else if (number && is(wanted, Kind::size)) {
    const std::string n = std::to_string(number->value);
    label = spelled(number->value) + " what?";
    help = "write `" + n + "MiB` or `" + n + "B`";
  } else if (number && is(wanted, Kind::percent)) {
    help = "write `" + std::to_string(number->value) + "%`";
  } else if (number && is(wanted, Kind::string)) {
    help = "write it in quotes: `\"" + std::to_string(number->value) + "\"`";
  } else if (text && text->parts.size() == 1 && !text->parts[0].expr && !is(wanted, Kind::list) &&
             !is(wanted, Kind::map) && value_of_extra(text->parts[0].text, wanted)) {
    help = "write it without the quotes: `" + text->parts[0].text + "`";
  } else if (is(wanted, Kind::string) && has_text(value.type)) {
    help = "make it a text: `\"${" + context_.text(at) + "}\"`";
  } else if (is(wanted, Kind::path) && is(value.type, Kind::string)) {
    help = "declare it `path` where it comes from, or write `\"${" + context_.text(at) + "}\"`";
  } else if (is(wanted, Kind::hosts)) {
    help = "name a set of hosts, or write `group(\"web\")` or `host(\"web1\")`";
  } else if (is(wanted, Kind::list) && !is(value.type, Kind::list)) {
    help = "write a list: `[" + context_.text(at) + "]`";
  } else if (is(wanted, Kind::bool_)) {
    help = "only a bool is true or false: compare the value with something";
  } else {
    help = "write it as " + example_of(wanted);
  }
  context_.error("E0203",
                 "expected " + with_article(wanted) + ", found " + with_article(value.type), at,
                 std::move(label), std::move(help));
}

// ---- types as they are written

TypePtr Evaluator::type(const syntax::TypeExpr& node, bool hosts_allowed) {
  static const std::vector<std::pair<std::string, Kind>> words = {
      {"string", Kind::string},     {"int", Kind::int_},       {"bool", Kind::bool_},
      {"duration", Kind::duration}, {"time", Kind::time},      {"size", Kind::size},
      {"path", Kind::path},         {"percent", Kind::percent}};
  const std::string& word = node.name.text;
  TypePtr out;
  for (const auto& [name, kind] : words) {
    if (name == word && node.args.empty()) out = simple(kind);
  }
  if ((word == "list" || word == "map" || word == "secret") && node.args.size() == 1) {
    TypePtr of = type(node.args[0]);
    if (is_poison(of)) return of;
    out = word == "list" ? list_of(of) : word == "map" ? map_of(of) : secret_of(of);
  }
  if (word == "enum" && !node.alternatives.empty()) {
    auto type = std::make_shared<Type>();
    type->kind = Kind::enum_;
    for (const auto& alternative : node.alternatives)
      type->alternatives.push_back(alternative.text);
    out = std::move(type);
  }
  if (word == "hosts" && hosts_allowed && node.args.empty() && !node.optional) {
    out = simple(Kind::hosts);
  }
  if (out) return node.optional ? optional_of(std::move(out)) : out;

  std::vector<std::string> names = {"list", "map", "enum", "secret"};
  for (const auto& [name, kind] : words) names.push_back(name);
  const std::string near = diag::did_you_mean(word, names);
  std::string help =
      "types are string, int, bool, duration, time, size, path, percent, list<T>, map<T>, "
      "enum(a, b), secret<T> and T?";
  if (word == "hosts") {
    help = hosts_allowed ? "a set of hosts is never missing: leave out the `?`"
                         : "only a procedure takes hosts; a play declares them: `hosts web = ...`";
  } else if (word == "list" || word == "map" || word == "secret") {
    help = "write `" + word + "<string>`";
  } else if (word == "enum") {
    help = "write `enum(a, b)`";
  } else if (!near.empty() && near != word) {
    help = "did you mean `" + near + "`?";
  }
  context_.error("E0201", "unknown type " + code(context_.text(node.span)), node.span,
                 word == "hosts" ? "not here" : "not a type", std::move(help));
  return simple(Kind::poison);
}

}  // namespace cnplay::compile
