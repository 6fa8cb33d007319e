// Plays of one step that no file holds: what `exec` and `tunnel` are to the compiler.
#pragma once

#include <optional>
#include <string>

#include "cli/options.h"
#include "cli/project.h"
#include "plan/plan.h"

namespace cnplay::cli {

// Compiles `play` for the hosts of `project.limit`; modules and inventory are loaded. nullopt: why
// not is in project.diags.
std::optional<plan::Plan> compile_one_step(Project& project, const std::string& name,
                                           const std::string& play, const Options& options);

}  // namespace cnplay::cli
