// The resources of hosts that actions use alone (`uses`). An action takes all of its resources at
// once, so that no two wait for each other.
#pragma once

#include <deque>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "run/step_run.h"

namespace cnplay::run {

class HostResources {
 public:
  // False: one of them is taken, and the step waits. `uses` must live as long as it does.
  bool acquire(StepRunId step, plan::HostIndex host, const std::vector<std::string>& uses);
  void stop_waiting(StepRunId step, plan::HostIndex host);
  // Returns the steps that have what they wait for now: those that waited longest come first, and
  // each takes what it needs before the next is asked.
  std::vector<StepRunId> release(plan::HostIndex host, const std::vector<std::string>& uses);

 private:
  struct Waiting {
    StepRunId step;
    const std::vector<std::string>* uses;
  };
  struct Host {
    std::set<std::string> taken;
    std::deque<Waiting> waiting;  // in the order of readiness
  };
  static bool is_free(const Host& host, const std::vector<std::string>& uses);

  std::unordered_map<plan::HostIndex, Host> hosts_;
};

}  // namespace cnplay::run
