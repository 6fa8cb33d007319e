// The syntax of shell scripts, by `sh -n` of this machine: it reads a script and runs nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compile/compile.h"

namespace cnplay::cli {

// Counts the processes that were started, for tests.
struct ShellCheckWork {
  std::size_t processes = 0;
};

// What `sh -n` says of each script. Scripts that can be read cost one process together. A machine
// without a `sh` finds no faults.
std::vector<std::optional<compile::Input::ShellFault>> check_shell(
    const std::vector<std::string>& scripts, ShellCheckWork* work = nullptr);

}  // namespace cnplay::cli
