#include "cli/changed.h"
#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/project.h"
#include "cli/reviewed_plan.h"
#include "cli/undo.h"
#include "cli/views.h"

namespace cnplay::cli {
namespace {

constexpr std::size_t kMostNamed = 20;  // of what has changed since the review

// Refuses a plan that is not the one of the file, and names what differs.
Status check_reviewed(const ReviewedPlan& reviewed, const plan::Plan& now,
                      const std::string& file) {
  auto sum = inventory_sum(now.origin.inventory);
  if (!sum) return sum.error();
  const auto changes = changes_since_review(reviewed, now, *sum);
  if (changes.empty()) return {};
  std::string what = file + ": not what would run now:";
  for (std::size_t i = 0; i < changes.size() && i < kMostNamed; ++i) what += "\n  " + changes[i];
  if (changes.size() > kMostNamed) {
    what += "\n  and " + std::to_string(changes.size() - kMostNamed) + " more";
  }
  return fail(std::move(what), "make the plan again with its options, and review it: cnplay plan " +
                                   inventory_option(now.origin.inventory) + now.origin.file +
                                   " -o " + file);
}

}  // namespace

int run_command(const Options& given) {
  Options options = given;
  std::optional<ReviewedPlan> reviewed;
  if (!options.plan_file.empty()) {
    auto read = read_reviewed_plan(options.plan_file);
    if (!read) return refused(read.error());
    reviewed = *std::move(read);
    set_origin(options, reviewed->plan.origin);
    options.reviewed = reviewed->made;
  }
  Project project;
  if (auto status = load(project, options); !status) return usage_error(status.error());
  if (!project.plan) return print_diagnostics(project, options);
  if (reviewed) {
    const auto same = check_reviewed(*reviewed, *project.plan, options.plan_file);
    if (!same) return refused(same.error());
  }
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
