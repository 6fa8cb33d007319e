#include <sys/ioctl.h>
#include <unistd.h>

#include <iostream>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/project.h"
#include "cli/trust.h"
#include "cli/wiring.h"
#include "journal/past.h"
#include "plan/prediction.h"
#include "render/print.h"

namespace cnplay::cli {

int plan_command(const Options& options) {
  Project project;
  if (auto status = load(project, options); !status) return usage_error(status.error());
  if (!project.plan) return print_diagnostics(project, options);
  const Time now{SystemClock().now(), "UTC"};
  if (auto safe = check_runs_root(runs_root()); !safe) return usage_error(safe.error());
  const plan::Past past = journal::past_runs(SystemDisk(), runs_root(), *project.plan, now.at);
  if (options.json) {
    std::cout << render::to_json(*project.plan, now, &past) << "\n";
    return kSuccess;
  }
  print_diagnostics(project, options);  // warnings
  render::PrintOptions print;
  print.now = now;
  print.colour = wants_colour(options, 1);
  print.past = &past;
  winsize size{};
  if (::ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) print.width = size.ws_col;
  print.pipeline = options.pipeline;
  std::cout << render::print(*project.plan, print);
  return kSuccess;
}

}  // namespace cnplay::cli
