// Where hosts wait for more than their own last step, and for what: for readers of a plan.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"
#include "plan/schedule.h"
#include "render/print.h"

namespace cnplay::render {

// The steps that `nodes`, of this zone, wait for on all hosts: those inside of the zone, or those
// before it. Empty if a node shows itself what it waits for, or if there is but one host.
std::vector<NodeId> waited_for(const Plan& plan, const std::vector<NodeId>& nodes, const Zone& zone,
                               bool inside);

// "`copy` on control, `look` on web".
std::string ends_text(const Plan& plan, const std::vector<NodeId>& ends);

}  // namespace cnplay::render
