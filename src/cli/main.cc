#include <cstdio>
#include <exception>

#include "cli/commands.h"

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
    case Command::rollback:
      return rollback_command(options);
  }
  return kBug;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto options = read_options(argc, argv);
    if (const int* code = std::get_if<int>(&options)) return *code;
    return dispatch(std::get<Options>(options));
  } catch (const std::exception& e) {
    // Mistakes of people are values; what arrives here is a bug or an exhausted resource.
    std::fprintf(stderr, "cnplay: internal error: %s\nhelp: please report this with the command\n",
                 e.what());
    return kBug;
  }
}
