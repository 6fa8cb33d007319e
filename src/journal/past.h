// What past runs of a play took, step by step: for predictions.
#pragma once

#include <string>

#include "base/disk.h"
#include "base/units.h"
#include "plan/prediction.h"

namespace cnplay::journal {

// Reads the `run.json` of the newest real runs of the plan's play on its inventory that began
// before `before`, at most `kPastRuns`. Another inventory's runs are not looked at: staging's hosts
// say nothing of production's. A step counts where it ended ok or changed on every host,
// without a controller being lost meanwhile; and if it has ever changed something, the runs in
// which it did alone: to find that nothing is to do is quicker. Steps are known by their paths.
// What cannot be read is left out: a prediction is not worth an error.
inline constexpr std::size_t kPastRuns = 20;
plan::Past past_runs(const Disk& disk, const std::string& root, const plan::Plan& plan,
                     Instant before);

}  // namespace cnplay::journal
