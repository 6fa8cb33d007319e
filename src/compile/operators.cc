// Expressions: operators, conditionals and functions.
#include <algorithm>

#include "compile/evaluator.h"

namespace cnplay::compile {

using plan::Op;
using syntax::BinaryOp;

namespace {

Op op_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::add:
      return Op::add;
    case BinaryOp::sub:
      return Op::sub;
    case BinaryOp::mul:
      return Op::mul;
    case BinaryOp::div:
      return Op::div;
    case BinaryOp::mod:
      return Op::mod;
    case BinaryOp::eq:
      return Op::eq;
    case BinaryOp::ne:
      return Op::ne;
    case BinaryOp::lt:
      return Op::lt;
    case BinaryOp::le:
      return Op::le;
    case BinaryOp::gt:
      return Op::gt;
    case BinaryOp::ge:
      return Op::ge;
    case BinaryOp::and_:
      return Op::and_;
    case BinaryOp::or_:
      return Op::or_;
    case BinaryOp::in:
      return Op::in;
    default:
      return Op::coalesce;
  }
}

std::string_view sign_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::add:
      return "+";
    case BinaryOp::sub:
      return "-";
    case BinaryOp::mul:
      return "*";
    case BinaryOp::div:
      return "/";
    case BinaryOp::mod:
      return "%";
    case BinaryOp::eq:
      return "==";
    case BinaryOp::ne:
      return "!=";
    case BinaryOp::lt:
      return "<";
    case BinaryOp::le:
      return "<=";
    case BinaryOp::gt:
      return ">";
    case BinaryOp::ge:
      return ">=";
    case BinaryOp::and_:
      return "and";
    case BinaryOp::or_:
      return "or";
    case BinaryOp::in:
      return "in";
    case BinaryOp::intersect:
      return "&";
    case BinaryOp::union_:
      return "|";
    case BinaryOp::coalesce:
      return "??";
  }
  return "";
}

bool is_literal_text(const syntax::Expr& expr) {
  return std::holds_alternative<syntax::StringLit>(expr.node);
}

bool is_set(const Evaluated& value) {
  return is(value.type, Kind::hosts) || is(value.type, Kind::host);
}

// The unit of `a op b`, poison if there is none.
Kind arithmetic_kind(BinaryOp op, Kind a, Kind b) {
  const auto number = [](Kind k) {
    return k == Kind::int_ || k == Kind::duration || k == Kind::size || k == Kind::percent;
  };
  switch (op) {
    case BinaryOp::add:
      if (a == b && number(a)) return a;
      if ((a == Kind::time && b == Kind::duration) || (a == Kind::duration && b == Kind::time)) {
        return Kind::time;
      }
      return Kind::poison;
    case BinaryOp::sub:
      if (a == b && number(a)) return a;
      if (a == Kind::time && b == Kind::time) return Kind::duration;
      if (a == Kind::time && b == Kind::duration) return Kind::time;
      return Kind::poison;
    case BinaryOp::mul:
      if (number(a) && b == Kind::int_) return a;
      if (a == Kind::int_ && number(b)) return b;
      return Kind::poison;
    case BinaryOp::div:
      if (number(a) && b == Kind::int_) return a;
      if (a == b && number(a)) return Kind::int_;
      return Kind::poison;
    default:
      return a == b && number(a) ? a : Kind::poison;
  }
}

}  // namespace

Evaluated Evaluator::unary(const syntax::Unary& node, Span span) {
  const bool negate = node.op == syntax::UnaryOp::negate;
  const Evaluated value = check(*node.operand, negate ? nullptr : simple(Kind::bool_));
  if (value.poison()) return poison();
  const Kind kind = bare(value.type)->kind;
  if (negate && (is(value.type, Kind::optional) ||
                 (kind != Kind::int_ && kind != Kind::duration && kind != Kind::percent))) {
    context_.error("E0204", "`-` does not go with " + with_article(value.type), node.operand->span,
                   with_article(value.type), "it takes an int, a duration or a percent");
    return poison();
  }
  const Values operands[] = {value.values};
  return result(value.type, apply(negate ? Op::negate : Op::not_, operands, {}, span),
                value.depends, span);
}

Evaluated Evaluator::binary(const syntax::Binary& node, Span span) {
  const bool compares = node.op == BinaryOp::eq || node.op == BinaryOp::ne ||
                        node.op == BinaryOp::lt || node.op == BinaryOp::le ||
                        node.op == BinaryOp::gt || node.op == BinaryOp::ge;
  if (node.op == BinaryOp::and_ || node.op == BinaryOp::or_) {
    const Evaluated left = check(*node.left, simple(Kind::bool_));
    const Evaluated right = check(*node.right, simple(Kind::bool_));
    if (left.poison() || right.poison()) return poison();
    Dependence depends = left.depends;
    depends.add(right.depends);
    const Values operands[] = {left.values, right.values};
    return result(simple(Kind::bool_), apply(op_of(node.op), operands, {}, span), depends, span);
  }
  // A string literal takes the type of the other side.
  Evaluated left;
  Evaluated right;
  if (compares && is_literal_text(*node.left) && !is_literal_text(*node.right)) {
    right = check(*node.right);
    left = check(*node.left, right.poison() ? nullptr : without_optional(right.type));
  } else if (node.op == BinaryOp::in) {
    right = check(*node.right);
    const TypePtr container = bare(right.type);
    const TypePtr item = is(container, Kind::list) ? without_optional(container->of) : nullptr;
    left = check(*node.left, item && is_literal_text(*node.left) ? item : nullptr);
  } else {
    left = check(*node.left);
    const bool takes =
        (compares || node.op == BinaryOp::coalesce) && !left.poison() && !is(left.type, Kind::none);
    right =
        check(*node.right, takes && (is_literal_text(*node.right) || node.op == BinaryOp::coalesce)
                               ? (node.op == BinaryOp::coalesce &&
                                          std::holds_alternative<syntax::NoneLit>(node.right->node)
                                      ? nullptr
                                      : without_optional(left.type))
                               : nullptr);
  }
  if (left.poison() || right.poison()) return poison();
  if (is_set(left) || is_set(right)) return host_sets(node, left, right, span);
  Dependence depends = left.depends;
  depends.add(right.depends);
  const Values operands[] = {flatten(left), flatten(right)};
  const bool secret = holds_secret(left.type) || holds_secret(right.type);
  const auto tainted = [&](TypePtr type) { return secret ? secret_of(std::move(type)) : type; };

  if (node.op == BinaryOp::coalesce) {
    if (!is(left.type, Kind::optional) && !is(left.type, Kind::none) && !left.depends.fact) {
      context_.error("E0204", "`??` after a value that is never none", node.left->span,
                     with_article(left.type), "leave out `?? ...`");
      return poison();
    }
    const TypePtr type =
        is(left.type, Kind::none) ? right.type : unify(without_optional(left.type), right.type);
    if (!type) return poison();
    return result(type, apply(Op::coalesce, operands, {}, span), depends, span);
  }
  if (node.op == BinaryOp::in) {
    const TypePtr container = bare(right.type);
    const bool list = is(container, Kind::list) && unify(bare(left.type), bare(container->of));
    const bool map = is(container, Kind::map) && is(bare(left.type), Kind::string);
    if (!list && !map) {
      context_.error(
          "E0204",
          "`in` does not go with " + with_article(left.type) + " and " + with_article(right.type),
          node.op_span.known() ? node.op_span : span, "needs a list of such values",
          is(container, Kind::string) ? "for texts there are starts_with() and ends_with()"
                                      : "write a list on its right: `x in [\"a\", \"b\"]`");
      return poison();
    }
    return result(tainted(simple(Kind::bool_)), apply(Op::in, operands, {}, span), depends, span);
  }
  if (compares) {
    const bool equality = node.op == BinaryOp::eq || node.op == BinaryOp::ne;
    const TypePtr a = bare(left.type);
    const TypePtr b = bare(right.type);
    const bool none = is(left.type, Kind::none) || is(right.type, Kind::none);
    const bool optional = is(left.type, Kind::optional) || is(right.type, Kind::optional);
    if (!none && !unify(a, b)) {
      context_.error_with(
          "E0204", with_article(left.type) + " cannot be compared with " + with_article(right.type),
          node.right->span, with_article(right.type), node.left->span, with_article(left.type),
          "both sides of `" + std::string(sign_of(node.op)) + "` have one type");
      return poison();
    }
    if (!equality && (none || optional || !is_ordered(a))) {
      context_.error(
          "E0204", with_article(none || optional ? left.type : a) + " has no order",
          node.left->span, "cannot be compared with `" + std::string(sign_of(node.op)) + "`",
          optional ? "give a value for when it is none: `x ?? ...`" : "compare it with `==`");
      return poison();
    }
    return result(tainted(simple(Kind::bool_)), apply(op_of(node.op), operands, {}, span), depends,
                  span);
  }
  return arithmetic(node, left, right, span);
}

Evaluated Evaluator::arithmetic(const syntax::Binary& node, const Evaluated& left,
                                const Evaluated& right, Span span) {
  const bool optional = is(left.type, Kind::optional) || is(right.type, Kind::optional);
  const Kind a = bare(left.type)->kind;
  const Kind b = bare(right.type)->kind;
  Kind kind = optional ? Kind::poison : arithmetic_kind(node.op, a, b);
  if (kind == Kind::poison) {
    const std::string sign = "`" + std::string(sign_of(node.op)) + "`";
    std::string help;
    if (node.op == BinaryOp::add && (a == Kind::string || a == Kind::path)) {
      help = "put texts together in one string: `\"${" + context_.text(node.left->span) + "}${" +
             context_.text(node.right->span) + "}\"`";
      if (is_literal_text(*node.right) || is_literal_text(*node.left)) {
        help = "put texts together in one string: `\"${a}${b}\"`";
      }
    } else if (a == Kind::time && b == Kind::int_) {
      help = "add a duration: `10m`";
    } else if (optional) {
      help = "give a value for when it is none: `x ?? ...`";
    }
    context_.error_with(
        "E0204",
        sign + " does not go with " + with_article(left.type) + " and " + with_article(right.type),
        node.op_span.known() ? node.op_span : span, "no meaning for these two", {}, "",
        std::move(help));
    return poison();
  }
  Dependence depends = left.depends;
  depends.add(right.depends);
  const Values operands[] = {left.values, right.values};
  TypePtr type = simple(kind);
  if (holds_secret(left.type) || holds_secret(right.type)) type = secret_of(type);
  return result(std::move(type), apply(op_of(node.op), operands, {}, span), depends, span);
}

bool Evaluator::holds_local(const Evaluated& set) const {
  return context_.local && std::ranges::binary_search(set.whole, *context_.local);
}

Evaluated Evaluator::host_sets(const syntax::Binary& node, const Evaluated& left,
                               const Evaluated& right, Span span) {
  const bool sets = is_set(left) && is_set(right);
  Evaluated out;
  out.type = simple(Kind::hosts);
  out.depends.in_batch = left.depends.in_batch || right.depends.in_batch;
  const bool joins =
      node.op == BinaryOp::intersect || node.op == BinaryOp::union_ || node.op == BinaryOp::sub;
  if (sets && joins && (holds_local(left) || holds_local(right))) {
    context_.error("E0127", "`local` stands alone: it is in no set with other hosts",
                   node.op_span.known() ? node.op_span : span, "joined here",
                   "the controller is not in the inventory: give it a step of its own, "
                   "`step NAME on local { ... }`");
    return poison();
  }
  const auto each = [&](auto combine) {
    combine(left.hosts, right.hosts, std::back_inserter(out.hosts));
    combine(left.whole, right.whole, std::back_inserter(out.whole));
  };
  const auto about_batch = [&](bool value) {
    Evaluated truth = known(simple(Kind::bool_), plan::Value(value));
    truth.depends = left.depends;
    truth.depends.add(right.depends);
    return truth;
  };
  if (sets && node.op == BinaryOp::intersect) {
    each(std::ranges::set_intersection);
    out.of_batch = left.of_batch || right.of_batch;
  } else if (sets && node.op == BinaryOp::union_) {
    each(std::ranges::set_union);
    out.of_batch = left.of_batch && right.of_batch;
  } else if (sets && node.op == BinaryOp::sub) {
    each(std::ranges::set_difference);
    out.of_batch = left.of_batch;
  } else if (sets && (node.op == BinaryOp::eq || node.op == BinaryOp::ne)) {
    const bool hosts = is(left.type, Kind::host) && is(right.type, Kind::host);
    const bool same = hosts ? left.host() == right.host() : left.whole == right.whole;
    return about_batch(same == (node.op == BinaryOp::eq));
  } else if (sets && node.op == BinaryOp::in) {
    // What is not there under `--limit` is in no set that is limited.
    const bool there = !left.hosts.empty();
    return about_batch(there ? std::ranges::includes(right.hosts, left.hosts)
                             : std::ranges::includes(right.whole, left.whole));
  } else {
    context_.error("E0204",
                   "`" + std::string(sign_of(node.op)) + "` does not go with " +
                       with_article(left.type) + " and " + with_article(right.type),
                   node.op_span.known() ? node.op_span : span, "no meaning for these two",
                   "sets of hosts are joined by `|` (or), `&` (and) and `-` (without)");
    return poison();
  }
  return out;
}

Evaluated Evaluator::conditional(const syntax::Conditional& node, const TypePtr& expected,
                                 Span span) {
  const Evaluated condition = check(*node.condition, simple(Kind::bool_));
  const Evaluated then = check(*node.then, expected);
  const Evaluated otherwise = check(*node.otherwise, expected);
  if (condition.poison() || then.poison() || otherwise.poison()) return poison();
  if (is_set(then) || is_set(otherwise)) {
    const auto truth = constant(condition, node.condition->span, {"which hosts are meant", ""});
    if (!truth) return poison();
    Evaluated chosen = *truth->as<bool>() ? then : otherwise;
    chosen.depends.add(condition.depends);
    return chosen;
  }
  const TypePtr type = unify(then.type, otherwise.type);
  if (!type) {
    context_.error_with(
        "E0203", "expected " + with_article(then.type) + ", found " + with_article(otherwise.type),
        node.otherwise->span, with_article(otherwise.type), node.then->span,
        with_article(then.type), "both branches must have the same type");
    return poison();
  }
  Dependence depends = condition.depends;
  depends.add(then.depends);
  depends.add(otherwise.depends);
  const Values operands[] = {condition.values, flatten(then), flatten(otherwise)};
  return result(type, apply(Op::conditional, operands, {}, span), depends, span);
}

// ---- functions

namespace {

struct FunctionSignature {
  std::string_view name;
  std::vector<TypePtr> parameters;  // nullptr: a list or a string
  TypePtr result;
};

const std::vector<FunctionSignature>& function_signatures() {
  const auto s = simple(Kind::string);
  static const std::vector<FunctionSignature> all = {
      {"len", {nullptr}, simple(Kind::int_)},
      {"join", {list_of(simple(Kind::poison)), s}, s},
      {"lower", {s}, s},
      {"upper", {s}, s},
      {"replace", {s, s, s}, s},
      {"split", {s, s}, list_of(s)},
      {"basename", {simple(Kind::path)}, s},
      {"dirname", {simple(Kind::path)}, simple(Kind::path)},
      {"starts_with", {s, s}, simple(Kind::bool_)},
      {"ends_with", {s, s}, simple(Kind::bool_)},
      {"format_time", {simple(Kind::time), s}, s},
  };
  return all;
}

std::string dotted(const syntax::Expr& callee) {
  if (const auto* ref = std::get_if<syntax::NameRef>(&callee.node)) return ref->name.text;
  if (const auto* m = std::get_if<syntax::Member>(&callee.node)) {
    const std::string object = dotted(*m->object);
    return object.empty() ? "" : object + "." + m->name.text;
  }
  return "";
}

}  // namespace

Evaluated Evaluator::call(const syntax::Call& node, Span span) {
  const std::string function = dotted(*node.callee);
  const auto check_arguments = [&] {
    for (const auto& argument : node.args) {
      if (argument.value) check(*argument.value);
    }
  };
  if (function == "group" || function == "host") return hosts_call(function, node, span);
  std::vector<std::string> names = {"group", "host"};
  for (const auto& signature : function_signatures()) {
    if (signature.name == function) return builtin(function, node, span);
    names.emplace_back(signature.name);
  }
  check_arguments();
  if (function == "env" || function == "command" || function == "ask" || function == "vault" ||
      function == "generate") {
    context_.error("E0303", code(function) + " is a source of a secret", node.callee->span,
                   "is allowed after `secret NAME =` only",
                   "declare it at the head of the play: `secret x = " + context_.text(span) + "`");
  } else if (function == "rehearsed") {
    context_.error("E0212", "`rehearsed` is not a value", node.callee->span,
                   "is allowed after `require` only",
                   "write `require rehearsed(on: \"staging\", within: 7d)`");
  } else if (context_.input.catalog->find(function)) {
    context_.error("E0212", "an action is not a value", node.callee->span, "a module's action",
                   "name its facts in a step: `let x = " + function + "(...)`, then `x.FACT`");
  } else {
    const std::string near = diag::did_you_mean(function, names);
    context_.error(
        "E0102", "unknown function " + code(function), node.callee->span,
        "there is no such function",
        near.empty() ? "functions are " + enumerate(names) : "did you mean " + code(near) + "?");
  }
  return poison();
}

Evaluated Evaluator::hosts_call(const std::string& function, const syntax::Call& node, Span span) {
  const bool group = function == "group";
  if (node.args.size() != 1 || !node.args[0].value || node.args[0].spread ||
      !node.args[0].name.text.empty()) {
    context_.error("E0211", code(function) + " takes one name", span, "wrong arguments",
                   "write `" + function + "(\"web\")`");
    return poison();
  }
  const syntax::Expr& argument = *node.args[0].value;
  const auto name = constant_text(argument, {"the name of a " + function, ""});
  if (!name) return poison();
  const inventory::Inventory& inventory = *context_.input.inventory;
  Evaluated out;
  out.label = *name;
  if (group) {
    if (const auto at = inventory.find_group(*name)) {
      out.type = simple(Kind::hosts);
      out.hosts = out.whole = inventory.groups()[*at].hosts;
      return out;
    }
  } else if (const auto at = inventory.find_host(*name)) {
    out.type = simple(Kind::host);
    out.hosts = out.whole = {*at};
    return out;
  }
  std::vector<std::string> names;
  if (group) {
    for (const auto& one : inventory.groups()) names.push_back(one.name);
  } else {
    for (const auto& one : inventory.hosts()) {
      if (names.size() < 2000) names.push_back(one.name);
    }
  }
  if (*name == plan::kLocal) {
    context_.error("E0127", "`local` is not a " + function + " of the inventory", argument.span,
                   "the controller", "write `local`, without " + code(function));
    return poison();
  }
  if (!context_.has_inventory()) {
    context_.error("E0128", "no inventory was named: on which hosts?", span,
                   "a " + function + " of an inventory",
                   "add `-i NAME`; `-i staging` means inventories/staging.inv");
    return poison();
  }
  const std::string near = diag::did_you_mean(*name, names);
  std::string help;
  if (!near.empty()) {
    help = "did you mean \"" + near + "\"?";
  } else if (group && inventory.find_host(*name)) {
    help = "it is a host: write `host(\"" + *name + "\")`";
  } else if (!group && inventory.find_group(*name)) {
    help = "it is a group: write `group(\"" + *name + "\")`";
  } else if (group && names.size() < 12) {
    help = "its groups: " + enumerate(names);
  }
  context_.error_with(
      "E0113", "inventory " + code(inventory.name()) + " has no " + function + " " + code(*name),
      argument.span, "not in the inventory", inventory.span(), "the inventory", std::move(help));
  return poison();
}

Evaluated Evaluator::builtin(const std::string& function, const syntax::Call& node, Span span) {
  const FunctionSignature& signature =
      *std::ranges::find(function_signatures(), function, &FunctionSignature::name);
  bool good = node.args.size() == signature.parameters.size();
  for (const auto& argument : node.args) {
    good = good && argument.value && !argument.spread && argument.name.text.empty();
  }
  if (!good) {
    std::string_view shape;
    for (const auto& builtin : plan::builtins()) {
      if (builtin.name == function) shape = builtin.signature;
    }
    context_.error("E0211",
                   code(function) + " takes " + count_of(signature.parameters.size(), "argument"),
                   span, "wrong arguments", "it is `" + function + std::string(shape) + "`");
    return poison();
  }
  std::vector<Values> operands;
  Dependence depends;
  bool secret = false;
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    const syntax::Expr& expr = *node.args[i].value;
    const TypePtr& wanted = signature.parameters[i];
    Evaluated value =
        check(expr, wanted && is(wanted, Kind::path) && is_literal_text(expr) ? wanted : nullptr);
    if (value.poison()) {
      good = false;
      continue;
    }
    const TypePtr inner = is(value.type, Kind::secret) ? value.type->of : value.type;
    const bool fits =
        wanted ? assignable(inner, wanted) : is(inner, Kind::list) || is(inner, Kind::string);
    if (!fits || is(inner, Kind::optional)) {
      if (wanted) {
        mismatch(value, wanted, expr.span, &expr);
      } else {
        context_.error("E0203", "expected a list or a string, found " + with_article(value.type),
                       expr.span, with_article(value.type), "");
      }
      good = false;
      continue;
    }
    secret = secret || holds_secret(value.type);
    depends.add(value.depends);
    operands.push_back(std::move(value.values));
  }
  if (!good) return poison();
  return result(secret ? secret_of(signature.result) : signature.result,
                apply(Op::call, operands, {function}, span), depends, span);
}

}  // namespace cnplay::compile
