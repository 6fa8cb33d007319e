// Edges: what a node of the graph waits for. Text order is run order: consecutive steps on the same
// hosts run host by host; everything above is finished first wherever the set of hosts changes, and
// at every other place where hosts wait.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.h"

namespace cnplay::compile {

// Counts in a play's hash: a rehearsal under another order rule proves nothing.
inline constexpr int kOrderEdition = 2;

// The end of the graph as built so far, on one branch.
class Flow {
 public:
  // The edges of a step. `set`: its hosts as the inventory gives them, before `--limit`: they
  // decide whether it is on the same hosts as the step above. Needs at most one end if it waits.
  void add_step(plan::Node& node, std::vector<plan::HostIndex> set);
  // `node`, just added, reads a fact of `from` on another host: it waits for all hosts of `from`.
  void read_across(plan::Node& node, plan::NodeId from);
  // The edges of a barrier, pivot, wait, phase end, flush or human step.
  void add_barrier(plan::Node& node);
  // What follows waits for everything above.
  void wait_here() { wait_ = true; }
  // Whether several nodes end here: a node that joins them must come before the next step, so that
  // a wait is edges through one point, never a product of two sets.
  bool is_apart() const { return ends_.size() > 1; }
  // This flow went apart in `branches`, which come together again.
  void join(const std::vector<Flow>& branches);

 private:
  std::vector<plan::NodeId> ends_;    // ascending; once they are through, everything above is
  std::vector<plan::HostIndex> set_;  // of the steps that end here
  plan::NodeId first_ = 0;            // of those steps: nobody waited for all hosts since
  bool wait_ = true;
};

}  // namespace cnplay::compile
