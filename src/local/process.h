// Inside of local/: a command as a child process of its own: no descriptor, no terminal, no
// variable of the environment and no signal of the controller's reaches it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "local/machine.h"

namespace cnplay::local {

// Descriptors of the controller's ends; -1: there is none. The owner closes them.
struct Process {
  pid_t pid = -1;
  int exit = -1;  // a pidfd: readable once the process has ended
  int in = -1;    // what it reads
  int out = -1;   // what it prints; of a terminal also what it reads
  int err = -1;   // not of a terminal
};

// The whole environment of a command: what sshd would give a login of this user.
std::vector<std::string> environment_of(const Settings& settings, bool terminal);

// Starts `sh -c command` in a session of its own, in `/`, with pipes or (`terminal`) a new
// pseudo-terminal, and with at most `open_files` descriptors. Does not wait for it: whoever starts
// it reaps it (see `exit`). An Error says what the system refused, and the remedy.
Result<Process> start_process(const Settings& settings, const std::string& command, bool terminal,
                              unsigned long open_files);

}  // namespace cnplay::local
