#include <iostream>

#include "cli/commands.h"
#include "cli/project.h"
#include "cli/views.h"
#include "cli/wiring.h"
#include "journal/run_directory.h"

namespace cnplay::cli {
namespace {

// The run whose id begins with `prefix`, the newest if it is empty.
Result<std::string> find_run(const Disk& disk, const std::string& root, const std::string& prefix) {
  std::vector<std::string> found;
  for (const std::string& id : disk.list(root)) {
    if (id.starts_with(prefix)) found.push_back(id);
  }
  if (found.empty()) {
    return fail(prefix.empty() ? "there is no run on record in " + root
                               : "there is no run `" + prefix + "` in " + root,
                "runs are named like 20261120-213005-update_code-4f2a");
  }
  if (found.size() > 1 && !prefix.empty()) {
    return fail("`" + prefix + "` may be " + found.front() + " or " + found.back(),
                "write more of the name");
  }
  return found.back();
}

}  // namespace

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
  const bool ended = !record->events.empty() &&
                     std::holds_alternative<events::RunEnded>(record->events.back().what);
  if (!ended && !options.json) {
    std::cout << "the record ends here: the run goes on still, or was cut off"
              << (record->torn ? " (its last line is torn)" : "") << "\n";
  }
  return kSuccess;
}

}  // namespace cnplay::cli
