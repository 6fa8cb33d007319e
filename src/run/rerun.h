// Doing again what a run has done from a step on.
#pragma once

#include <vector>

#include "base/result.h"
#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::run {

// Whether a run with this record, which has not ended, can do again what it has done from `from`
// on. An Error says what is in the way: an answer to a failure that has begun, a point of no
// return, tasks in flight.
Status can_rerun(const plan::Plan& plan, const std::vector<events::Event>& record,
                 plan::NodeId from);

}  // namespace cnplay::run
