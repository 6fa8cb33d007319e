// What is said at the end of a run: a table of hosts, a table of times, the verdict and what a
// person does next.
#pragma once

#include <string>

#include "events/event.h"
#include "plan/plan.h"
#include "report/format.h"

namespace cnplay::report {

// `timings`: with the table of steps, expected beside actual.
std::string summary(const plan::Plan& plan, const events::RunEnded& end, const Options& options,
                    bool timings);

}  // namespace cnplay::report
