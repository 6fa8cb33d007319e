// What a name or an expression stands for once it is checked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compile/types.h"
#include "compile/values.h"
#include "diag/source.h"
#include "plan/plan.h"

namespace cnplay::compile {

using diag::Span;

// What keeps a value from being one known value: where a decision about steps and hosts is
// made, none of the first three may be set.
struct Dependence {
  bool per_host = false;  // reads a host variable, or a fact of its own host
  bool now = false;
  bool fact = false;
  Span cause;      // where the first of them is read
  Span secret_at;  // where a secret is read, if the type holds one
  Span secret_declared;
  bool in_batch = false;      // differs from batch to batch
  std::set<HostIndex> batch;  // hosts of the batch at hand that it is about

  void add(const Dependence& other) {
    if (!cause.known()) cause = other.cause;
    if (!secret_at.known()) secret_at = other.secret_at;
    if (!secret_declared.known()) secret_declared = other.secret_declared;
    per_host = per_host || other.per_host;
    now = now || other.now;
    fact = fact || other.fact;
    in_batch = in_batch || other.in_batch;
    batch.insert(other.batch.begin(), other.batch.end());
  }
};

// The facts of one action. A step of a `serial` phase has a node for each batch.
struct ActionFacts {
  struct Copy {
    plan::NodeId node = 0;
    std::uint32_t action = 0;
    std::vector<HostIndex> hosts;
  };
  std::string label;  // "code.moved"
  std::string hosts;  // "web": the set that its step runs on
  std::string let;    // "moved", or "" where the action has no name
  std::vector<plan::FactDecl> facts;
  std::vector<Copy> copies;
  bool once = false;
  bool people = false;   // what people said: one value for all, of no host
  bool saved = false;    // read in the step's own undo
  bool unknown = false;  // its module could not be made out, which was reported
  Span declared;
};
using ActionFactsPtr = std::shared_ptr<const ActionFacts>;

struct StepFacts {
  std::string name;
  Span declared;
  std::vector<ActionFactsPtr> actions;
  bool saved = false;
};

struct Evaluated;
// Steps that share a name: one for each turn of a loop, or those of a procedure that was done.
struct StepsOf {
  struct One {
    std::string name;
    std::vector<plan::Value> turns;  // of the loops around it, still to be chosen
    Span declared;
    std::shared_ptr<const Evaluated> step;
  };
  std::string name;  // "code", "server_stop"
  Span declared;
  std::vector<One> all;
  bool procedure = false;
};

struct Evaluated {
  TypePtr type = simple(Kind::poison);
  Values values;  // of every ordinary type
  std::vector<std::pair<std::string, std::shared_ptr<const Evaluated>>> fields;  // of a record
  // Of hosts and host, in inventory order: those that are there under `--limit` (a set that has no
  // name yet is not limited), and those that the inventory gives, by which sets are compared.
  std::vector<HostIndex> hosts;
  std::vector<HostIndex> whole;
  std::string label;      // `web`: the name that a set of hosts was given
  bool of_batch = false;  // hosts that `batch` says: all of them are in the batch at hand
  ActionFactsPtr facts;
  std::optional<HostIndex> chosen;  // `code.moved[web[0]]`
  std::shared_ptr<const StepFacts> step;
  std::shared_ptr<const StepsOf> steps;
  Dependence depends;

  bool poison() const { return is_poison(type); }
  // Of a host: which one, also if `--limit` takes it away.
  HostIndex host() const { return hosts.empty() ? whole[0] : hosts[0]; }
};
using EvaluatedPtr = std::shared_ptr<const Evaluated>;

}  // namespace cnplay::compile
