#include <iostream>

#include "cli/commands.h"
#include "cli/project.h"
#include "cli/taken_back.h"
#include "cli/views.h"
#include "cli/wiring.h"
#include "events/last.h"
#include "journal/run_directory.h"
#include "run/people.h"
#include "run/run.h"

namespace cnplay::cli {
int show_command(const Options& options) {
  const SystemDisk disk;
  const std::string root = runs_root();
  auto id = find_run(disk, root, options.topic);
  if (!id) return usage_error(id.error());
  auto record = journal::read_run(disk, root + "/" + *id);
  if (!record) return usage_error(record.error());
  Options how = options;
  how.diff = true;
  const auto view = make_view(record->plan, how, Moment::past);
  for (const auto& event : record->events) view->on(event);
  const auto* began = record->events.empty()
                          ? nullptr
                          : std::get_if<events::RunStarted>(&record->events.front().what);
  if (began != nullptr && began->rollback && !options.json) {
    if (*began->rollback == run::kUndo) {
      std::cout << "this run is the undo of " << began->rollback_of.value_or("") << "\n";
    } else {
      std::cout << "this run is the rollback `" << *began->rollback << "` of "
                << began->rollback_of.value_or("") << "\n";
    }
  }
  if (began != nullptr && began->inside && !options.json) {
    std::cout << "a task of the run " << *began->inside << " has started this run\n";
  }
  for (const WayTaken& way : ways_taken(disk, root, *id, *record)) {
    if (options.json || way.dry || way.run == *id) continue;
    const bool undo = way.rollback == run::kUndo;
    const std::string what = undo ? "undone" : "rolled back";
    std::cout << (way.complete ? what + " by "
                  : way.ended  ? what + " in part by "
                               : "being " + what + " by ")
              << way.run << (undo ? "" : ", `" + way.rollback + "`") << "\n";
  }
  const events::Event* const last = events::last_of(record->events);
  const bool ended = last != nullptr && std::holds_alternative<events::RunEnded>(last->what);
  const auto* parked = last != nullptr ? std::get_if<events::RunParked>(&last->what) : nullptr;
  if (run::asked_in(record->plan, record->events) && !options.json) {
    std::cout << "the run waits for people; then: cnplay resume " << *id << "\n";
  } else if (parked != nullptr && !options.json) {
    std::cout << "the run is parked (" << parked->reason << "): cnplay resume " << *id << "\n";
  } else if (!ended && !options.json) {
    std::cout << "the record ends here: the run is still running, or was interrupted"
              << (record->torn ? " (its last line is incomplete)" : "") << "\n";
  }
  return kSuccess;
}

}  // namespace cnplay::cli
