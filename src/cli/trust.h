// What of this machine's files is believed: nothing that another user could have written.
#pragma once

#include <string>

#include "base/result.h"

namespace cnplay::cli {

// The directory of all runs. An Error, with the remedy, if everybody may write into it, or if it
// belongs to another user (not root) and is not shared with a group (group write permission). One
// that is not there yet is good.
Status check_runs_root(const std::string& root);

// The record of one run in it: of this user or root, or anybody's if the root is shared.
Status check_record(const std::string& root, const std::string& record);

}  // namespace cnplay::cli
