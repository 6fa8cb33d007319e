// Reads a plan from the JSON that json_write.cc describes.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/base64.h"
#include "base/json_text.h"
#include "base/text.h"
#include "plan/fields.h"
#include "plan/names.h"
#include "plan/plan.h"

namespace cnplay::plan {
namespace {

using json = nlohmann::ordered_json;

constexpr int kDeepestValue = 500;
constexpr std::size_t kDeepestExpression = 1000;

// What is wrong with the text; made an Error at the face.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class JsonReader {
 public:
  void read_expressions(const json& table) {
    for (const json& entry : table) {
      Expr e;
      decode(entry.at("op"), e.op);
      if (entry.contains("value")) decode(entry["value"], e.value);
      if (entry.contains("fact")) decode(entry["fact"], e.fact);
      if (entry.contains("names")) decode(entry["names"], e.names);
      if (entry.contains("operands")) {
        for (const json& operand : entry["operands"]) e.operands.push_back(expression(operand));
      }
      // What walks expressions does so by recursion; no compiler of ours nests them like this.
      std::size_t depth = 0;
      for (const json& operand : entry.value("operands", json::array())) {
        depth = std::max(depth, depths_.at(operand.get<std::size_t>()) + 1);
      }
      if (depth > kDeepestExpression) throw Malformed("expressions are nested too deeply");
      depths_.push_back(depth);
      expressions_.push_back(std::make_shared<const Expr>(std::move(e)));
    }
  }

  template <class T>
  requires std::is_integral_v<T>
  void decode(const json& j, T& out) {
    if constexpr (std::is_same_v<T, bool>) {
      out = j.get<bool>();
    } else {
      if (!j.is_number_integer()) throw Malformed("expected an integer, found " + dump_json(j));
      if (j.is_number_unsigned() && j.get<std::uint64_t>() > std::numeric_limits<T>::max()) {
        throw Malformed("a number is too large: " + dump_json(j));
      }
      const auto n = j.get<std::int64_t>();
      if (!std::in_range<T>(n)) throw Malformed("a number is out of range: " + dump_json(j));
      out = static_cast<T>(n);
    }
  }
  void decode(const json& j, Duration& out) { out = Duration{integer(j)}; }
  void decode(const json& j, SecretRef& out) { decode(j, out.index); }
  void decode(const json& j, std::string& out) {
    if (j.is_object()) {
      auto bytes = base64_decode(j.at("base64").get<std::string>());
      if (!bytes) throw Malformed("broken base64");
      out = std::move(*bytes);
    } else {
      out = j.get<std::string>();
    }
  }
  void decode(const json& j, Column& out) {
    if (j.contains("all")) {
      Value v;
      decode(j["all"], v);
      out = Column(std::move(v));
      return;
    }
    std::vector<Value> values;
    std::vector<std::uint32_t> index;
    decode(j.at("values"), values);
    decode(j.at("index"), index);
    if (values.empty() || index.empty()) throw Malformed("an empty column");
    for (const std::uint32_t i : index) {
      if (i >= values.size()) throw Malformed("a column's index is out of range");
    }
    out = Column(std::move(values), std::move(index));
  }
  void decode(const json& j, FactRef& out) {
    decode(j.at("node"), out.node);
    decode(j.at("action"), out.action);
    decode(j.at("name"), out.name);
    if (j.contains("host")) decode(j["host"], out.host.emplace());
  }
  void decode(const json& j, Value& out) {
    if (++depth_ > kDeepestValue) throw Malformed("values are nested too deeply");
    decode_value(j, out);
    --depth_;
  }
  template <class A, class B>
  void decode(const json& j, std::pair<A, B>& out) {
    decode(j.at(0), out.first);
    decode(j.at(1), out.second);
  }
  template <class T>
  void decode(const json& j, T& out) {
    if constexpr (IsVector<T>::value) {
      if (!j.is_array()) throw Malformed("expected a list, found " + std::string(j.type_name()));
      out.resize(j.size());
      for (std::size_t i = 0; i < j.size(); ++i) decode(j[i], out[i]);
    } else if constexpr (IsOptional<T>::value) {
      decode(j, out.emplace());
    } else if constexpr (std::is_enum_v<T>) {
      const auto e = value_of<T>(j.get<std::string>());
      if (!e) throw Malformed("an unknown word: " + dump_json(j));
      out = *e;
    } else {
      if (!j.is_object()) throw Malformed("expected an object");
      FieldReader archive{*this, j};
      fields(archive, out);
    }
  }

 private:
  struct FieldReader {
    JsonReader& reader;
    const json& object;

    template <class T>
    void operator()(const char* key, T& field) const {
      const json* value = member(object, key);
      if (value == nullptr) return;
      try {
        reader.decode(*value, field);
      } catch (const std::exception& e) {
        fail_at(key, e);
      }
    }
  };
  // Defined outside of the class so that they are compiled once, not in place of each field.
  static const json* member(const json& object, const char* key);
  [[noreturn]] static void fail_at(const char* key, const std::exception& e);

  std::int64_t integer(const json& j) {
    std::int64_t n = 0;
    decode(j, n);
    return n;
  }

  std::shared_ptr<const Expr> expression(const json& j) {
    std::uint32_t n = 0;
    decode(j, n);
    if (n >= expressions_.size()) throw Malformed("an expression names one that comes later");
    return expressions_[n];
  }

  void decode_value(const json& j, Value& out) {
    if (j.is_null()) {
      out = Value();
    } else if (j.is_boolean()) {
      out = Value(j.get<bool>());
    } else if (j.is_number_integer()) {
      out = Value(integer(j));
    } else if (j.is_string()) {
      out = Value(j.get<std::string>());
    } else if (j.is_array()) {
      List list;
      decode(j, list);
      out = Value(std::move(list));
    } else if (j.contains("base64")) {
      std::string text;
      decode(j, text);
      out = Value(std::move(text));
    } else if (j.contains("duration_ms")) {
      out = Value(Duration{integer(j["duration_ms"])});
    } else if (j.contains("time_ms")) {
      out = Value(Time{Instant{Duration{integer(j["time_ms"])}}, j.at("zone").get<std::string>()});
    } else if (j.contains("size")) {
      out = Value(Size{integer(j["size"])});
    } else if (j.contains("percent")) {
      out = Value(Percent{integer(j["percent"])});
    } else if (j.contains("record")) {
      Record record;
      decode(j["record"], record);
      out = Value(std::move(record));
    } else if (j.contains("secret")) {
      SecretRef ref;
      decode(j["secret"], ref);
      out = Value(ref);
    } else {
      out = Value(Deferred{expression(j.at("expression"))});
    }
  }

  std::vector<std::shared_ptr<const Expr>> expressions_;
  std::vector<std::size_t> depths_;  // of each expression
  int depth_ = 0;
};

const json* JsonReader::member(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

void JsonReader::fail_at(const char* key, const std::exception& e) {
  throw Malformed(std::string(key) + ": " + e.what());
}

}  // namespace

Result<Plan> from_json(const std::string& text) {
  const auto bad = [](const std::string& why) {
    return fail("this version of cnplay cannot read this plan: " + why,
                "make a new one with `cnplay plan`");
  };
  Plan plan;
  try {
    const json document = parse_ordered_json(text);
    if (!document.is_object() || !document.contains("version")) return bad("it has no version");
    if (document["version"] != kJsonVersion) {
      return bad("it has version " + dump_json(document["version"]) + ", expected " +
                 std::to_string(kJsonVersion));
    }
    JsonReader reader;
    reader.read_expressions(document.at("expressions"));
    reader.decode(document.at("plan"), plan);
  } catch (const std::exception& e) {  // nlohmann's own, and Malformed
    return bad(e.what());
  }
  if (const std::string violation = check_invariants(plan); !violation.empty()) {
    return bad(violation);
  }
  return plan;
}

}  // namespace cnplay::plan
