#include "plan/value.h"

#include <algorithm>
#include <set>

#include "plan/plan.h"

namespace cnplay::plan {

Value::Value() = default;
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;
bool operator==(const Value& a, const Value& b) { return a.data == b.data; }
namespace {

// Expressions share their operands, so that a tree walk could take exponential time: each pair
// of nodes is compared once.
class ExprComparison {
 public:
  bool equal(const Expr& a, const Expr& b) {
    if (&a == &b || !compared_.emplace(&a, &b).second) return true;
    if (a.op != b.op || a.names != b.names || a.fact != b.fact || a.value != b.value ||
        a.operands.size() != b.operands.size()) {
      return false;
    }
    for (std::size_t i = 0; i < a.operands.size(); ++i) {
      if (!equal(*a.operands[i], *b.operands[i])) return false;
    }
    return true;
  }

 private:
  std::set<std::pair<const Expr*, const Expr*>> compared_;
};

std::string format_percent(Percent p) { return std::to_string(p.value) + "%"; }

}  // namespace

bool operator==(const Expr& a, const Expr& b) { return ExprComparison{}.equal(a, b); }

bool operator==(const Deferred& a, const Deferred& b) {
  if (a.expr == b.expr) return true;
  return a.expr && b.expr && *a.expr == *b.expr;
}

bool Value::needs_run_time() const {
  if (const auto* list = as<List>()) {
    return std::any_of(list->begin(), list->end(),
                       [](const Value& v) { return v.needs_run_time(); });
  }
  if (const auto* record = as<Record>()) {
    return std::any_of(record->begin(), record->end(),
                       [](const auto& member) { return member.second.needs_run_time(); });
  }
  return is_deferred() || as<SecretRef>() != nullptr;
}

std::optional<std::string> text_of(const Value& value) {
  struct Visitor {
    std::optional<std::string> operator()(std::monostate) const { return ""; }
    std::optional<std::string> operator()(bool b) const { return b ? "true" : "false"; }
    std::optional<std::string> operator()(std::int64_t n) const { return std::to_string(n); }
    std::optional<std::string> operator()(const std::string& s) const { return s; }
    std::optional<std::string> operator()(Duration d) const { return format_duration(d); }
    std::optional<std::string> operator()(const Time& t) const { return format_time(t); }
    std::optional<std::string> operator()(Size s) const { return format_size(s); }
    std::optional<std::string> operator()(Percent p) const { return format_percent(p); }
    std::optional<std::string> operator()(const List& list) const {
      std::string out;
      for (const Value& item : list) {
        const auto text = text_of(item);
        if (!text) return std::nullopt;
        if (&item != list.data()) out += ", ";
        out += *text;
      }
      return out;
    }
    std::optional<std::string> operator()(const Record& record) const {
      std::string out;
      for (const auto& [name, member] : record) {
        const auto text = text_of(member);
        if (!text) return std::nullopt;
        if (!out.empty()) out += ", ";
        out += name + ": " + *text;
      }
      return out;
    }
    std::optional<std::string> operator()(const SecretRef&) const { return std::nullopt; }
    std::optional<std::string> operator()(const Deferred&) const { return std::nullopt; }
  };
  return std::visit(Visitor{}, value.data);
}

}  // namespace cnplay::plan
