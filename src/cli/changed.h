// What has changed in a play since a run of it began.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/project.h"
#include "journal/run_directory.h"
#include "plan/plan.h"

namespace cnplay::cli {

// The steps that the plan of today does otherwise, one line each.
std::vector<std::string> plan_changes(const plan::Plan& before, const plan::Plan& after);

// Sets the options that a plan was compiled with: which play on which inventory, and which part.
void set_origin(Options& options, const plan::Origin& origin);

// What a play has become since a run of it began: compiled as it was then, with the options that
// are on record; batches that have begun keep their hosts. An Error: it is not there to be looked
// at. Else `project.plan`, or why there is none in `project.diags`. Nobody is asked for a password.
Status compile_anew(Project& project, const journal::Record& record);
// One line for each difference; empty: there is none.
std::vector<std::string> differences(const plan::Plan& recorded, const plan::Plan& now);

// The play, its libraries, files, modules and inventory as they are now, compiled as they were
// then, beside the recorded plan: one line for each difference; empty: there is none. An Error:
// they are not there to be looked at. Nobody is asked for a password.
Result<std::vector<std::string>> changes_since(const journal::Record& record);

}  // namespace cnplay::cli
