#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/project.h"
#include "cli/undo.h"
#include "cli/views.h"

namespace cnplay::cli {

int run_command(const Options& options) {
  Project project;
  if (auto status = load(project, options); !status) return usage_error(status.error());
  if (!project.plan) return print_diagnostics(project, options);
  if (!options.json) print_diagnostics(project, options);  // warnings
  const auto view = [](const plan::Plan& plan, const Options& how) {
    return make_view(plan, how, Moment::now);
  };
  std::string id;
  const int code =
      execute(*project.plan, options, *project.vault, view, true, std::nullopt, std::nullopt, &id);
  if (code == kAborted && options.command == Command::run) offer_undo(options, id);
  return code;
}

}  // namespace cnplay::cli
