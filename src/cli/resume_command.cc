#include <algorithm>
#include <iostream>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/changed.h"
#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/project.h"
#include "cli/take_up.h"
#include "cli/taken_back.h"
#include "cli/trust.h"
#include "cli/views.h"
#include "cli/wiring.h"
#include "events/last.h"
#include "run/restart.h"

namespace cnplay::cli {
namespace {

// Why there is nothing to go on with, if so. `again`: one that has not succeeded is gone on with.
Status can_go_on(const std::string& id, const journal::Record& record, bool again) {
  const auto& events = record.events;
  if (events.empty() || !std::holds_alternative<events::RunStarted>(events.front().what)) {
    return fail(id + " was cut off before it began: nothing was done", "start it anew");
  }
  const auto& began = std::get<events::RunStarted>(events.front().what);
  if (const events::RunEnded* end = events::end_of(record.events)) {
    const events::RunEnded& ended = *end;
    if (ended.forgotten.value_or(false)) {
      return fail(id + " was forgotten: its hosts know nothing of it any more",
                  "look on the hosts for what was done, then start a new run");
    }
    const bool success = ended.verdict == events::Verdict::success;
    if (success || !again) {
      return fail(id + " has ended: " + events::name(ended.verdict),
                  "`cnplay show " + id + "` says how" +
                      (success ? ""
                               : "; with a mended play it goes on where it failed: cnplay resume " +
                                     id + " --take-changes"));
    }
    if (began.rollback) {
      return fail(id + " is a way back, and has ended: " + events::name(ended.verdict),
                  "to take it once more: cnplay rollback " + began.rollback_of.value_or("RUN") +
                      " " + *began.rollback);
    }
  }
  if (began.mode == events::Mode::check) {
    return fail(id + " is a dry run: there is nothing to go on with", "start it anew");
  }
  if (began.only_preflight.value_or(false)) {
    return fail(id + " is a preflight alone: there is nothing to go on with", "start it anew");
  }
  if (!record.plans_fit) {
    return fail(id + ": its plan.json is not the one that it was begun with, or gone on with",
                "it was changed, or written by another version of cnplay: finish by hand what is "
                "left; `cnplay show " +
                    id + "` says how far it came");
  }
  return {};
}

// What was forgotten for longer is not gone on with unless it is meant.
constexpr Duration kForgotten = std::chrono::hours(24);

// The newest run that there is something to go on with.
Result<std::string> cut_off_run(const Disk& disk, const std::string& root) {
  const auto runs = journal::unfinished_runs(disk, root);
  for (auto id = runs.rbegin(); id != runs.rend(); ++id) {
    const auto record = journal::read_run(disk, root + "/" + *id);
    if (!record || !can_go_on(*id, *record, false)) continue;
    const Duration ago = SystemClock().now() - record->events.back().at;
    if (ago < kForgotten) return *id;
    return fail("the newest run that was cut off is " + *id + ", " + human_duration(ago) + " ago",
                "name it, if that is what you mean: cnplay resume " + *id);
  }
  return fail("no run on record was cut off" +
                  (runs.empty() ? std::string()
                                : " in a way that can be mended: the newest is " + runs.back()),
              "`cnplay runs` lists them; `cnplay resume RUN` says why one cannot be taken up");
}

enum class GoOn { recorded, changed, not_at_all };

// A run goes on with the plan that is on record, or with the play as it is now. What has changed in
// it since is shown, and asked.
GoOn goes_on_with(const plan::Plan& recorded, const Options& options, bool may_change,
                  std::vector<std::string>& changed) {
  const auto changes = changes_since(recorded);
  if (!changes) {
    std::cerr << "cnplay: whether the play has changed since is not known: " << changes.error().what
              << "; the run goes on with its recorded plan\n";
    return GoOn::recorded;
  }
  if (changes->empty()) return GoOn::recorded;
  changed = *changes;
  std::cerr << "cnplay: the play has changed since this run began:\n";
  for (const std::string& line : changed) std::cerr << "  " << line << "\n";
  const std::string question = "Go on with the plan as it was recorded?";
  if (options.yes) return say_yes(question) ? GoOn::recorded : GoOn::not_at_all;
  if (!somebody_is_there()) {
    std::cerr << "cnplay: it is not taken up: nobody is at a terminal to say whether it goes on "
                 "with the recorded plan\nhelp: `-y` says so; `--take-changes`: with the play as "
                 "it is now\n";
    return GoOn::not_at_all;
  }
  if (!may_change) return ask_yes_no(question) ? GoOn::recorded : GoOn::not_at_all;
  const auto answer = ask_line(question + " [y/N; c: with the play as it is now]");
  if (answer == "y" || answer == "yes") return GoOn::recorded;
  return answer == "c" ? GoOn::changed : GoOn::not_at_all;
}

}  // namespace

int resume_command(const Options& options) {
  SystemDisk disk;
  const std::string root = runs_root();
  if (auto status = check_runs_root(root); !status) return usage_error(status.error());
  auto id = options.topic.empty() ? cut_off_run(disk, root) : find_run(disk, root, options.topic);
  if (!id) return usage_error(id.error());
  const std::string path = root + "/" + *id;
  if (auto status = check_record(root, path); !status) return usage_error(status.error());
  const bool again = options.take_changes || !options.from.empty();
  // Before anything is changed there: what has ended stays as it is.
  if (auto record = journal::read_run(disk, path); !record) {
    return usage_error(record.error());
  } else if (auto status = can_go_on(*id, *record, again); !status) {
    return usage_error(status.error());
  }
  auto directory = journal::RunDirectory::reopen(disk, path, user_name() + " on " + machine_name());
  if (!directory) return usage_error(directory.error());
  auto record = journal::read_run(disk, path);
  if (!record) return usage_error(record.error());
  if (auto status = can_go_on(*id, *record, again); !status) return usage_error(status.error());
  const events::RunStarted began = std::get<events::RunStarted>(record->events.front().what);
  if (began.rollback && again) {
    return refused(fail(*id + " is a way back, which is gone once, by the plan of its run",
                        "resume it without --from and --take-changes"));
  }
  std::vector<std::string> changed;
  GoOn how = options.take_changes
                 ? GoOn::changed
                 : goes_on_with(record->in_force(), options, !began.rollback, changed);
  if (how == GoOn::not_at_all) return kRefused;
  if (how == GoOn::changed || has_ended(*record)) {
    const TakeUp what{*id, disk, **directory, path};
    if (const auto code = take_up(what, options, how == GoOn::changed, *record)) return *code;
    if (how == GoOn::changed) changed.clear();
  }

  CutOff cut_off{std::move(*directory), record->events, {}, {}, std::move(changed)};
  if (!options.from.empty()) {
    const auto from = find_step(record->in_force(), options.from);
    if (!from) return usage_error(from.error());
    if (auto status = run::can_restart(record->plan, record->events, *from); !status) {
      return refused(status.error());
    }
    cut_off.from = *from;
  }
  auto without = hosts_without(record->in_force(), options.without);
  if (!without) return usage_error(without.error());
  cut_off.without = *std::move(without);
  // A way back goes by the facts of the run that it takes back.
  Result<journal::Record> source = journal::Record{};
  std::optional<TakenBack> taken_back;
  if (began.rollback && began.rollback_of) {
    source = journal::read_run(disk, root + "/" + *began.rollback_of);
    if (!source) return usage_error(source.error());
    if (auto status = can_be_taken_back(*began.rollback_of, *source); !status) {
      return usage_error(status.error());
    }
    taken_back.emplace();
    taken_back->way = {*began.rollback_of, *began.rollback, &source->events, &source->plan};
  }
  const auto view = [](const plan::Plan& plan, const Options& how) {
    return make_view(plan, how, Moment::now);
  };
  const auto vault = VaultAccess::make(options, record->plan.vault_file);
  if (!vault) return usage_error(vault.error());
  return execute(record->plan, options, **vault, view, true, std::move(cut_off), taken_back);
}

}  // namespace cnplay::cli
