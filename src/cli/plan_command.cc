#include <sys/ioctl.h>
#include <unistd.h>

#include <iostream>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/project.h"
#include "cli/publish.h"
#include "cli/reviewed_plan.h"
#include "cli/trust.h"
#include "cli/wiring.h"
#include "journal/past.h"
#include "plan/prediction.h"
#include "render/print.h"

namespace cnplay::cli {

namespace {

// Only its owner reads it: it names hosts and holds the project's scripts.
Status write_reviewed(const plan::Plan& plan, const Options& options, Instant now) {
  if (options.output == "-") return fail("a plan is written to a file", "name one with -o");
  auto sum = inventory_sum(plan.origin.inventory);
  if (!sum) return sum.error();
  const ReviewedPlan reviewed{plan, *sum,
                              format_rfc3339(now) + " by " + user_name() + " on " + machine_name()};
  const Status status = publish(options.output, to_file(reviewed), Permissions::own_only);
  if (status) {
    std::cerr << "written: " << options.output << "; once it is reviewed: cnplay run --plan "
              << options.output << "\n";
  }
  return status;
}

}  // namespace

int plan_command(const Options& options) {
  Project project;
  if (auto status = load(project, options); !status) return usage_error(status.error());
  if (!project.plan) return print_diagnostics(project, options);
  const Time now{SystemClock().now(), "UTC"};
  if (auto safe = check_runs_root(runs_root()); !safe) return usage_error(safe.error());
  if (!options.output.empty()) {
    if (auto status = write_reviewed(*project.plan, options, now.at); !status)
      return usage_error(status.error());
  }
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
