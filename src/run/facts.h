// What the checks found out: read by their declared types, kept by step, action and host.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "plan/eval.h"
#include "plan/plan.h"

namespace cnplay::run {

// The value of a fact's text by its declared type: int and bool as digits and true/false, a
// duration as whole seconds or `1h30m`, a size as bytes or `4KiB`, a time in RFC 3339, a list one
// item a line. Strings must be valid UTF-8 without NUL. The Error says what was expected.
Result<plan::Value> read_fact(plan::FactType type, const Untrusted& text);

// All facts of one check by `returns`. With `complete`, every declared fact must be there. What
// is missing, undeclared or of another type is the module's failure: the Error names module and
// fact and shows the beginning of what came.
Result<plan::Record> read_facts(const plan::Action& action,
                                const std::vector<std::pair<std::string, Untrusted>>& said,
                                bool complete);

class FactStore {
 public:
  explicit FactStore(const plan::Plan& plan) : plan_(plan) {}

  // The facts of the latest check. `unapplied`: of a change that a dry run did not make.
  void set(plan::NodeId node, std::uint32_t action, plan::HostIndex host, plan::Record facts,
           bool unapplied);
  // Keeps the facts that hold now as those of the state before the first apply: what `saved` means
  // in an undo. A later attempt's check may have seen a change that was made by half.
  void save(plan::NodeId node, std::uint32_t action, plan::HostIndex host,
            const plan::Record& facts);

  // An apply of the node has run on the host, or may have.
  void touch(plan::NodeId node, plan::HostIndex host);
  bool touched(const plan::FactRef& ref, plan::HostIndex host) const;

  // Nothing where the step was skipped there, or failed.
  std::optional<plan::Value> get(const plan::FactRef& ref, plan::HostIndex host) const;
  std::optional<plan::Value> saved(const plan::FactRef& ref, plan::HostIndex host) const;
  bool unapplied(const plan::FactRef& ref, plan::HostIndex host) const;

 private:
  struct Entry {
    plan::Record facts;
    bool unapplied = false;
    bool known = false;
    std::optional<plan::Record> saved;
  };
  // Facts of a `once` step are scalars: whoever asks reads its one host's.
  plan::HostIndex home(const plan::FactRef& ref, plan::HostIndex host) const;
  static std::uint64_t key(plan::NodeId node, std::uint32_t action) {
    return (std::uint64_t{node} << 32) | action;
  }
  const Entry* find(const plan::FactRef& ref, plan::HostIndex host) const;
  std::optional<plan::Value> answer(const plan::FactRef& ref) const;
  void each_answer(const plan::Node& node, const std::function<void(const Entry&)>& visit) const;
  Entry& entry(plan::NodeId node, std::uint32_t action, plan::HostIndex host);

  const plan::Plan& plan_;
  std::unordered_map<std::uint64_t, std::unordered_map<plan::HostIndex, Entry>> entries_;
  std::set<std::pair<plan::NodeId, plan::HostIndex>> touched_;
};

}  // namespace cnplay::run
