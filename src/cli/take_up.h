// A run that goes forward once more: with its play as it is now, or after it has failed.
#pragma once

#include <optional>
#include <string>

#include "base/disk.h"
#include "cli/options.h"
#include "journal/run_directory.h"

namespace cnplay::cli {

// Where it is told that a run is taken up.
struct TakeUp {
  const std::string& id;
  Disk& disk;
  journal::RunDirectory& directory;  // reopened
  const std::string path;            // its own
};

// Whether this record's last word is that its run has ended.
bool has_ended(const journal::Record& record);

// Tells the run's record that it goes forward again, from `from` on or where it failed.
// `changed`: with the play as it is now, compiled as it was then, else as it was recorded. `record`
// is then as it was read again. `from`: from which step on what was done is done again, "": none;
// where the failure has undone steps, and a person says so, it becomes the first of these. Nothing
// is sent to a host; before all is known to fit, nothing is written. A value: it cannot, this is
// the exit code, and why was said.
std::optional<int> take_up(const TakeUp& what, const Options& options, bool changed,
                           journal::Record& record, std::string& from);

}  // namespace cnplay::cli
