// Taking out of a shortened script what nothing reads any more. Inside of plan/.
#pragma once

#include <set>
#include <string>

#include "plan/shell_tree.h"

namespace cnplay::plan {

// Removes assignments that nothing reads (`wanted` are read later), files of a private directory
// that nobody opens, that directory, and what has become empty.
void sweep(ShellList& list, const std::set<std::string>& wanted);

// Keeps of a check only what leads to the names in `wanted`: their assignments, what these read,
// and the commands before them (a `git fetch`). false if one of them is set nowhere.
bool slice(ShellList& list, const std::set<std::string>& wanted);

}  // namespace cnplay::plan
