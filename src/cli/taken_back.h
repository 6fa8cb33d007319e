// Which runs have been taken back, and which can be.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "cli/options.h"
#include "journal/run_directory.h"
#include "run/run.h"

namespace cnplay::cli {

// The Error says why the run of this record is not one to take back, and what to do instead.
Status can_be_taken_back(const std::string& id, const journal::Record& record);

// A run that takes, or has taken, another one back.
struct WayTaken {
  std::string run;       // its id; the other one itself, where it went back as part of the run
  std::string rollback;  // which
  bool ended = false;
  bool complete = false;
  bool dry = false;
};
// Those of the run `id`, oldest first.
std::vector<WayTaken> ways_taken(const Disk& disk, const std::string& root, const std::string& id,
                                 const journal::Record& record);

// Takes the run of this record back, as a run of its own; the exit code. `way` points into
// `record`.
int take_back(const Options& options, const journal::Record& record, run::WayBack way);

}  // namespace cnplay::cli
