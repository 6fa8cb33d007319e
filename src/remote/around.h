// Whether a run was started by a task of another one: then it is a part of that one, and shares the
// locks that it holds.
//
// Every shell of a run has in its environment CNPLAY_INSIDE, the run's private directory on that
// host. That is no secret, and no proof: anybody can set it. The proof is the claim of a task that
// is going on, in that directory: the process that it names must be one that we descend from.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace cnplay::remote {

struct Around {
  std::vector<std::string> runs;  // ids, the innermost first; empty: there is none
  std::string problem;            // why what was named is not around us; "": nothing was
};

// `inside`: what CNPLAY_INSIDE says, "" if it is not set. `process`: whose ancestors are looked at.
// Reads /proc and that directory.
Around runs_around(const std::string& inside, pid_t process);

// [A-Za-z0-9_.-]+, as names of files and words of a shell may be.
bool is_run_id(std::string_view id);

}  // namespace cnplay::remote
