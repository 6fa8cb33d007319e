#include "plan/describe.h"

#include <cctype>

#include "base/text.h"
#include "plan/eval.h"
#include "plan/value.h"

namespace cnplay::plan {
namespace {

// How tightly an operator binds; what binds less than its place asks for gets parentheses.
enum Precedence {
  kConditional,
  kCoalesce,
  kOr,
  kAnd,
  kNot,
  kCompare,
  kSum,
  kProduct,
  kUnary,
  kPostfix
};

struct Operator {
  const char* text;
  int precedence;
};

Operator infix(Op op) {
  switch (op) {
    case Op::add:
      return {"+", kSum};
    case Op::sub:
      return {"-", kSum};
    case Op::mul:
      return {"*", kProduct};
    case Op::div:
      return {"/", kProduct};
    case Op::mod:
      return {"%", kProduct};
    case Op::eq:
      return {"==", kCompare};
    case Op::ne:
      return {"!=", kCompare};
    case Op::lt:
      return {"<", kCompare};
    case Op::le:
      return {"<=", kCompare};
    case Op::gt:
      return {">", kCompare};
    case Op::ge:
      return {">=", kCompare};
    case Op::in:
      return {"in", kCompare};
    case Op::and_:
      return {"and", kAnd};
    case Op::or_:
      return {"or", kOr};
    case Op::coalesce:
      return {"??", kCoalesce};
    default:
      return {nullptr, kPostfix};
  }
}

bool reads_as_one_word(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) == 0 && std::string_view("_-./:@%+=~*").find(c) == std::string_view::npos &&
        u < 0x80) {
      return false;
    }
  }
  return true;
}

// What an expression as long as this says is in the play; a listing shows its beginning.
constexpr std::size_t kLongest = 4096;

class Writer {
 public:
  Writer(const Plan& plan, const DescribeOptions& options) : plan_(plan), options_(options) {}

  std::string out;

  void value(const Value& v, bool bare) {
    if (out.size() > kLongest) return;
    if (const auto* text = v.as<std::string>()) {
      out += bare && reads_as_one_word(*text) ? *text : quote_string(*text);
    } else if (v.is_none()) {
      out += "none";
    } else if (const auto* list = v.as<List>()) {
      out += '[';
      for (const Value& item : *list) {
        if (&item != list->data()) out += ", ";
        value(item, bare);
      }
      out += ']';
    } else if (const auto* record = v.as<Record>()) {
      out += '{';
      for (const auto& member : *record) {
        if (&member != record->data()) out += ", ";
        out += member.first + ": ";
        value(member.second, bare);
      }
      out += '}';
    } else if (const auto* secret = v.as<SecretRef>()) {
      write_secret(*secret);
    } else if (const auto* deferred = v.as<Deferred>()) {
      expr(*deferred->expr, kConditional);
    } else {
      out += *text_of(v);
    }
  }

 private:
  void write_secret(const SecretRef& ref) {
    out += "<secret ";
    out += ref.index < plan_.secrets.size() ? plan_.secrets[ref.index].name : "?";
    out += '>';
  }

  // "origin/${branch}": texts as they are, the rest in ${}.
  void concat(const Expr& e) {
    out += '"';
    for (const auto& operand : e.operands) {
      const std::string* text =
          operand->op == Op::constant ? operand->value.as<std::string>() : nullptr;
      if (text != nullptr) {
        const std::string quoted = quote_string(*text);
        out.append(quoted, 1, quoted.size() - 2);
      } else {
        out += "${";
        expr(*operand, kConditional);
        out += '}';
      }
    }
    out += '"';
  }

  void items(const Expr& e, char open, char close) {
    out += open;
    for (std::size_t i = 0; i < e.operands.size(); ++i) {
      if (i != 0) out += ", ";
      if (e.op == Op::record && i < e.names.size()) out += e.names[i] + ": ";
      expr(*e.operands[i], kConditional);
    }
    out += close;
  }

  void expr(const Expr& e, int place) {
    if (out.size() > kLongest) return;
    switch (e.op) {
      case Op::constant:
      case Op::secret:
        value(e.value, false);
        return;
      case Op::now:
        out += "now";
        return;
      case Op::fact:
        out += describe(e.fact, plan_, options_.saved_of);
        return;
      case Op::concat:
        concat(e);
        return;
      case Op::list:
        items(e, '[', ']');
        return;
      case Op::record:
        items(e, '{', '}');
        return;
      case Op::call:
        out += e.names.at(0);
        items(e, '(', ')');
        return;
      case Op::member:
        expr(*e.operands.at(0), kPostfix);
        out += "." + e.names.at(0);
        return;
      case Op::index:
        expr(*e.operands.at(0), kPostfix);
        out += '[';
        expr(*e.operands.at(1), kConditional);
        out += ']';
        return;
      case Op::negate:
      case Op::not_: {
        const int own = e.op == Op::not_ ? kNot : kUnary;
        if (own < place) out += '(';
        out += e.op == Op::not_ ? "not " : "-";
        expr(*e.operands.at(0), own);
        if (own < place) out += ')';
        return;
      }
      case Op::conditional:
        if (place > kConditional) out += '(';
        out += "if ";
        expr(*e.operands.at(0), kCoalesce);
        out += " then ";
        expr(*e.operands.at(1), kCoalesce);
        out += " else ";
        expr(*e.operands.at(2), kConditional);
        if (place > kConditional) out += ')';
        return;
      default:
        break;
    }
    const Operator op = infix(e.op);
    const bool parentheses = op.precedence < place;
    if (parentheses) out += '(';
    expr(*e.operands.at(0), op.precedence);
    out += std::string(" ") + op.text + " ";
    expr(*e.operands.at(1), op.precedence + 1);
    if (parentheses) out += ')';
  }

  const Plan& plan_;
  const DescribeOptions& options_;
};

}  // namespace

std::string quote_string(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  const std::string valid = to_valid_utf8(text);
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const char c = valid[i];
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '$' && i + 1 < valid.size() && valid[i + 1] == '{') {
      out += "\\$";
    } else if (u < 0x20 || u == 0x7F) {
      out += std::string("\\u{") + kHex[u >> 4] + kHex[u & 15] + "}";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string describe(const FactRef& fact, const Plan& plan, NodeId saved_of) {
  std::string out;
  const Node* node = fact.node < plan.nodes.size() ? &plan.nodes[fact.node] : nullptr;
  if (fact.node == saved_of) {
    out = "saved";
  } else if (node != nullptr) {
    const std::size_t slash = node->path.rfind('/');
    out = slash == std::string::npos ? node->path : node->path.substr(slash + 1);
  } else {
    out = "?";
  }
  if (node != nullptr && fact.action < node->actions.size() &&
      !node->actions[fact.action].name.empty()) {
    out += "." + node->actions[fact.action].name;
  }
  if (node != nullptr && node->human && node->human->kind == HumanKind::ask) return out;
  if (node != nullptr && is_check(*node)) return out;
  if (fact.host)
    out += "[" + (*fact.host < plan.hosts.size() ? plan.hosts[*fact.host].name : "?") + "]";
  return out + "." + fact.name;
}

std::string describe(const Value& value, const Plan& plan, const DescribeOptions& options) {
  Writer writer(plan, options);
  const Value* shown = &value;
  Value known;
  if (options.now && value.is_deferred() && !reads_fact(value, [](const auto&) { return true; })) {
    Environment environment;
    environment.now = options.now;
    if (auto resolved = resolve(value, 0, environment)) {
      known = std::move(*resolved);
      shown = &known;
    }
  }
  writer.value(*shown, options.bare);
  if (writer.out.size() > kLongest) {
    return to_valid_utf8(std::string_view(writer.out).substr(0, kLongest)) + "...";
  }
  return writer.out;
}

std::string describe(const Value& value, const Plan& plan) { return describe(value, plan, {}); }

}  // namespace cnplay::plan
