// The commands, one small file each. Each returns the exit code (options.h).
#pragma once

#include "cli/options.h"

namespace cnplay::cli {

int run_command(const Options& options);       // cnplay -i INV PLAY, and `preflight`
int check_command(const Options& options);     // cnplay check
int plan_command(const Options& options);      // cnplay plan
int docs_command(const Options& options);      // cnplay docs
int explain_command(const Options& options);   // cnplay explain CODE
int modules_command(const Options& options);   // cnplay modules [NAME]
int hosts_command(const Options& options);     // cnplay hosts
int exec_command(const Options& options);      // cnplay exec SELECTION COMMAND
int tunnel_command(const Options& options);    // cnplay tunnel HOST PORT...
int locks_command(const Options& options);     // cnplay locks
int runs_command(const Options& options);      // cnplay runs
int show_command(const Options& options);      // cnplay show [RUN]
int answer_command(const Options& options);    // cnplay answer RUN STEP
int resume_command(const Options& options);    // cnplay resume [RUN]
int undo_command(const Options& options);      // cnplay undo RUN
int cancel_command(const Options& options);    // cnplay cancel RUN
int rollback_command(const Options& options);  // cnplay rollback RUN [NAME]
int vault_command(const Options& options);     // cnplay vault init, set, get, list, edit, rekey
int report_command(const Options& options);    // cnplay report [RUN]

// One shell command on hosts, as `exec` runs it; `title`: what people are told that it is.
int one_command(const Options& options, const std::string& title);

}  // namespace cnplay::cli
