#include <iostream>

#include "base/words.h"
#include "cli/commands.h"
#include "cli/project.h"

namespace cnplay::cli {

int check_command(const Options& options) {
  Project project;
  if (auto status = load(project, options); !status) return usage_error(status.error());
  const int code = print_diagnostics(project, options);
  if (code != kSuccess || !project.plan) return code == kSuccess ? kRefused : code;
  if (!options.json) {
    std::size_t steps = 0;
    for (const auto& node : project.plan->nodes) {
      steps += node.kind == plan::NodeKind::step ? 1 : 0;
    }
    const plan::Plan& plan = *project.plan;
    const bool local = plan::find_local(plan).has_value();
    const std::size_t hosts = plan.hosts.size() - (local ? 1 : 0);
    std::string on = local ? "`local`" : "";
    if (hosts > 0)
      on = count_of(hosts, "host") + " of `" + plan.inventory + "`" + (local ? " and `local`" : "");
    std::cout << options.play << ": no mistakes found: " << count_of(steps, "step") << " on " << on
              << "\n";
  }
  return kSuccess;
}

}  // namespace cnplay::cli
