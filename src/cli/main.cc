#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <iostream>

#include "cli/commands.h"
#include "cli/output.h"

using namespace cnplay::cli;

namespace {

int dispatch(const Options& options) {
  switch (options.command) {
    case Command::run:
    case Command::preflight:
      return run_command(options);
    case Command::check:
      return check_command(options);
    case Command::plan:
      return plan_command(options);
    case Command::docs:
      return docs_command(options);
    case Command::explain:
      return explain_command(options);
    case Command::modules:
      return modules_command(options);
    case Command::hosts:
      return hosts_command(options);
    case Command::exec:
      return exec_command(options);
    case Command::tunnel:
      return tunnel_command(options);
    case Command::locks:
      return locks_command(options);
    case Command::runs:
      return runs_command(options);
    case Command::show:
      return show_command(options);
    case Command::answer:
      return answer_command(options);
    case Command::resume:
      return resume_command(options);
    case Command::vault:
      return vault_command(options);
    case Command::report:
      return report_command(options);
    case Command::undo:
      return undo_command(options);
    case Command::cancel:
      return cancel_command(options);
    case Command::rollback:
      return rollback_command(options);
  }
  return kBug;
}

// No core file, and no other process of the same user looks into this one's memory: it holds
// secrets. What it starts has a core file if it wants one.
void keep_memory_private() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) == 0) {
    limit.rlim_cur = 0;
    (void)::setrlimit(RLIMIT_CORE, &limit);
  }
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // also where cores go to a program
}

// Output that was not written is said where it can be said, and in the exit code.
int with_output(int code, cnplay::cli::Output& output) {
  const auto status = output.finish();
  if (status) return code;
  std::cerr << "cnplay: " << status.error().what << "\nhelp: " << status.error().help << "\n";
  return code == kSuccess ? kNoOutput : code;
}

}  // namespace

int main(int argc, char** argv) {
  keep_memory_private();
  Output output;
  try {
    const auto options = read_options(argc, argv);
    const int* code = std::get_if<int>(&options);
    return with_output(code != nullptr ? *code : dispatch(std::get<Options>(options)), output);
  } catch (const std::exception& e) {
    // Mistakes of people are values; what arrives here is a bug or an exhausted resource.
    std::cerr << "cnplay: internal error: " << e.what()
              << "\nhelp: please report this with the command\n";
    return kBug;
  }
}
