// `cnplay undo RUN` and `cnplay cancel RUN`: undo what a run has done that did not succeed.
#include <iostream>
#include <optional>

#include "base/words.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/project.h"
#include "cli/resume.h"
#include "cli/take_up.h"
#include "cli/taken_back.h"
#include "cli/undo.h"
#include "cli/views.h"
#include "cli/wiring.h"
#include "events/last.h"

namespace cnplay::cli {
namespace {

// What only a run of its own that is not over stands in the way of.
Status not_undone_yet(const Disk& disk, const std::string& root, const std::string& id,
                      const journal::Record& record) {
  const events::RunEnded* end = events::end_of(record.events);
  if (end != nullptr && end->verdict == events::Verdict::success) {
    std::string help = "`undo` is for runs that failed or were aborted";
    const auto& ways = record.in_force().rollbacks;
    if (!ways.empty()) help += "; to roll back: cnplay rollback " + id + " " + ways.front().name;
    return fail(id + " has succeeded", help);
  }
  for (const WayTaken& way : ways_taken(disk, root, id, record)) {
    if (way.dry) continue;
    const bool undo = way.rollback == run::kUndo;
    if (!way.ended) {
      return fail(way.run + (undo ? " undoes " : " rolls back ") + id + ", and has not ended",
                  "continue it: cnplay resume " + way.run);
    }
    if (undo && !way.complete) continue;
    return fail(id + (undo ? " was undone by " : " was rolled back by ") + way.run,
                "`cnplay show " + way.run + "` says what it did");
  }
  return {};
}

std::vector<run::UndoLog::Step> left_of(const Disk& disk, const std::string& root,
                                        const std::string& id, const journal::Record& record) {
  return run::undo_left(record.in_force(), record.plan, record.events, undone_of(disk, root, id));
}

std::string named(const plan::Plan& plan, const std::vector<run::UndoLog::Step>& steps) {
  std::vector<std::string> names;
  for (const run::UndoLog::Step& step : steps) {
    const std::string& path = plan.node(step.node).path;
    names.push_back(backquoted(path.substr(path.find('/') + 1)));
  }
  return name_some(names);
}

// Brings a run that has not ended to its end. nullopt: it has ended; else the exit code.
std::optional<int> bring_to_end(const Disk& disk, const std::string& root, const Options& options,
                                const std::string& id) {
  auto record = journal::read_run(disk, root + "/" + id);
  if (!record) return usage_error(record.error());
  if (has_ended(*record)) return std::nullopt;
  const int code = resume_run(options, id, Resume::to_end);
  record = journal::read_run(disk, root + "/" + id);
  if (record && has_ended(*record)) return std::nullopt;
  return code;
}

}  // namespace

std::set<run::OnHost> undone_of(const Disk& disk, const std::string& root, const std::string& id) {
  std::set<run::OnHost> undone;
  for (const journal::Summary& run : journal::finished_runs(disk, root)) {
    if (run.rollback_of != id || run.rollback != run::kUndo) continue;
    const auto record = journal::read_run(disk, root + "/" + run.id);
    if (record) undone.merge(run::undone_by(record->events));
  }
  return undone;
}

int undo_run(const Options& options, const std::string& id, bool must_be_something) {
  const SystemDisk disk;
  const std::string root = runs_root();
  const auto record = journal::read_run(disk, root + "/" + id);
  if (!record) return usage_error(record.error());
  if (auto status = can_be_taken_back(id, *record); !status) return refused(status.error());
  if (auto status = not_undone_yet(disk, root, id, *record); !status) {
    return refused(status.error());
  }
  if (left_of(disk, root, id, *record).empty()) {
    if (!must_be_something) return kSuccess;
    return refused(fail("nothing of " + id +
                            " is left to undo: no step that changed something since the last point "
                            "of no return has an `undo`",
                        "`cnplay show " + id + "` says what was changed: revert it by hand"));
  }
  return take_back(options, *record,
                   {id, run::kUndo, &record->events, &record->plan, undone_of(disk, root, id)});
}

void offer_undo(const Options& options, const std::string& id) {
  if (!somebody_is_there() || options.json) return;
  const SystemDisk disk;
  const std::string root = runs_root();
  const auto record = journal::read_run(disk, root + "/" + id);
  if (!record || !has_ended(*record) || !can_be_taken_back(id, *record)) return;
  const auto left = left_of(disk, root, id, *record);
  if (left.empty()) return;
  const std::string question =
      "Undo what this run has done (" + named(record->in_force(), left) + ")?";
  if (ask_yes_no(question)) {
    undo_run(options, id, true);
  } else {
    std::cerr << "cnplay: nothing was undone; later: cnplay undo " << id << "\n";
  }
}

int undo_command(const Options& options) {
  const SystemDisk disk;
  const std::string root = runs_root();
  const auto id = find_run(disk, root, options.topic);
  if (!id) return usage_error(id.error());
  if (const auto code = bring_to_end(disk, root, options, *id)) return *code;
  return undo_run(options, *id, true);
}

int cancel_command(const Options& options) {
  const SystemDisk disk;
  const std::string root = runs_root();
  const auto id = find_run(disk, root, options.topic);
  if (!id) return usage_error(id.error());
  const auto record = journal::read_run(disk, root + "/" + *id);
  if (!record) return usage_error(record.error());
  if (const events::RunEnded* end = events::end_of(record->events)) {
    return usage_error(fail(*id + " has ended: " + events::name(end->verdict),
                            "to undo what it has done: cnplay undo " + *id));
  }
  if (const auto code = bring_to_end(disk, root, options, *id)) return *code;
  return undo_run(options, *id, false);
}

}  // namespace cnplay::cli
