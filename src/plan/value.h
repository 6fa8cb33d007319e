// Values of the language once types are checked, and the expressions that only the run can
// evaluate. Plain data, comparable, serialisable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace cnplay::plan {

using HostIndex = std::uint32_t;  // into Plan::hosts
using NodeId = std::uint32_t;     // into Plan::nodes

struct Value;
struct Expr;
using List = std::vector<Value>;
using Record = std::vector<std::pair<std::string, Value>>;  // in order of declaration

// A secret by its place in Plan::secrets. A plan never holds a secret's value.
struct SecretRef {
  std::uint32_t index = 0;
  friend bool operator==(const SecretRef&, const SecretRef&) = default;
};

// An expression whose value is known only at run time, because it reads a fact, a secret or
// `now`. Shared and immutable.
struct Deferred {
  std::shared_ptr<const Expr> expr;
  friend bool operator==(const Deferred& a, const Deferred& b);
};

// Paths and enum alternatives are strings here: their types have done their work.
struct Value {
  using Data = std::variant<std::monostate, bool, std::int64_t, std::string, Duration, Time, Size,
                            Percent, List, Record, SecretRef, Deferred>;
  Data data;

  // Compiled once, not in each file that has values.
  Value();
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();
  template <class T>
  requires(!std::is_same_v<std::remove_cvref_t<T>, Value> &&
           std::is_constructible_v<Data, T>) explicit Value(T&& value)  // NOLINT: no copy
      : data(std::forward<T>(value)) {}

  bool is_none() const { return std::holds_alternative<std::monostate>(data); }
  bool is_deferred() const { return std::holds_alternative<Deferred>(data); }
  // Deferred, a secret, or a list or record that holds one.
  bool needs_run_time() const;
  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
  friend bool operator==(const Value&, const Value&);
};

// The type that a fact's text is read as: a small, closed part of the language's types.
enum class FactType { string, int_, bool_, path, duration, size, time, list_of_string };

// A fact of an action of an earlier node (or, in an undo, of the step that is undone).
struct FactRef {
  NodeId node = 0;
  std::uint32_t action = 0;  // index in Node::actions
  std::string name;
  // The host whose value is meant: the evaluating host's own, or the one named.
  std::optional<HostIndex> host;
  friend bool operator==(const FactRef&, const FactRef&) = default;
};

enum class Op {
  constant,  // value
  now,       // the run's `now`
  fact,      // fact
  secret,    // value is a SecretRef
  concat,    // of strings: text of each operand (see text_of) put together
  list,      // of operands
  record,    // of operands, names in `names`
  member,    // operand 0, names[0]
  index,     // operand 0 [operand 1]
  negate,
  not_,
  add,
  sub,
  mul,
  div,
  mod,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  and_,
  or_,
  in,
  coalesce,
  conditional,  // if operand 0 then operand 1 else operand 2; lazy
  call,         // a pure builtin, names[0], see builtins in eval.h
};

struct Expr {
  Op op = Op::constant;
  Value value;
  FactRef fact;
  std::vector<std::string> names;
  std::vector<std::shared_ptr<const Expr>> operands;
  friend bool operator==(const Expr& a, const Expr& b);
};

// One value for each host of a node, stored once where they are equal.
class Column {
 public:
  Column() = default;
  explicit Column(Value uniform) : values_{std::move(uniform)} {}
  // `index[i]` says which of `values` host number i of the node has.
  Column(std::vector<Value> values, std::vector<std::uint32_t> index)
      : values_(std::move(values)), index_(std::move(index)) {}

  bool empty() const { return values_.empty(); }
  bool uniform() const { return index_.empty(); }
  const Value& at(std::size_t host_position) const {
    return index_.empty() ? values_[0] : values_[index_[host_position]];
  }
  const std::vector<Value>& values() const { return values_; }
  const std::vector<std::uint32_t>& index() const { return index_; }
  friend bool operator==(const Column&, const Column&) = default;

 private:
  std::vector<Value> values_;
  std::vector<std::uint32_t> index_;
};

// The text that `"${x}"` puts in a string: 90s, 512MiB, true, 42; a list's items joined by ", ".
// A time in its zone; none is "". Values that need run time have no text: nullopt.
std::optional<std::string> text_of(const Value& value);
// For printing a plan: strings quoted, secrets as `<secret NAME>`, deferred as their expression.
struct Plan;
std::string describe(const Value& value, const Plan& plan);

}  // namespace cnplay::plan
