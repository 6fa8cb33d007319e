// The words of a command line, looked at before CLI11 reads them: the command is found wherever it
// stands, so that options before and after it count in the order in which they were typed; and what
// is misspelt or empty is reported with what was rather meant.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace cnplay::cli {

// The words with the command (and the one of `vault`) in front. `help COMMAND` becomes `COMMAND
// --help`. An Error is one of usage.
Result<std::vector<std::string>> arrange(const CLI::App& app, std::vector<std::string> words);

}  // namespace cnplay::cli
