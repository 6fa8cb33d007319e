// The points of no return that the run has passed.
#pragma once

#include <cstdint>
#include <set>

#include "plan/plan.h"

namespace cnplay::run {

class Pivots {
 public:
  explicit Pivots(const plan::Plan& plan) : plan_(plan) {}

  void pass(plan::NodeId node) { passed_.insert(node); }
  bool any_passed() const { return !passed_.empty(); }
  // Whether a failure in this phase is past the point of no return: by the pivots of the phase
  // itself, if it has any; else by all of the play's.
  bool is_past(std::uint32_t phase) const;

 private:
  const plan::Plan& plan_;
  std::set<plan::NodeId> passed_;
};

}  // namespace cnplay::run
