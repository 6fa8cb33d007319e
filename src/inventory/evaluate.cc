#include "inventory/evaluate.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/units.h"

namespace cnplay::inventory {
namespace {

using syntax::BinaryOp;
using syntax::Expr;

constexpr std::array<std::string_view, 3> kSecretSources = {"env", "ask", "vault"};

// Visitor helper.
template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

const std::string* callee_name(const syntax::Call& call) {
  const auto* ref = std::get_if<syntax::NameRef>(&call.callee->node);
  return ref ? &ref->name.text : nullptr;
}

bool is_inventory_name(const Expr& expr) {
  const auto* member = std::get_if<syntax::Member>(&expr.node);
  if (!member || member->name.text != "name") return false;
  const auto* ref = std::get_if<syntax::NameRef>(&member->object->node);
  return ref && ref->name.text == "inventory";
}

class Checker {
 public:
  Checker(diag::Diagnostics& diags, Uses& uses) : diags_(diags), uses_(uses) {}

  bool check(const Expr& expr) {
    if (is_inventory_name(expr)) return true;
    return std::visit(
        Overloaded{
            [&](const syntax::StringLit& lit) {
              bool ok = true;
              for (const auto& part : lit.parts) {
                if (part.expr) ok = check(*part.expr) && ok;
              }
              return ok;
            },
            [&](const syntax::ListLit& lit) {
              bool ok = true;
              for (const auto& item : lit.items) ok = check(item) && ok;
              return ok;
            },
            [&](const syntax::RecordLit& lit) {
              bool ok = true;
              for (const auto& field : lit.fields) {
                if (field.spread || field.name.text.empty()) {
                  ok = refuse(field.span, "write the fields out");
                } else if (field.value) {
                  ok = check(*field.value) && ok;
                }
              }
              return ok;
            },
            [&](const syntax::NameRef& ref) { return check_name(ref, expr.span); },
            [&](const syntax::Call& call) { return check_call(call, expr.span); },
            [&](const syntax::Unary& unary) {
              return unary.op == syntax::UnaryOp::negate ? check_number(*unary.operand)
                                                         : refuse(expr.span, "");
            },
            [&](const syntax::Binary& binary) {
              switch (binary.op) {
                case BinaryOp::add:
                case BinaryOp::sub:
                case BinaryOp::mul:
                case BinaryOp::div:
                case BinaryOp::mod: {
                  const bool left = check_number(*binary.left);
                  return check_number(*binary.right) && left;
                }
                default:
                  return refuse(binary.op_span.known() ? binary.op_span : expr.span, "");
              }
            },
            [&](const syntax::Member&) { return refuse(expr.span, ""); },
            [&](const syntax::Index&) { return refuse(expr.span, ""); },
            [&](const syntax::Conditional&) { return refuse(expr.span, ""); },
            [](const auto&) { return true; },
        },
        expr.node);
  }

 private:
  bool refuse(Span span, std::string_view what) {
    diags_.error(
        "E0610", "an inventory holds values, not computations",
        {span, what.empty() ? std::string("not allowed in an inventory") : std::string(what)},
        "write the value itself, or compute it in the play with `let`");
    return false;
  }

  bool check_number(const Expr& expr) {
    const bool literal = std::holds_alternative<syntax::IntLit>(expr.node) ||
                         std::holds_alternative<syntax::Unary>(expr.node) ||
                         std::holds_alternative<syntax::Binary>(expr.node);
    const auto* ref = std::get_if<syntax::NameRef>(&expr.node);
    if (literal || (ref && ref->name.text == "index")) return check(expr);
    return refuse(expr.span, "arithmetic in an inventory takes only ints and `index`");
  }

  bool check_name(const syntax::NameRef& ref, Span span) {
    if (ref.name.text == "index") {
      uses_.index = true;
      return true;
    }
    if (ref.name.text == "host") uses_.host = true;
    if (ref.name.text == "host" || ref.name.text == "inventory") return true;
    diag::Diagnostic d;
    d.code = "E0610";
    d.summary = "unknown name `" + ref.name.text + "` in an inventory";
    d.subject = {span, "only `index`, `host` and `inventory` exist here"};
    const std::string near = diag::did_you_mean(ref.name.text, {"index", "host", "inventory"});
    d.help = !near.empty() ? "did you mean `" + near + "`?"
                           : "if a text is meant, write it in quotes: \"" + ref.name.text + "\"";
    diags_.add(std::move(d));
    return false;
  }

  bool check_call(const syntax::Call& call, Span span) {
    const std::string* name = callee_name(call);
    const auto text_only = [](const Expr& e) {
      return std::holds_alternative<syntax::StringLit>(e.node);
    };
    const bool one = call.args.size() == 1 && call.args[0].name.text.empty() &&
                     !call.args[0].spread && call.args[0].value;
    if (name && std::ranges::find(kSecretSources, *name) != kSecretSources.end()) {
      if (one && text_only(*call.args[0].value)) return check(*call.args[0].value);
      return refuse_source(span, "takes one text: `" + *name + "(\"...\")`");
    }
    if (name && *name == "command") {
      if (one) {
        const auto* list = std::get_if<syntax::ListLit>(&call.args[0].value->node);
        if (list && !list->items.empty() && std::ranges::all_of(list->items, text_only)) {
          return check(*call.args[0].value);
        }
      }
      return refuse_source(span, "takes a list of words: `command([\"pass\", \"show\", \"x\"])`");
    }
    return refuse(span, "no function can be called here");
  }

  bool refuse_source(Span span, std::string what) {
    diags_.error("E0610", "not a source of a secret", {span, std::move(what)},
                 "the sources are `env(\"X\")`, `command([...])`, `ask(\"prompt\")` and "
                 "`vault(\"path\")`");
    return false;
  }

  diag::Diagnostics& diags_;
  Uses& uses_;
};

std::string text_of(const Value& value) {
  return std::visit(Overloaded{
                        [](bool b) { return std::string(b ? "true" : "false"); },
                        [](std::int64_t i) { return std::to_string(i); },
                        [](const std::string& s) { return s; },
                        [](const Value::Duration& d) {
                          return format_duration(cnplay::Duration(d.milliseconds));
                        },
                        [](const Value::Size& s) { return format_size(cnplay::Size{s.bytes}); },
                        [](const Value::Percent& p) { return std::to_string(p.value) + "%"; },
                        [](const Value::List& list) {
                          std::string out;
                          for (const auto& item : list) {
                            if (!out.empty()) out += ", ";
                            out += text_of(item);
                          }
                          return out;
                        },
                        [](const auto&) { return std::string(); },
                    },
                    value.data);
}

// Wraps around on overflow: the operands are a host's number and small literals.
std::int64_t arithmetic(BinaryOp op, std::int64_t a, std::int64_t b) {
  const auto x = static_cast<std::uint64_t>(a);
  const auto y = static_cast<std::uint64_t>(b);
  switch (op) {
    case BinaryOp::add:
      return static_cast<std::int64_t>(x + y);
    case BinaryOp::sub:
      return static_cast<std::int64_t>(x - y);
    case BinaryOp::mul:
      return static_cast<std::int64_t>(x * y);
    case BinaryOp::div:
      return b == 0 || b == -1 ? static_cast<std::int64_t>(0 - (b == 0 ? 0 : x)) : a / b;
    default:
      return b == 0 || b == -1 ? 0 : a % b;
  }
}

}  // namespace

bool check_expression(const Expr& expr, diag::Diagnostics& diags, Uses& uses) {
  return Checker(diags, uses).check(expr);
}

Value evaluate(const Expr& expr, const HostContext& context) {
  Value out;
  out.span = expr.span;
  const auto number = [&](const Expr& e) {
    const Value v = evaluate(e, context);
    const auto* i = std::get_if<std::int64_t>(&v.data);
    return i ? *i : 0;
  };
  std::visit(
      Overloaded{
          [&](const syntax::StringLit& lit) {
            std::string text;
            for (const auto& part : lit.parts) {
              text += part.expr ? text_of(evaluate(*part.expr, context)) : part.text;
            }
            out.data = std::move(text);
          },
          [&](const syntax::IntLit& lit) { out.data = lit.value; },
          [&](const syntax::BoolLit& lit) { out.data = lit.value; },
          [&](const syntax::NoneLit&) {},
          [&](const syntax::DurationLit& lit) { out.data = Value::Duration{lit.milliseconds}; },
          [&](const syntax::SizeLit& lit) { out.data = Value::Size{lit.bytes}; },
          [&](const syntax::PercentLit& lit) { out.data = Value::Percent{lit.value}; },
          [&](const syntax::ListLit& lit) {
            Value::List list;
            for (const auto& item : lit.items) list.push_back(evaluate(item, context));
            out.data = std::move(list);
          },
          [&](const syntax::RecordLit& lit) {
            Value::Record record;
            for (const auto& field : lit.fields) {
              if (field.value) {
                record.push_back({field.name.text, evaluate(*field.value, context)});
              }
            }
            out.data = std::move(record);
          },
          [&](const syntax::NameRef& ref) {
            if (ref.name.text == "index" && context.index) out.data = *context.index;
            if (ref.name.text == "host") out.data = std::string(context.host);
            if (ref.name.text == "inventory") out.data = std::string(context.inventory);
          },
          [&](const syntax::Member&) { out.data = std::string(context.inventory); },
          [&](const syntax::Call& call) {
            Value::Secret secret;
            if (const auto* name = callee_name(call)) secret.kind = *name;
            if (!call.args.empty() && call.args[0].value) {
              const Value argument = evaluate(*call.args[0].value, context);
              if (const auto* list = std::get_if<Value::List>(&argument.data)) {
                for (const auto& word : *list) secret.arguments.push_back(text_of(word));
              } else {
                secret.arguments.push_back(text_of(argument));
              }
            }
            out.data = std::move(secret);
          },
          [&](const syntax::Unary& unary) {
            out.data = arithmetic(BinaryOp::sub, 0, number(*unary.operand));
          },
          [&](const syntax::Binary& binary) {
            out.data = arithmetic(binary.op, number(*binary.left), number(*binary.right));
          },
          [](const auto&) {},
      },
      expr.node);
  return out;
}

std::string_view describe_kind(const Value& value) {
  constexpr std::array<std::string_view, 10> names = {
      "none",   "a bool",    "an int",   "a string", "a duration",
      "a size", "a percent", "a secret", "a list",   "a record"};
  return names[value.data.index()];
}

}  // namespace cnplay::inventory
