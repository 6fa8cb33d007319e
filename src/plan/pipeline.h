// Where a run decides something between two actions of a host. Up to there they are sent to it
// without waiting for each other's end: the host starts each when the one before has ended well.
#pragma once

#include <optional>
#include <string>

#include "plan/plan.h"

namespace cnplay::plan {

struct Place {
  NodeId node = 0;
  std::uint32_t action = 0;
};

// Why `next` is not sent before `before` has ended on that host; "" if it is. `next` is the next
// action of the same step, or the first one of a step that follows on the host. `host`: a position
// among the hosts of `next`'s node; nullopt: whether it is so for any of them.
std::string decision_between(const Plan& plan, const Place& before, const Place& next,
                             std::optional<std::size_t> host);

}  // namespace cnplay::plan
