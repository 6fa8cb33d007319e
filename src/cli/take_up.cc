#include "cli/take_up.h"

#include <iostream>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/changed.h"
#include "cli/project.h"
#include "cli/wiring.h"
#include "events/last.h"
#include "plan/choice.h"
#include "run/rerun.h"
#include "run/take_up.h"

namespace cnplay::cli {
namespace {

// The record as it will be can be followed, and leads where the run is to go on.
Status fits(const journal::Record& record, std::optional<plan::NodeId> from) {
  const auto& began = std::get<events::RunStarted>(record.events.front().what);
  if (from) {
    if (auto status = run::can_rerun(record.plan, record.events, *from); !status) return status;
  }
  run::Options how;
  how.mode = began.mode;
  how.run_id = began.run;
  how.now = Time{began.now, "UTC"};
  how.forks = began.forks.value_or(0);
  how.stepwise = began.stepwise.value_or(false);
  how.record = &record.events;
  how.from = from;
  const Status status = run::can_follow(record.plan, how);
  if (status) return status;
  return fail(
      "the record does not fit the play as it is now: " + status.error().what,
      "restore the order of the steps that are done; or start a new run with --start-at STEP");
}

// The play of now; an exit code if there is none.
std::variant<plan::Plan, int> plan_of_now(const journal::Record& record, const Options& options) {
  Project project;
  if (auto status = compile_anew(project, record); !status) {
    return usage_error(status.error());
  }
  if (!project.plan) {
    print_diagnostics(project, options);
    std::cerr << "cnplay: the play has mistakes: the run is not resumed, and nothing was done\n";
    return kRefused;
  }
  if (!options.json) print_diagnostics(project, options);  // warnings
  return *std::move(project.plan);
}

// What only a person can say before a failed run goes on. False: it does not.
bool says_yes(const Options& options, const std::string& why, const std::string& question) {
  if (options.yes || somebody_is_there()) {
    std::cerr << "cnplay: " << why << "\n";
    return options.yes ? say_yes(question) : ask_yes_no(question);
  }
  std::cerr << "cnplay: the run is not resumed: " << why
            << ", and nobody is at a terminal to answer: " << question
            << "\nhelp: `-y` says yes; `--from STEP` repeats everything from that step on\n";
  return false;
}

}  // namespace

bool has_ended(const journal::Record& record) { return events::end_of(record.events) != nullptr; }

std::optional<int> take_up(const TakeUp& what, const Options& options, bool changed,
                           journal::Record& record, std::string& from_step) {
  auto now =
      changed ? plan_of_now(record, options) : std::variant<plan::Plan, int>(record.in_force());
  if (const int* code = std::get_if<int>(&now)) return *code;
  plan::Plan& next = std::get<plan::Plan>(now);
  const run::FailureAnswer answer = run::failure_answer(record.plan, record.events);
  bool accepted = false;
  if (from_step.empty() && answer.undone) {
    const std::string path = record.plan.node(*answer.undone).path;
    if (!says_yes(options, "`" + path + "` was undone when the run failed",
                  "Repeat everything from `" + path + "` on?")) {
      return kRefused;
    }
    from_step = path;
  } else if (from_step.empty() && !answer.acted.empty()) {
    accepted = says_yes(options, "when the run failed, " + answer.acted + " has changed something",
                        "Continue at the step that failed all the same?");
    if (!accepted) return kRefused;
  }
  std::optional<plan::NodeId> from;
  if (!from_step.empty()) {
    const auto found = find_step(next, from_step);
    if (!found) return usage_error(found.error());
    from = *found;
  }
  const auto notes =
      run::can_take_up(record.plan, record.in_force(), record.events, next, from, accepted);
  if (!notes) return refused(fail(what.id + ": " + notes.error().what, notes.error().help));

  events::PlanTaken taken;
  taken.user = user_name();
  taken.controller = machine_name();
  taken.before = plan::hash(record.in_force());
  taken.after = plan::hash(next);
  taken.changes = differences(record.in_force(), next);
  events::Event event;
  event.seq = record.events.back().seq + 1;
  event.at = SystemClock().now();
  event.what = taken;
  journal::Record trial = record;
  journal::take_plan(trial, next, event);
  if (auto status = fits(trial, from); !status) {
    return refused(fail(what.id + ": " + status.error().what, status.error().help));
  }
  if (!taken.changes.empty()) std::cerr << "cnplay: the run is resumed with the changed play:\n";
  if (changed && taken.changes.empty()) {
    std::cerr << "cnplay: nothing has changed in the play since\n";
  }
  for (const std::string& line : taken.changes) std::cerr << "  " << line << "\n";
  for (const std::string& line : *notes) std::cerr << "cnplay: " << line << "\n";

  auto file = what.directory.add_plan(next);
  if (!file) return usage_error(file.error());
  taken.file = *file;
  event.what = std::move(taken);
  what.directory.go_on(trial.plan, std::get<events::RunStarted>(trial.events.front().what),
                       trial.events.front().at);
  what.directory.on(event);
  if (auto durable = what.directory.commit(); !durable) return usage_error(durable.error());
  auto again = journal::read_run(what.disk, what.path);
  if (!again) return usage_error(again.error());
  record = *std::move(again);
  return std::nullopt;
}

}  // namespace cnplay::cli
