// Undoing what a run has done, by a run of its own: its steps' `undo`s, as far as they are
// registered still.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "cli/options.h"
#include "journal/run_directory.h"
#include "run/undo_left.h"

namespace cnplay::cli {

// What other runs have undone of the run `id` so far.
std::set<run::OnHost> undone_of(const Disk& disk, const std::string& root, const std::string& id);

// Undoes what is left. Nothing is left: an error only if `must_be_something`.
int undo_run(const Options& options, const std::string& id, bool must_be_something);

// A run that a person has stopped: asks whether it is to be undone, if something is left and
// somebody is there.
void offer_undo(const Options& options, const std::string& id);

}  // namespace cnplay::cli
