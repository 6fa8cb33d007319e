#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "base/base64.h"
#include "base/json_text.h"
#include "events/decoder.h"
#include "events/event.h"
#include "events/fields.h"
#include "events/names.h"

namespace cnplay::events {
namespace {

using json = nlohmann::ordered_json;

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

json encode_bytes(const std::string& bytes) {
  if (to_valid_utf8(bytes) == bytes) return bytes;
  return {{"base64", base64_encode(bytes)}};
}

class Writer {
 public:
  Writer(const plan::Plan& plan, json& object) : plan_(plan), object_(object) {}

  template <class T>
  void operator()(const char* key, const std::optional<T>& v) {
    if (v) object_[key] = encode(*v);
  }
  template <class T>
  void operator()(const char* key, const T& v) {
    object_[key] = encode(v);
  }
  void node(const char* key, NodeId id) { object_[key] = plan_.nodes.at(id).path; }
  void node(const char* key, const std::optional<NodeId>& id) {
    if (id) node(key, *id);
  }
  void node(const char* key, const std::vector<NodeId>& ids) {
    json list = json::array();
    for (const NodeId id : ids) list.push_back(plan_.nodes.at(id).path);
    object_[key] = std::move(list);
  }
  void host(const char* key, HostIndex i) { object_[key] = plan_.hosts.at(i).name; }
  void host(const char* key, const std::optional<HostIndex>& i) {
    if (i) host(key, *i);
  }
  void host(const char* key, const std::vector<HostIndex>& all) {
    json list = json::array();
    for (const HostIndex i : all) list.push_back(plan_.hosts.at(i).name);
    object_[key] = std::move(list);
  }
  void phase(const char* key, std::uint32_t i) { object_[key] = plan_.phases.at(i).path; }

 private:
  json encode(const std::string& text) { return encode_bytes(text); }
  json encode(const Untrusted& u) { return encode_bytes(u.raw()); }
  json encode(Duration d) { return d.count(); }
  json encode(Instant t) { return format_rfc3339(t); }
  json encode(const Time& t) { return {{"at", format_rfc3339(t.at)}, {"zone", t.zone}}; }
  json encode(const std::vector<std::pair<std::string, Untrusted>>& facts) {
    json out = json::array();
    for (const auto& [name, value] : facts) {
      out.push_back({{"name", encode(name)}, {"value", encode(value)}});
    }
    return out;
  }
  template <class T>
  json encode(const T& v) {
    if constexpr (std::is_enum_v<T>) {
      return text_of(v);
    } else if constexpr (std::is_arithmetic_v<T>) {
      return v;
    } else if constexpr (IsVector<T>::value) {
      json out = json::array();
      for (const auto& item : v) out.push_back(encode(item));
      return out;
    } else {
      json out = json::object();
      Writer inner(plan_, out);
      fields(inner, v);
      return out;
    }
  }

  const plan::Plan& plan_;
  json& object_;
};

// What is wrong with a line; made an Error at the face.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace

struct Decoder::Tables {
  std::unordered_map<std::string, std::uint32_t> nodes, hosts, phases;
};

namespace {

class Reader {
 public:
  Reader(const Decoder::Tables& tables, const json& object) : tables_(tables), object_(object) {}

  template <class T>
  void operator()(const char* key, std::optional<T>& v) {
    if (object_.contains(key)) (*this)(key, v.emplace());
  }
  template <class T>
  void operator()(const char* key, T& v) {
    try {
      decode(object_.at(key), v);
    } catch (const std::exception& e) {
      throw Malformed("`" + std::string(key) + "`: " + e.what());
    }
  }
  void node(const char* key, NodeId& id) { id = find(object_.at(key), tables_.nodes, "step"); }
  void node(const char* key, std::optional<NodeId>& id) {
    if (object_.contains(key)) node(key, id.emplace());
  }
  void node(const char* key, std::vector<NodeId>& ids) {
    for (const json& j : object_.at(key)) ids.push_back(find(j, tables_.nodes, "step"));
  }
  void host(const char* key, HostIndex& i) { i = find(object_.at(key), tables_.hosts, "host"); }
  void host(const char* key, std::optional<HostIndex>& i) {
    if (object_.contains(key)) host(key, i.emplace());
  }
  void host(const char* key, std::vector<HostIndex>& all) {
    for (const json& j : object_.at(key)) all.push_back(find(j, tables_.hosts, "host"));
  }
  void phase(const char* key, std::uint32_t& i) {
    i = find(object_.at(key), tables_.phases, "phase");
  }

 private:
  static std::uint32_t find(const json& j,
                            const std::unordered_map<std::string, std::uint32_t>& table,
                            const char* what) {
    const auto found = table.find(j.get<std::string>());
    if (found == table.end()) {
      throw Malformed("the plan has no " + std::string(what) + " " + dump_json(j));
    }
    return found->second;
  }

  void decode(const json& j, std::string& out) {
    if (!j.is_object()) {
      out = j.get<std::string>();
      return;
    }
    auto bytes = base64_decode(j.at("base64").get<std::string>());
    if (!bytes) throw Malformed("broken base64");
    out = std::move(*bytes);
  }
  void decode(const json& j, Untrusted& out) { decode(j, out.raw()); }
  void decode(const json& j, Duration& out) {
    std::int64_t n = 0;
    decode(j, n);
    out = Duration{n};
  }
  void decode(const json& j, Instant& out) {
    const auto t = parse_rfc3339(j.get<std::string>());
    if (!t) throw Malformed("not a point in time: " + dump_json(j));
    out = *t;
  }
  void decode(const json& j, Time& out) {
    decode(j.at("at"), out.at);
    decode(j.at("zone"), out.zone);
  }
  void decode(const json& j, std::vector<std::pair<std::string, Untrusted>>& out) {
    for (const json& fact : j) {
      auto& [name, value] = out.emplace_back();
      decode(fact.at("name"), name);
      decode(fact.at("value"), value);
    }
  }
  template <class T>
  void decode(const json& j, T& out) {
    if constexpr (std::is_enum_v<T>) {
      const auto e = enum_of<T>(j.get<std::string>());
      if (!e) throw Malformed("an unknown word: " + dump_json(j));
      out = *e;
    } else if constexpr (std::is_same_v<T, bool>) {
      out = j.get<bool>();
    } else if constexpr (std::is_integral_v<T>) {
      if (!j.is_number_integer()) throw Malformed("expected an integer, found " + dump_json(j));
      const bool fits = j.is_number_unsigned() ? std::in_range<T>(j.get<std::uint64_t>())
                                               : std::in_range<T>(j.get<std::int64_t>());
      if (!fits) throw Malformed("a number is out of range: " + dump_json(j));
      out = j.get<T>();
    } else if constexpr (IsVector<T>::value) {
      if (!j.is_array()) throw Malformed("expected a list");
      for (const json& item : j) decode(item, out.emplace_back());
    } else {
      Reader inner(tables_, j);
      fields(inner, out);
    }
  }

  const Decoder::Tables& tables_;
  const json& object_;
};

// Reads the alternative whose type has the given name.
template <std::size_t I = 0>
bool read_alternative(const std::string& type, Reader& reader, decltype(Event::what)& out) {
  if constexpr (I == std::variant_size_v<AnyEvent>) {
    return false;
  } else {
    if (type != kTypes[I]) return read_alternative<I + 1>(type, reader, out);
    fields(reader, out.emplace<I>());
    return true;
  }
}

}  // namespace

std::string to_json(const Event& event, const plan::Plan& plan) {
  json object{{"v", 1},
              {"seq", event.seq},
              {"at", format_rfc3339(event.at)},
              {"type", kTypes.at(event.what.index())}};
  Writer writer(plan, object);
  std::visit([&](const auto& e) { fields(writer, e); }, event.what);
  // Texts are valid UTF-8 or base64; names of the plan might still not be.
  return dump_json(object);
}

Decoder::Decoder(const plan::Plan& plan) : tables_(std::make_unique<Tables>()) {
  for (std::uint32_t i = 0; i < plan.nodes.size(); ++i)
    tables_->nodes.emplace(plan.nodes[i].path, i);
  for (std::uint32_t i = 0; i < plan.hosts.size(); ++i)
    tables_->hosts.emplace(plan.hosts[i].name, i);
  for (std::uint32_t i = 0; i < plan.phases.size(); ++i) {
    tables_->phases.emplace(plan.phases[i].path, i);
  }
}
Decoder::~Decoder() = default;

Result<Event> Decoder::decode(const std::string& line) const {
  Event event;
  try {
    const json object = parse_ordered_json(line);
    if (!object.is_object() || !object.contains("v")) return fail("not an event: it has no `v`");
    if (object["v"] != 1) {
      return fail("an event of version " + dump_json(object["v"]) + ", expected 1",
                  "read it with the version of cnplay that wrote it");
    }
    Reader reader(*tables_, object);
    reader("seq", event.seq);
    reader("at", event.at);
    const auto type = object.at("type").get<std::string>();
    if (!read_alternative(type, reader, event.what)) {
      return fail("an event of unknown type `" + type + "`");
    }
  } catch (const std::exception& e) {  // nlohmann's own, and Malformed
    return fail(std::string("not an event: ") + e.what());
  }
  return event;
}

Result<Event> from_json(const std::string& line, const plan::Plan& plan) {
  return Decoder(plan).decode(line);
}

}  // namespace cnplay::events
