// What is said at the end of a run: a table of hosts, a table of times, the verdict and what a
// person does next.
#pragma once

#include <string>

#include "events/event.h"
#include "plan/plan.h"
#include "report/failed.h"
#include "report/format.h"

namespace cnplay::report {

// The screen that the end of a run is left on. 0: none, everything is printed.
struct ScreenSize {
  std::size_t width = 0;
  std::size_t height = 0;
};

// `timings`: with the table of steps, expected beside actual. From the verdict on it fits on the
// screen: what is undone, and what is not, is folded to that end, the command to type next never.
std::string summary(const plan::Plan& plan, const events::RunEnded& end, const Options& options,
                    bool timings, const Failed& failed, ScreenSize screen = {});

}  // namespace cnplay::report
