#include <algorithm>
#include <iostream>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/changed.h"
#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/project.h"
#include "cli/resume.h"
#include "cli/take_up.h"
#include "cli/taken_back.h"
#include "cli/trust.h"
#include "cli/undo.h"
#include "cli/views.h"
#include "cli/wiring.h"
#include "events/last.h"
#include "run/rerun.h"

namespace cnplay::cli {
namespace {

// Why there is nothing to resume, if so. `failed`: a run that has ended without success may be.
Status can_go_on(const std::string& id, const journal::Record& record, bool failed) {
  const auto& events = record.events;
  if (events.empty() || !std::holds_alternative<events::RunStarted>(events.front().what)) {
    return fail(id + " was interrupted before it began: nothing was done", "start a new run");
  }
  const auto& began = std::get<events::RunStarted>(events.front().what);
  if (const events::RunEnded* end = events::end_of(record.events)) {
    const events::RunEnded& ended = *end;
    if (ended.forgotten.value_or(false)) {
      return fail(id + " was forgotten: its hosts have removed their files of it",
                  "look on the hosts for what was done, then start a new run");
    }
    if (ended.verdict == events::Verdict::success || !failed) {
      return fail(id + " has ended: " + events::name(ended.verdict),
                  "`cnplay show " + id + "` says how");
    }
    if (began.rollback) {
      const std::string of = began.rollback_of.value_or("RUN");
      const bool undo = *began.rollback == run::kUndo;
      return fail(id + (undo ? " is the undo of " : " is a rollback of ") + of +
                      ", and has ended: " + events::name(ended.verdict),
                  undo ? "for what it could not undo: cnplay undo " + of
                       : "to repeat it: cnplay rollback " + of + " " + *began.rollback);
    }
  }
  if (began.mode == events::Mode::check) {
    return fail(id + " is a dry run: there is nothing to resume", "start it again");
  }
  if (began.only_preflight.value_or(false)) {
    return fail(id + " is a preflight alone: there is nothing to resume", "start it again");
  }
  if (!record.plans_fit) {
    return fail(id + ": its plan.json is not the one that it was started or resumed with",
                "it was changed, or written by another version of cnplay: finish it by hand; "
                "`cnplay show " +
                    id + "` says how far it came");
  }
  return {};
}

// What was forgotten for longer is not resumed unless it is named.
constexpr Duration kForgotten = std::chrono::hours(24);

// The newest run that was interrupted or is parked.
Result<std::string> cut_off_run(const Disk& disk, const std::string& root) {
  const auto runs = journal::unfinished_runs(disk, root);
  for (auto id = runs.rbegin(); id != runs.rend(); ++id) {
    const auto record = journal::read_run(disk, root + "/" + *id);
    if (!record || !can_go_on(*id, *record, false)) continue;
    const Duration ago = SystemClock().now() - record->events.back().at;
    if (ago < kForgotten) return *id;
    return fail(
        "the newest run that was interrupted is " + *id + ", " + human_duration(ago) + " ago",
        "name it, if that is what you mean: cnplay resume " + *id);
  }
  std::string failed;
  for (const journal::Summary& run : journal::finished_runs(disk, root)) {
    const bool may =
        run.mode == "apply" && run.rollback.empty() && !is_one_command(disk, root, run.id);
    if (may) failed = run.verdict == "success" || run.verdict == "refused" ? "" : run.id;
  }
  return fail("no recorded run was interrupted or is parked" +
                  (runs.empty() ? std::string()
                                : " in a way that can be resumed: the newest is " + runs.back()),
              failed.empty() ? "`cnplay runs` lists them; `cnplay resume RUN` says why one cannot "
                               "be resumed"
                             : "the newest run has failed: cnplay resume " + failed);
}

enum class GoOn { recorded, changed, not_at_all };

// A run that was interrupted goes on with the plan that is on record, or with the play as it is
// now; one that has failed with the latter, for that is where it was fixed. What has changed in the
// play since is shown, and asked.
GoOn goes_on_with(const journal::Record& record, const Options& options, bool may_change,
                  std::vector<std::string>& changed) {
  const bool failed = has_ended(record);
  const auto changes = changes_since(record);
  if (!changes) {
    std::cerr << "cnplay: it is not known whether the play has changed: " << changes.error().what
              << "; the run continues with its recorded plan\n";
    return GoOn::recorded;
  }
  if (changes->empty()) return GoOn::recorded;
  changed = *changes;
  std::cerr << "cnplay: the play has changed since this run began:\n";
  for (const std::string& line : changed) std::cerr << "  " << line << "\n";
  const std::string question = failed ? "Continue with the play as it is now?"
                                      : "Continue with the plan as it was recorded?";
  const GoOn yes = failed ? GoOn::changed : GoOn::recorded;
  if (options.yes) return say_yes(question) ? yes : GoOn::not_at_all;
  if (!somebody_is_there()) {
    std::cerr << "cnplay: the run is not resumed: nobody is at a terminal to answer: " << question
              << "\nhelp: "
              << (failed ? "`-y` says yes"
                         : "`-y` continues with the recorded plan, `--take-changes` with the play "
                           "as it is now")
              << "\n";
    return GoOn::not_at_all;
  }
  if (!may_change) return ask_yes_no(question) ? yes : GoOn::not_at_all;
  const auto answer = ask_line(question + (failed ? " [y/N; r: with the plan as it was recorded]"
                                                  : " [y/N; c: with the play as it is now]"));
  if (answer == "y" || answer == "yes") return yes;
  if (answer == (failed ? "r" : "c")) return failed ? GoOn::recorded : GoOn::changed;
  return GoOn::not_at_all;
}

}  // namespace

int resume_run(const Options& options, const std::string& id, Resume end) {
  SystemDisk disk;
  const std::string root = runs_root();
  const std::string path = root + "/" + id;
  if (auto status = check_record(root, path); !status) return usage_error(status.error());
  const bool onward = end == Resume::onward;
  // Before anything is changed there: what has ended stays as it is.
  if (auto record = journal::read_run(disk, path); !record) {
    return usage_error(record.error());
  } else if (auto status = can_go_on(id, *record, onward); !status) {
    return usage_error(status.error());
  }
  auto directory = journal::RunDirectory::reopen(disk, path, user_name() + " on " + machine_name());
  if (!directory) return usage_error(directory.error());
  auto record = journal::read_run(disk, path);
  if (!record) return usage_error(record.error());
  if (auto status = can_go_on(id, *record, onward); !status) return usage_error(status.error());
  const events::RunStarted began = std::get<events::RunStarted>(record->events.front().what);
  if (began.rollback && (options.take_changes || !options.from.empty())) {
    return refused(fail(id + " rolls back " + began.rollback_of.value_or("a run") +
                            ": once, and by the plan of that run",
                        "resume it without --from and --take-changes"));
  }
  std::vector<std::string> changed;
  const GoOn how = !onward ? GoOn::recorded
                   : options.take_changes
                       ? GoOn::changed
                       : goes_on_with(*record, options, !began.rollback, changed);
  if (how == GoOn::not_at_all) return kRefused;
  std::string from = options.from;
  if (how == GoOn::changed || has_ended(*record)) {
    const TakeUp what{id, disk, **directory, path};
    if (const auto code = take_up(what, options, how == GoOn::changed, *record, from)) return *code;
    if (how == GoOn::changed) changed.clear();
  }

  CutOff cut_off{std::move(*directory), record->events, {}, {}, std::move(changed)};
  cut_off.end = !onward;
  if (!from.empty()) {
    const auto node = find_step(record->in_force(), from);
    if (!node) return usage_error(node.error());
    if (auto status = run::can_rerun(record->plan, record->events, *node); !status) {
      return refused(status.error());
    }
    cut_off.from = *node;
  }
  auto without = hosts_without(record->in_force(), options.without);
  if (!without) return usage_error(without.error());
  cut_off.without = *std::move(without);
  // A way back goes by the facts of the run that it takes back.
  Result<journal::Record> source = journal::Record{};
  std::optional<TakenBack> taken_back;
  if (began.rollback && began.rollback_of) {
    const std::string& of = *began.rollback_of;
    source = journal::read_run(disk, root + "/" + of);
    if (!source) return usage_error(source.error());
    if (auto status = can_be_taken_back(of, *source); !status) return usage_error(status.error());
    taken_back.emplace();
    taken_back->way = {of, *began.rollback, &source->events, &source->plan, {}};
    if (taken_back->way.undo()) taken_back->way.undone = undone_of(disk, root, of);
  }
  const auto view = [](const plan::Plan& plan, const Options& shown) {
    return make_view(plan, shown, Moment::now);
  };
  const auto vault = VaultAccess::make(options, record->plan.vault_file);
  if (!vault) return usage_error(vault.error());
  return execute(record->plan, options, **vault, view, true, std::move(cut_off), taken_back);
}

int resume_command(const Options& options) {
  const SystemDisk disk;
  const std::string root = runs_root();
  if (auto status = check_runs_root(root); !status) return usage_error(status.error());
  const auto id =
      options.topic.empty() ? cut_off_run(disk, root) : find_run(disk, root, options.topic);
  if (!id) return usage_error(id.error());
  const int code = resume_run(options, *id, Resume::onward);
  if (code == kAborted) offer_undo(options, *id);
  return code;
}

}  // namespace cnplay::cli
