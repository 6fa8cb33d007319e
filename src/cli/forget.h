// What runs leave on their hosts: named, and removed for good (`cnplay runs --forget RUN`).
#pragma once

#include <string>

#include "cli/options.h"
#include "run/left.h"

namespace cnplay::cli {

// "web1 (deploy, root), web2": the hosts on which the run has a directory, and of which users,
// other than the one that logs in; "" if there is none.
std::string left_on(const plan::Plan& plan, const run::Left& left);

// Gives a run up: its hosts forget it, and it cannot be resumed. Says first what that loses, and
// asks.
int forget_command(const Options& options);

}  // namespace cnplay::cli
