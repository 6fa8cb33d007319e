// Whether a run with steps on `local` can be taken up by this controller: what they have left
// (claims, output, effects) is on the machine whose controller did them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "events/event.h"
#include "plan/plan.h"
#include "run/left.h"

namespace cnplay::run {

struct Here {
  std::string machine;  // its id
  std::string user;     // who runs the controller
};

// A task on `local` that was started, and has not ended by the record, can be followed by its own
// machine and user alone: elsewhere it would be started twice. An Error names both, and the remedy.
Status can_follow_local(const plan::Plan& plan, const std::vector<events::Event>& record,
                        const Left& left, const Here& here);

// What was done on `local` is undone on that machine alone.
Status can_undo_local(const plan::Plan& plan, const std::vector<events::Event>& record,
                      const Here& here);

}  // namespace cnplay::run
