// A task as the text that is sent to a shell's stdin. One command line, quoted throughout, with
// a closing word that proves it whole: torn anywhere, nothing of it is executed.
#pragma once

#include <string>

#include "base/result.h"
#include "remote/remote.h"

namespace cnplay::remote {

enum class Claim {
  none,  // it may be run as often as it is sent
  // The task's id is claimed first, and its output is kept on the host: it is started once, or
  // followed.
  once,
  // The same, or none for a task without apply, if the previous task has ended well.
  ahead,
  withdraw,  // nobody is to start it any more; followed, if somebody has
};
// Of a task that is sent ahead: the task before it, and which process is there as long as we are.
struct Previous {
  TaskId task = 0;
  long parent = 0;
  long long parent_since = 0;
};

// `watch`: seconds after which the host kills the task by itself; 0: never. Fails on a NUL, or a
// variable's name that is none, or would break the shell.
Result<std::string> make_request(const Task& task, std::int64_t watch, Claim claim,
                                 const Previous& previous = {});

// The lines that come before the first request: nonce, run id, the name of the shell's spool (16
// hex digits), whether it is on a terminal, the runs around this one (ids), prelude.
std::string make_bootstrap(std::string_view nonce, std::string_view run_id, std::string_view spool,
                           bool terminal, const std::vector<std::string>& around = {});
// The line that removes the spool of another shell of the same user.
std::string make_removal(std::string_view spool);

// 32 hex digits from the kernel's random numbers.
std::string make_nonce();

}  // namespace cnplay::remote
