// Which view a run is shown in: JSON lines, a live screen, or plain lines.
#pragma once

#include <memory>

#include "cli/options.h"
#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::cli {

// When what is shown happens: a past run is never redrawn.
enum class Moment { now, past };

// The view that the options and the terminal ask for, on stdout. `plan` must outlive it.
std::unique_ptr<events::Sink> make_view(const plan::Plan& plan, const Options& options,
                                        Moment moment);

// For one command on many hosts: equal answers are shown once, unless JSON or each host's output as
// it comes is asked for.
std::unique_ptr<events::Sink> make_grouped_view(const plan::Plan& plan, const Options& options);

}  // namespace cnplay::cli
