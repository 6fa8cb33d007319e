// Carries out a plan for a command: secrets, record, connections, signals, the view; and what the
// exit code is.
#pragma once

#include <functional>
#include <memory>

#include "cli/options.h"
#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::cli {

using MakeView = std::function<std::unique_ptr<events::Sink>(const plan::Plan&, const Options&)>;

// `say_record`: where the record lies is said at the end.
int execute(const plan::Plan& plan, const Options& options, const MakeView& view, bool say_record);

}  // namespace cnplay::cli
