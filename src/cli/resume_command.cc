#include <algorithm>
#include <iostream>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/changed.h"
#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/project.h"
#include "cli/taken_back.h"
#include "cli/views.h"
#include "cli/wiring.h"
#include "run/restart.h"

namespace cnplay::cli {
namespace {

// Why there is nothing to go on with, if so.
Status can_go_on(const std::string& id, const journal::Record& record) {
  const auto& events = record.events;
  if (events.empty() || !std::holds_alternative<events::RunStarted>(events.front().what)) {
    return fail(id + " was cut off before it began: nothing was done", "start it anew");
  }
  const auto& began = std::get<events::RunStarted>(events.front().what);
  for (const events::Event& event : events) {
    const auto* ended = std::get_if<events::RunEnded>(&event.what);
    if (ended == nullptr) continue;
    return fail(id + " has ended: " + events::name(ended->verdict),
                "`cnplay show " + id + "` says how");
  }
  if (began.mode == events::Mode::check) {
    return fail(id + " is a dry run: there is nothing to go on with", "start it anew");
  }
  if (began.only_preflight.value_or(false)) {
    return fail(id + " is a preflight alone: there is nothing to go on with", "start it anew");
  }
  if (began.plan_hash != plan::hash(record.plan)) {
    return fail(id + ": its plan.json is not the one that it was begun with",
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
    if (!record || !can_go_on(*id, *record)) continue;
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

// A run goes on with the plan that is on record. What has changed in the play since is shown, and
// asked.
bool goes_on_with(const plan::Plan& recorded, const Options& options,
                  std::vector<std::string>& changed) {
  const auto changes = changes_since(recorded);
  if (!changes) {
    std::cerr << "cnplay: whether the play has changed since is not known: " << changes.error().what
              << "; the run goes on with its recorded plan\n";
    return true;
  }
  if (changes->empty()) return true;
  changed = *changes;
  std::cerr << "cnplay: the play has changed since this run began:\n";
  for (const std::string& line : changed) std::cerr << "  " << line << "\n";
  const std::string question = "Go on with the plan as it was recorded?";
  if (options.yes) return say_yes(question);
  if (somebody_is_there()) return ask_yes_no(question);
  std::cerr << "cnplay: it is not taken up: nobody is at a terminal to say whether it goes on with "
               "the recorded plan\nhelp: `-y` says so; a changed plan is never taken up: end this "
               "run, and start the changed play with --start-at STEP\n";
  return false;
}

}  // namespace

int resume_command(const Options& options) {
  SystemDisk disk;
  const std::string root = runs_root();
  auto id = options.topic.empty() ? cut_off_run(disk, root) : find_run(disk, root, options.topic);
  if (!id) return usage_error(id.error());
  const std::string path = root + "/" + *id;
  // Before anything is changed there: what has ended stays as it is.
  if (auto record = journal::read_run(disk, path); !record) {
    return usage_error(record.error());
  } else if (auto status = can_go_on(*id, *record); !status) {
    return usage_error(status.error());
  }
  auto directory = journal::RunDirectory::reopen(disk, path, user_name() + " on " + machine_name());
  if (!directory) return usage_error(directory.error());
  auto record = journal::read_run(disk, path);
  if (!record) return usage_error(record.error());
  if (auto status = can_go_on(*id, *record); !status) return usage_error(status.error());

  CutOff cut_off{std::move(*directory), record->events, {}, {}, {}};
  const auto& began = std::get<events::RunStarted>(record->events.front().what);
  if (!options.from.empty()) {
    if (began.rollback) {
      return refused(fail("--from: " + *id + " is a way back, which is gone once",
                          "resume it without --from"));
    }
    const auto from = find_step(record->plan, options.from);
    if (!from) return usage_error(from.error());
    if (auto status = run::can_restart(record->plan, record->events, *from); !status) {
      return refused(status.error());
    }
    cut_off.from = *from;
  }
  auto without = hosts_without(record->plan, options.without);
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
    taken_back->way = {*began.rollback_of, *began.rollback, &source->events};
  }
  if (!goes_on_with(record->plan, options, cut_off.changed)) return kRefused;
  const auto view = [](const plan::Plan& plan, const Options& how) {
    return make_view(plan, how, Moment::now);
  };
  const auto vault = VaultAccess::make(options, record->plan.vault_file);
  if (!vault) return usage_error(vault.error());
  return execute(record->plan, options, **vault, view, true, std::move(cut_off), taken_back);
}

}  // namespace cnplay::cli
