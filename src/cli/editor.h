// A person edits a text that no disk may see.
#pragma once

#include <string>

#include "base/result.h"
#include "base/text.h"

namespace cnplay::cli {

// Has `text` edited in $VISUAL, else $EDITOR, else vi (words parted by spaces, no shell) as a file
// called `name`, in a private directory in memory (tmpfs: $XDG_RUNTIME_DIR or /dev/shm) that is
// emptied afterwards. Errors: no such directory, the editor fails.
Result<Secret> edit_in_memory(const Secret& text, const std::string& name);

}  // namespace cnplay::cli
