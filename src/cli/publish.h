// A file that a person asked for, written whole or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cnplay::cli {

// Makes `path` hold `bytes`: a new file of a name of its own beside it, fsync, rename. Whoever
// reads `path` meanwhile sees what it was before; after an Error it is what it was before, and
// nothing is left behind. A new file is 0600, one that is replaced keeps its permissions unless
// `permissions` says otherwise; a symbolic link is followed. What is no regular file (a pipe, a
// terminal, /dev/null) is written to as it is.
enum class Permissions { kept, own_only };
Status publish(const std::string& path, std::string_view bytes,
               Permissions permissions = Permissions::kept);

}  // namespace cnplay::cli
