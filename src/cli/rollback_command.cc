// `cnplay rollback RUN [NAME]`: takes a run back that has ended, by a plan that its play has for
// it.
#include <algorithm>

#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/project.h"
#include "cli/taken_back.h"
#include "cli/views.h"
#include "cli/wiring.h"

namespace cnplay::cli {
namespace {

// The one that is meant; an Error lists those there are.
Result<const plan::Rollback*> which(const std::string& id, const plan::Plan& plan,
                                    const std::string& name) {
  if (plan.rollbacks.empty()) {
    return fail("the play of " + id + " has no rollback",
                "it declares no `rollback`: use `cnplay undo`, revert by hand, or write a play "
                "that reverts it");
  }
  if (const plan::Rollback* way = plan::find_rollback(plan, name)) return way;
  if (name.empty() && plan.rollbacks.size() == 1) return &plan.rollbacks.front();
  std::string list;
  for (const plan::Rollback& way : plan.rollbacks) {
    list += (list.empty() ? "" : "; ") + way.name +
            (way.title == way.name ? "" : " (" + way.title + ")");
  }
  return fail(
      name.empty() ? "the play has several rollbacks" : "there is no rollback `" + name + "`",
      "name one: " + list);
}

// Whether somebody has gone this way already, or is on it.
Status not_taken(const std::vector<WayTaken>& ways, const std::string& id, const std::string& name,
                 bool again) {
  for (const WayTaken& way : ways) {
    if (way.dry || way.rollback != name) continue;
    if (!way.ended) {
      return fail(way.run + " already runs this rollback, and has not ended",
                  "to continue it: cnplay resume " + way.run);
    }
    if (way.complete && !again) {
      return fail(id + " was already rolled back this way" +
                      (way.run == id ? std::string(", by the run itself") : ", by " + way.run),
                  "to repeat it: --again; the checks find what is done already");
    }
  }
  return {};
}

}  // namespace

int rollback_command(const Options& options) {
  const SystemDisk disk;
  const std::string root = runs_root();
  const auto id = find_run(disk, root, options.topic);
  if (!id) return usage_error(id.error());
  const auto record = journal::read_run(disk, root + "/" + *id);
  if (!record) return usage_error(record.error());
  if (auto status = can_be_taken_back(*id, *record); !status) return refused(status.error());
  const auto way = which(*id, record->in_force(), options.rollback);
  if (!way) return usage_error(way.error());
  if (!options.dry_run) {
    const auto ways = ways_taken(disk, root, *id, *record);
    if (auto status = not_taken(ways, *id, (*way)->name, options.again); !status) {
      return refused(status.error());
    }
  }
  return take_back(options, *record, {*id, (*way)->name, &record->events, &record->plan, {}});
}

}  // namespace cnplay::cli
