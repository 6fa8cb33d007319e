// A directory of this machine that a play sends to hosts: what is in it, as a list that is the same
// wherever and whenever it is made of the same files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/compile.h"

namespace cnplay::cli {

// What a list may hold: it goes through the shells of hosts as a variable.
struct TreeLimits {
  std::size_t entries = 100'000;
  std::size_t manifest = 16 * 1024 * 1024;             // bytes
  std::uint64_t file = 8ULL * 1024 * 1024 * 1024 - 1;  // bytes
};

// Reads every file, once. `without`: patterns as of fnmatch(3): one without a `/` is held against
// the names, at any depth, one with a `/` against paths in the directory; of a directory that is
// left out, all is. Errors name the path, the cause and the remedy: links, devices, names with
// control characters.
Result<compile::Input::LocalTree> read_local_tree(const std::filesystem::path& path,
                                                  const std::vector<std::string>& without,
                                                  const TreeLimits& limits = {});

}  // namespace cnplay::cli
