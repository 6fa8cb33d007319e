// A plan as JSON: {"version": 1, "expressions": [...], "plan": {...}}. Fields that have their
// default are left out. Expressions share their parts, so they stand in one table, operands
// before their operators, and values name them by number.
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/base64.h"
#include "base/json_text.h"
#include "base/text.h"
#include "plan/fields.h"
#include "plan/names.h"
#include "plan/plan.h"

namespace cnplay::plan {
namespace {

using json = nlohmann::ordered_json;

class JsonWriter {
 public:
  json expressions = json::array();

  json encode(bool b) { return b; }
  json encode(std::int64_t n) { return n; }
  json encode(std::uint32_t n) { return n; }
  json encode(std::uint16_t n) { return n; }
  json encode(Duration d) { return d.count(); }
  json encode(const SecretRef& s) { return s.index; }
  json encode(const std::string& text) {
    if (to_valid_utf8(text) == text) return text;
    return {{"base64", base64_encode(text)}};
  }
  json encode(const Column& c) {
    if (c.uniform()) return {{"all", encode(c.values()[0])}};
    return {{"values", encode(c.values())}, {"index", c.index()}};
  }
  json encode(const FactRef& f) {
    json out{{"node", f.node}, {"action", f.action}, {"name", f.name}};
    if (f.host) out["host"] = *f.host;
    return out;
  }
  json encode(const Value& value) {
    return std::visit([this](const auto& v) { return alternative(v); }, value.data);
  }
  template <class A, class B>
  json encode(const std::pair<A, B>& pair) {
    return json::array({encode(pair.first), encode(pair.second)});
  }
  template <class T>
  json encode(const T& v) {
    if constexpr (IsVector<T>::value) {
      json out = json::array();
      for (const auto& item : v) out.push_back(encode(item));
      return out;
    } else if constexpr (IsOptional<T>::value) {
      return v ? encode(*v) : json();
    } else if constexpr (std::is_enum_v<T>) {
      return name_of(v);
    } else {
      json out = json::object();
      FieldWriter archive{*this, out};
      fields(archive, v);
      return out;
    }
  }

 private:
  struct FieldWriter {
    JsonWriter& writer;
    json& object;

    template <class T>
    void operator()(const char* key, const T& field) const {
      if (!is_default(field)) put(object, key, writer.encode(field));
    }
  };
  // Defined outside of the class so that it is compiled once, not in place of each field.
  static void put(json& object, const char* key, json value);

  template <class T>
  static bool is_default(const T& v) {
    if constexpr (std::is_same_v<T, std::uint32_t>) {
      return v == kNone;
    } else if constexpr (std::is_same_v<T, bool>) {
      return !v;
    } else if constexpr (std::is_same_v<T, Value>) {
      return v.is_none();
    } else if constexpr (std::is_same_v<T, Retry>) {
      return v.times == 0;
    } else if constexpr (IsOptional<T>::value) {
      return !v;
    } else if constexpr (requires { v.empty(); }) {
      return v.empty();
    } else {
      return false;
    }
  }

  json alternative(std::monostate) { return nullptr; }
  json alternative(bool b) { return b; }
  json alternative(std::int64_t n) { return n; }
  json alternative(const std::string& text) { return encode(text); }
  json alternative(Duration d) { return {{"duration_ms", d.count()}}; }
  json alternative(const Time& t) {
    return {{"time_ms", t.at.time_since_epoch().count()}, {"zone", t.zone}};
  }
  json alternative(Size s) { return {{"size", s.bytes}}; }
  json alternative(Percent p) { return {{"percent", p.value}}; }
  json alternative(const List& list) {
    json out = json::array();
    for (const Value& item : list) out.push_back(encode(item));
    return out;
  }
  json alternative(const Record& record) {
    json members = json::array();
    for (const auto& member : record) members.push_back(encode(member));
    return {{"record", std::move(members)}};
  }
  json alternative(const SecretRef& s) { return {{"secret", s.index}}; }
  json alternative(const Deferred& d) { return {{"expression", number_of(*d.expr)}}; }

  std::size_t number_of(const Expr& e) {
    if (const auto known = numbers_.find(&e); known != numbers_.end()) return known->second;
    json out{{"op", name_of(e.op)}};
    if (!e.value.is_none()) out["value"] = encode(e.value);
    if (e.op == Op::fact) out["fact"] = encode(e.fact);
    if (!e.names.empty()) out["names"] = encode(e.names);
    if (!e.operands.empty()) {
      json operands = json::array();
      for (const auto& operand : e.operands) operands.push_back(number_of(*operand));
      out["operands"] = std::move(operands);
    }
    expressions.push_back(std::move(out));
    return numbers_[&e] = expressions.size() - 1;
  }

  std::unordered_map<const Expr*, std::size_t> numbers_;
};

void JsonWriter::put(json& object, const char* key, json value) { object[key] = std::move(value); }

}  // namespace

std::string to_json(const Plan& plan) {
  JsonWriter writer;
  json body = writer.encode(plan);
  json out{{"version", kJsonVersion}};
  out["expressions"] = std::move(writer.expressions);
  out["plan"] = std::move(body);
  return dump_json(out, 1) + "\n";
}

}  // namespace cnplay::plan
