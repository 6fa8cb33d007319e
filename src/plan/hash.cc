// The canonical encoding that is hashed: every field in the order of fields.h, lengths before
// contents, numbers as 8 bytes little-endian, a variant's index before its value. So no two
// plans have one encoding.
#include <sodium.h>

#include <array>
#include <unordered_map>

#include "plan/fields.h"
#include "plan/plan.h"
#include "plan/succession.h"

namespace cnplay::plan {
namespace {

using Digest = std::array<unsigned char, crypto_hash_sha256_BYTES>;

class Hasher {
 public:
  explicit Hasher(const Plan& plan) : plan_(plan) { crypto_hash_sha256_init(&state_); }

  // As an archive: what is for people alone is left out.
  template <class T>
  void operator()(std::string_view key, const T& field) {
    if (key == "title" || key == "where" || key == "owner" || key == "file" || key == "found_at" ||
        key == "vault_file" || key == "program_hash" || key == "program" || key == "origin" ||
        key == "tags" || key == "testing" || key == "notifications" ||
        // For dry runs.
        key == "touches" || key == "depends_on") {
      return;
    }
    if constexpr (requires { field.empty(); }) {
      // A plan without batches has the hash that versions without batches gave it; likewise,
      // without an `env` or a `path`.
      if (key == "made_from" && field.empty()) return;
      if ((key == "environment" || key == "search_path") && field.empty()) return;
    }
    // Likewise, without a `check { ... }`, the controller among the hosts, and without a `when` at
    // a phase.
    if constexpr (std::is_same_v<T, bool>) {
      if ((key == "alone" || key == "local") && !field) return;
    }
    if constexpr (std::is_same_v<T, Value>) {
      if ((key == "when" || key == "holds" || key == "if_not") && field.is_none()) return;
    }
    add(field);
  }

  void add(const std::string& text) {
    number(text.size());
    bytes(text.data(), text.size());
  }
  void add(Duration d) { number(static_cast<std::uint64_t>(d.count())); }
  void add(const Column& column) {
    add(column.values());
    add(column.index());
  }
  void add(const SecretRef& ref) {
    add(ref.index < plan_.secrets.size() ? plan_.secrets[ref.index].name : std::string("?"));
  }
  // By path, so that a step put in before does not change what an action is.
  void add(const FactRef& fact) {
    add(fact.node < plan_.nodes.size() ? plan_.nodes[fact.node].path : std::string());
    number(fact.action);
    add(fact.name);
    add(fact.host);
  }
  void add(const Deferred& deferred) {
    const Digest digest = digest_of(*deferred.expr);
    bytes(digest.data(), digest.size());
  }
  void add(const Value& value) {
    number(value.data.index());
    std::visit([this](const auto& v) { add_alternative(v); }, value.data);
  }
  template <class T>
  void add(const T& field) {
    if constexpr (IsVector<T>::value) {
      number(field.size());
      for (const auto& item : field) add(item);
    } else if constexpr (IsOptional<T>::value) {
      number(field ? 1 : 0);
      if (field) add(*field);
    } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
      number(static_cast<std::uint64_t>(field));
    } else {
      fields(*this, field);
    }
  }
  template <class A, class B>
  void add(const std::pair<A, B>& pair) {
    add(pair.first);
    add(pair.second);
  }

  std::string hex() {
    flush();
    Digest digest;
    crypto_hash_sha256_final(&state_, digest.data());
    std::array<char, digest.size() * 2 + 1> text;
    sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
    return text.data();
  }

 private:
  void add_alternative(std::monostate) {}
  void add_alternative(const Time& t) {
    number(static_cast<std::uint64_t>(t.at.time_since_epoch().count()));
    add(t.zone);
  }
  void add_alternative(Size s) { number(static_cast<std::uint64_t>(s.bytes)); }
  void add_alternative(Percent p) { number(static_cast<std::uint64_t>(p.value)); }
  template <class T>
  void add_alternative(const T& v) {
    add(v);
  }

  // Expressions share their parts: each part is hashed once, and stands as its digest.
  const Digest& digest_of(const Expr& e) {
    if (const auto known = digests_.find(&e); known != digests_.end()) return known->second;
    Hasher inner(plan_);
    inner.number(static_cast<std::uint64_t>(e.op));
    inner.digests_.swap(digests_);
    if (e.op == Op::fact) inner.add(e.fact);
    inner.add(e.value);
    inner.add(e.names);
    inner.number(e.operands.size());
    for (const auto& operand : e.operands) {
      const Digest& digest = inner.digest_of(*operand);
      inner.bytes(digest.data(), digest.size());
    }
    inner.digests_.swap(digests_);
    inner.flush();
    Digest digest;
    crypto_hash_sha256_final(&inner.state_, digest.data());
    return digests_.emplace(&e, digest).first->second;
  }

  void number(std::uint64_t n) {
    std::array<unsigned char, 8> little;
    for (std::size_t i = 0; i < little.size(); ++i) {
      little[i] = static_cast<unsigned char>(n >> (8 * i));
    }
    bytes(little.data(), little.size());
  }
  // Small pieces are gathered: a call of libsodium for each would cost more than the hash.
  void bytes(const void* data, std::size_t size) {
    buffer_.append(static_cast<const char*>(data), size);
    if (buffer_.size() >= 4096) flush();
  }
  void flush() {
    crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(buffer_.data()),
                              buffer_.size());
    buffer_.clear();
  }

  const Plan& plan_;
  crypto_hash_sha256_state state_;
  std::string buffer_;
  std::unordered_map<const Expr*, Digest> digests_;
};

}  // namespace

std::string hash(const Plan& plan) {
  Hasher hasher(plan);
  hasher.add(std::string("cnplay plan 1"));
  hasher.add(plan);
  return hasher.hex();
}

std::string hash(const Plan& plan, const Action& action, std::size_t host_position) {
  Hasher hasher(plan);
  hasher.add(std::string("cnplay action 1"));
  hasher.add(action.module);
  hasher.add(action.become);
  for (const ScriptId id :
       {action.check, action.apply, action.verify_script, action.preview, action.preflight}) {
    hasher.add(id < plan.scripts.size() ? std::optional(plan.scripts[id].text) : std::nullopt);
  }
  hasher.add(action.verify);
  hasher.add(action.params.size());
  for (const Param& param : action.params) {
    hasher.add(param.name);
    hasher.add(param.value.at(host_position));
  }
  hasher.add(action.when.empty() ? Value() : action.when.at(host_position));
  return hasher.hex();
}

std::string whole_hash(const Plan& plan, const Action& action, std::size_t host_position) {
  Hasher hasher(plan);
  hasher.add(std::string("cnplay whole action 1"));
  hasher.add(hash(plan, action, host_position));
  hasher.add(action.returns);
  hasher.add(action.sends);
  hasher.add(action.sends_tree);
  hasher.add(action.fetches);
  hasher.add(action.fetches_to);
  hasher.add(action.reboots);
  if (action.alone) hasher.add(std::string("alone"));
  hasher.add(action.notify.size());
  for (const NodeId handler : action.notify) {
    hasher.add(handler < plan.nodes.size() ? plan.nodes[handler].path : std::string());
  }
  return hasher.hex();
}

std::string environment_hash(const Plan& plan, const Node& node, std::size_t host_position) {
  if (node.environment.empty() && node.search_path.empty()) return {};
  Hasher hasher(plan);
  bool any = false;
  for (const EnvironmentVariable& variable : node.environment) {
    const Value& value = variable.value.at(host_position);
    if (value.is_none()) continue;
    any = true;
    hasher.add(variable.name);
    hasher.add(value);
  }
  if (!node.search_path.empty()) {
    const Value& folders = node.search_path.at(host_position);
    const List* list = folders.as<List>();
    any = any || (list != nullptr && !list->empty());
    hasher.add(folders);
  }
  return any ? hasher.hex() : std::string();
}

std::string hash(const Plan& plan, const Node& node, std::size_t host_position) {
  Hasher hasher(plan);
  hasher.add(std::string("cnplay step 1"));
  hasher.add(node.kind);
  hasher.add(node.once);
  for (const HostIndex h : node.made_from) hasher.add(plan.hosts.at(h).name);
  hasher.add(node.left_out);
  hasher.add(node.when.empty() ? Value() : node.when.at(node.hosts.empty() ? 0 : host_position));
  for (std::uint32_t p = node.phase; p != kNone; p = plan.phases[p].parent) {
    if (!plan.phases[p].when.is_none()) hasher.add(plan.phases[p].when);
  }
  for (const auto* actions : {&node.actions, &node.undo}) {
    hasher.add(actions->size());
    for (const Action& action : *actions) hasher.add(whole_hash(plan, action, host_position));
  }
  hasher.add(node.until);
  hasher.add(node.human);
  if (!node.holds.is_none()) hasher.add(node.holds);
  if (const std::string environment = environment_hash(plan, node, host_position);
      !environment.empty()) {
    hasher.add(environment);
  }
  return hasher.hex();
}

}  // namespace cnplay::plan
