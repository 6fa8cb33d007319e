// What a run has left on its hosts, by its record.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::run {

struct Left {
  // By host of the plan: the users for whom something was started there ("" = the login user).
  // Each has a directory of the run, as long as nobody has removed it.
  std::vector<std::set<std::string>> users;
  // A task that was started, or sent ahead, and whose result is not on record.
  struct Open {
    plan::NodeId node{};
    plan::HostIndex host{};
    std::uint64_t task{};
    bool ahead = false;
  };
  std::vector<Open> open;       // in the order of their ids
  std::uint64_t last_task = 0;  // the highest id that was given to a task
};

// `plan`: with what else the record tells of (journal::Record::plan).
Left left_by(const plan::Plan& plan, const std::vector<events::Event>& record);

}  // namespace cnplay::run
