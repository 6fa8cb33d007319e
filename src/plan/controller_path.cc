#include "plan/controller_path.h"

#include <algorithm>

#include "base/text.h"

namespace cnplay::plan {
namespace {

bool reads_fact(const Expr& expr) {
  if (expr.op == Op::fact) return true;
  if (expr.op == Op::constant && plan::reads_fact(expr.value)) return true;
  return std::any_of(expr.operands.begin(), expr.operands.end(),
                     [](const auto& operand) { return operand && reads_fact(*operand); });
}

std::string constant_text(const Expr& expr) {
  if (expr.op != Op::constant) return "";
  return text_of(expr.value).value_or("");
}

}  // namespace

bool reads_fact(const Value& value) {
  if (const auto* deferred = value.as<Deferred>()) {
    return deferred->expr && reads_fact(*deferred->expr);
  }
  if (const auto* list = value.as<List>()) {
    return std::any_of(list->begin(), list->end(), [](const Value& v) { return reads_fact(v); });
  }
  if (const auto* record = value.as<Record>()) {
    return std::any_of(record->begin(), record->end(),
                       [](const auto& field) { return reads_fact(field.second); });
  }
  return false;
}

bool is_below_a_place(const Value& path) {
  if (!reads_fact(path)) return true;
  const auto* deferred = path.as<Deferred>();
  if (deferred == nullptr || deferred->expr->op != Op::concat) return false;
  bool place = false;
  for (const auto& operand : deferred->expr->operands) {
    if (reads_fact(*operand)) return place;
    place = place || constant_text(*operand).find('/') != std::string::npos;
  }
  return place;
}

bool is_file_name(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

Status check_below_a_place(const Value& path,
                           const std::function<Result<Value>(const Value&)>& resolve) {
  const std::string help =
      "what a host says may be one name in a path of the controller: without `/`, and neither `.` "
      "nor `..`";
  if (!reads_fact(path)) return {};
  if (!is_below_a_place(path)) {
    return fail("a host would choose the path of a file on the controller", help);
  }
  std::string text;
  std::size_t place = 0;  // where what a host said begins to count
  bool said = false;
  for (const auto& operand : path.as<Deferred>()->expr->operands) {
    const auto value = resolve(Value(Deferred{operand}));
    if (!value) return value.error();
    const std::string part = text_of(*value).value_or("");
    if (reads_fact(*operand)) {
      if (!said) place = text.rfind('/') + 1;
      said = true;
      if (!is_file_name(part) && part != "." && part != "..") {
        return fail("the path of a file on the controller would have `" +
                        Untrusted(part).display(80) + "` in it, which came from a host",
                    help);
      }
    }
    text += part;
  }
  for (std::string_view rest = std::string_view(text).substr(place); !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('/'));
    if (name == "." || name == "..") {
      return fail("the path of a file on the controller would be `" + Untrusted(text).display(200) +
                      "`, which came from a host",
                  help);
    }
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
  }
  return {};
}

}  // namespace cnplay::plan
