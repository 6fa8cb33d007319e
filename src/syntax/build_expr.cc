// Expressions and types.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "base/units.h"
#include "syntax/builder.h"

namespace cnplay::syntax {
namespace {

using L = Builder::P;

ExprPtr own(Expr e) { return std::make_unique<Expr>(std::move(e)); }

BinaryOp binary_op(std::size_t type) {
  switch (type) {
    case L::PLUS:
      return BinaryOp::add;
    case L::MINUS:
      return BinaryOp::sub;
    case L::STAR:
      return BinaryOp::mul;
    case L::SLASH:
      return BinaryOp::div;
    case L::MOD:
      return BinaryOp::mod;
    case L::EQ:
      return BinaryOp::eq;
    case L::NE:
      return BinaryOp::ne;
    case L::LT:
      return BinaryOp::lt;
    case L::LE:
      return BinaryOp::le;
    case L::GT:
      return BinaryOp::gt;
    case L::GE:
      return BinaryOp::ge;
    case L::AND:
      return BinaryOp::and_;
    case L::OR:
      return BinaryOp::or_;
    case L::IN:
      return BinaryOp::in;
    case L::AMP:
      return BinaryOp::intersect;
    case L::PIPE:
      return BinaryOp::union_;
    default:
      return BinaryOp::coalesce;
  }
}

Expr binary(Expr left, std::size_t op, Span op_span, Expr right) {
  const Span whole = diag::join(left.span, right.span);
  return {Binary{binary_op(op), op_span, own(std::move(left)), own(std::move(right))}, whole};
}

antlr4::Token* terminal(antlr4::tree::ParseTree* node) {
  return static_cast<antlr4::tree::TerminalNode*>(node)->getSymbol();
}

}  // namespace

Expr Builder::value(P::ValueContext* ctx) {
  if (auto* fields = ctx->record()) return {RecordLit{record(fields)}, span(ctx)};
  return expr(ctx->expr());
}

Expr Builder::expr(P::ExprContext* ctx) {
  if (auto* inner = ctx->disjunction()) return disjunction(inner);
  const auto parts = ctx->expr();
  return {Conditional{own(expr(parts[0])), own(expr(parts[1])), own(expr(parts[2]))}, span(ctx)};
}

Expr Builder::disjunction(P::DisjunctionContext* ctx) {
  const auto parts = ctx->conjunction();
  const auto signs = ctx->OR();
  Expr out = conjunction(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    out = binary(std::move(out), L::OR, span(signs[i - 1]), conjunction(parts[i]));
  }
  return out;
}

Expr Builder::conjunction(P::ConjunctionContext* ctx) {
  const auto parts = ctx->negation();
  const auto signs = ctx->AND();
  Expr out = negation(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    out = binary(std::move(out), L::AND, span(signs[i - 1]), negation(parts[i]));
  }
  return out;
}

Expr Builder::negation(P::NegationContext* ctx) {
  if (auto* inner = ctx->comparison()) return comparison(inner);
  return {Unary{UnaryOp::not_, own(negation(ctx->negation()))}, span(ctx)};
}

Expr Builder::comparison(P::ComparisonContext* ctx) {
  const auto parts = ctx->operand();
  Expr left = operand(parts[0]);
  if (parts.size() == 1) return left;
  auto* sign = terminal(ctx->children[1]);
  return binary(std::move(left), sign->getType(), span(sign), operand(parts[1]));
}

Expr Builder::operand(P::OperandContext* ctx) {
  if (auto* inner = ctx->primary()) return primary(inner);
  const auto parts = ctx->operand();
  if (parts.size() == 2) {
    auto* sign = terminal(ctx->children[1]);
    return binary(operand(parts[0]), sign->getType(), span(sign), operand(parts[1]));
  }
  if (ctx->MINUS() != nullptr) return {Unary{UnaryOp::negate, own(operand(parts[0]))}, span(ctx)};
  if (auto* args = ctx->arguments()) return call(operand(parts[0]), args);
  if (auto* member = ctx->NAME()) return {Member{own(operand(parts[0])), name(member)}, span(ctx)};
  return {Index{own(operand(parts[0])), own(expr(ctx->expr()))}, span(ctx)};
}

Expr Builder::primary(P::PrimaryContext* ctx) {
  const Span whole = span(ctx);
  if (auto* word = ctx->word()) return {NameRef{name(word)}, whole};
  if (auto* text = ctx->string()) return string(text);
  switch (ctx->start->getType()) {
    case L::NUMBER:
    case L::PERCENT:
      return number(ctx->start);
    case L::MEASURE:
    case L::FRACTION:
      return measure(ctx->start);
    case L::TRUE:
    case L::FALSE:
      return {BoolLit{ctx->start->getType() == L::TRUE}, whole};
    case L::NONE:
      return {NoneLit{}, whole};
    case L::LPAREN: {
      Expr inner = value(ctx->value(0));
      inner.span = whole;
      return inner;
    }
    default: {
      ListLit list;
      for (auto* item : ctx->value()) list.items.push_back(value(item));
      return {std::move(list), whole};
    }
  }
}

Expr Builder::number(antlr4::Token* token) {
  const Span place = span(token);
  std::string digits = text(place);
  const bool percent = digits.back() == '%';
  if (percent) digits.pop_back();
  std::int64_t out = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (error != std::errc{}) {
    diags_.error("E0014", "this number is too large", {place, "does not fit in 64 bits"},
                 "the largest int is 9223372036854775807");
    out = 0;
  } else if (digits.size() > 1 && digits[0] == '0') {
    diags_.error("E0015", "a number begins with a zero", {place, "is this octal, or a text?"},
                 "write `" + std::to_string(out) + "`, or \"" + digits +
                     "\" for a text such as a file's mode");
  }
  if (percent) return {PercentLit{out}, place};
  return {IntLit{out}, place};
}

Expr Builder::measure(antlr4::Token* token) {
  const Span place = span(token);
  const std::string written = text(place);
  if (token->getType() == L::FRACTION) {
    const auto dots = std::ranges::count(written, '.');
    diags_.error("E0015", "`" + written + "` is not a number of this language",
                 {place, dots > 1 ? "an address?" : "numbers are whole"},
                 dots > 1 ? "write it as a text: \"" + written + "\""
                          : "use a smaller unit, as in `1500ms` or `1h30m`");
    return {IntLit{0}, place};
  }
  if (const auto duration = parse_duration(written)) {
    return {DurationLit{duration->count()}, place};
  }
  if (const auto size = parse_size(written)) return {SizeLit{size->bytes}, place};

  const auto unit_at = written.find_first_not_of("0123456789");
  const std::string number = written.substr(0, unit_at), unit = written.substr(unit_at);
  // What others write, and what it is here.
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 26> others{{
      {"sec", "s"},  {"secs", "s"},  {"second", "s"}, {"seconds", "s"}, {"S", "s"},
      {"min", "m"},  {"mins", "m"},  {"minute", "m"}, {"minutes", "m"}, {"hr", "h"},
      {"hour", "h"}, {"hours", "h"}, {"H", "h"},      {"day", "d"},     {"days", "d"},
      {"D", "d"},    {"K", "KiB"},   {"k", "KiB"},    {"kb", "KiB"},    {"KB", "KiB"},
      {"M", "MiB"},  {"MB", "MiB"},  {"mb", "MiB"},   {"G", "GiB"},     {"GB", "GiB"},
      {"gb", "GiB"},
  }};
  const auto known = std::ranges::find(others, unit, [](const auto& o) { return o.first; });
  const auto one = written.substr(unit_at, 1);
  const bool right_unit = parse_duration("1" + unit) || parse_size("1" + unit);
  if (right_unit) {
    diags_.error("E0014", "`" + written + "` is too large", {place, "does not fit in 64 bits"});
  } else if (known != others.end()) {
    diags_.error("E0015", "`" + unit + "` is not a unit of this language", {place, "unknown unit"},
                 "write `" + number + std::string(known->second) + "`");
  } else if (unit.find_first_of("0123456789") != std::string::npos) {
    diags_.error("E0015", "`" + written + "` is not a duration", {place, "how long is this?"},
                 "write each unit once, the largest first, as in `1h30m` or `2d12h`");
  } else {
    diags_.error("E0015", "`" + unit + "` is not a unit of this language", {place, "unknown unit"},
                 "durations end in d, h, m, s or ms, sizes in B, KiB, MiB, GiB or TiB; "
                 "a name does not begin with a digit");
  }
  return {IntLit{0}, place};
}

Expr Builder::call(Expr callee, P::ArgumentsContext* ctx) {
  const Span whole = diag::join(callee.span, span(ctx));
  return {Call{own(std::move(callee)), arguments(ctx)}, whole};
}

Expr Builder::dotted_call(std::vector<Name> path, P::ArgumentsContext* ctx) {
  Expr callee{NameRef{path[0]}, path[0].span};
  for (std::size_t i = 1; i < path.size(); ++i) {
    const Span whole = diag::join(callee.span, path[i].span);
    callee = {Member{own(std::move(callee)), path[i]}, whole};
  }
  return call(std::move(callee), ctx);
}

std::vector<Argument> Builder::arguments(P::ArgumentsContext* ctx) {
  std::vector<Argument> out;
  for (auto* each : ctx->argument()) {
    Argument a;
    a.span = span(each);
    if (auto* field = each->FIELD()) a.name = name(field);
    if (each->SPREAD() != nullptr) {
      a.spread = true;
      a.value = own(expr(each->expr()));
    } else {
      a.value = own(value(each->value()));
    }
    out.push_back(std::move(a));
  }
  return out;
}

Argument Builder::field(P::FieldContext* ctx) {
  Argument a;
  a.span = span(ctx);
  if (ctx->SPREAD() != nullptr) {
    a.spread = true;
    a.value = own(expr(ctx->expr()));
  } else {
    a.name = name(ctx->FIELD());
    a.value = own(value(ctx->value()));
  }
  return a;
}

std::vector<Argument> Builder::record(P::RecordContext* ctx) {
  std::vector<Argument> out;
  for (auto* each : ctx->recordItem()) {
    if (each->exception == nullptr) out.push_back(field(each->field()));
  }
  return out;
}

TypeExpr Builder::type(P::TypeContext* ctx) {
  TypeExpr out;
  out.span = span(ctx);
  out.name = name(ctx->typeName());
  for (auto* each : ctx->type()) out.args.push_back(type(each));
  for (auto* each : ctx->typeWord()) out.alternatives.push_back(name(each));
  out.optional = ctx->QUESTION() != nullptr;
  return out;
}

}  // namespace cnplay::syntax
