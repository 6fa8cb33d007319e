// A run that was interrupted, is parked, or has failed: it continues, or ends where it stands.
#pragma once

#include <string>

#include "cli/options.h"

namespace cnplay::cli {

enum class Resume {
  onward,  // from where it stands
  to_end,  // as after a first Ctrl-C: what is in flight ends, then the `always` blocks run
};

// The exit code of the resumed run. `id`: a whole one.
int resume_run(const Options& options, const std::string& id, Resume how);

}  // namespace cnplay::cli
