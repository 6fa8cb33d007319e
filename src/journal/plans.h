// The plans of one run: where a changed play was taken up in its middle, what was recorded before
// is told in terms of the plan that took its place. Inside of journal/.
#pragma once

#include <vector>

#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::journal {

// `merged`: the plan in force with what `merge` has added before, on which `events` are; `before`:
// that plan alone. From here on `after` is in force: `merged` becomes that, and at its end, in no
// section, the nodes, phases and hosts of which `events` tell and which it does not have. An action
// that is not the same in it is one of those; so what is recorded of a step of `after` was done as
// `after` says. They can be shown, not run.
void merge(plan::Plan& merged, const plan::Plan& before, const plan::Plan& after,
           std::vector<events::Event>& events);

}  // namespace cnplay::journal
