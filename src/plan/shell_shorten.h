// One script of a module, shortened for by_hand.h. Inside of plan/.
#pragma once

#include <map>
#include <set>
#include <string>

#include "plan/shell_tree.h"

namespace cnplay::plan {

// What is shortened: a change; the check before one, for what it finds out; a check for its own
// sake.
enum class Stage { apply, before, only_check };

struct Shortened {
  ShellList list;
  bool polls = false;  // waiting until all is well was taken off
  std::string look;    // the command that shows whether it is; may be ""
};

// `known`: parameters, as scripts see them. `wanted`: names that are read after the script.
Shortened shorten(const std::map<std::string, std::string>& known, const ShellList& script,
                  Stage stage, const std::set<std::string>& wanted);

}  // namespace cnplay::plan
