// Going forward once more with a run that has failed, or whose play was changed: what of its record
// still holds, and whether it may.
//
// What failed is done again, what was done is not. A host that others did not wait for stays out.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "events/event.h"
#include "plan/plan.h"
#include "run/run.h"

namespace cnplay::run {

using OnHost = std::pair<plan::NodeId, plan::HostIndex>;

// What a PlanTaken makes of what was followed before it.
struct Kept {
  std::vector<const events::Event*> story;  // the rest of it
  std::set<OnHost> again;                   // failed, and begun anew
  std::optional<plan::NodeId> point;        // the human step or wait at which the run failed
  std::vector<events::ActionEnded> done;    // good actions of what is begun anew: not done again
  std::vector<events::ActionEnded>
      applied;                             // other ones of those, which may have changed something
  std::map<OnHost, std::uint64_t> undone;  // by its `undo`, with the number of the event
  std::set<plan::HostIndex> out;           // hosts that stay out
};
// Whether the run goes forward no more from here on.
bool stops(const events::Event& event);

Kept keep(const plan::Plan& plan, const std::vector<const events::Event*>& story);

// What answered the failure of a run that is to go forward again.
struct FailureAnswer {
  std::optional<plan::NodeId> undone;  // the first step that it has undone
  std::string acted;  // what else it has changed, for people: "`play/step` on web1"; "": nothing
};
FailureAnswer failure_answer(const plan::Plan& recorded, const std::vector<events::Event>& record);

// Whether the run of this record may go forward again, with `after` in the place of `before`, the
// plan in force: `recorded` is that with what else the record tells of (journal::Record::plan).
// `from`: a person has said from where on it is done again, in `after`. `accepted`: or that what
// the failure's answer has changed does not matter. An Error names the step, and what to do
// instead. Besides, what a person should know first, for people, one line each.
Result<std::vector<std::string>> can_take_up(const plan::Plan& recorded, const plan::Plan& before,
                                             const std::vector<events::Event>& record,
                                             const plan::Plan& after,
                                             std::optional<plan::NodeId> from,
                                             bool accepted = false);

// The batches that have begun by this record, in the plan's order: a changed play keeps their
// hosts. `recorded` and `before`: as above.
struct BegunBatch {
  std::string phase;  // its path
  std::vector<std::string> hosts;
};
std::vector<BegunBatch> begun_batches(const plan::Plan& recorded, const plan::Plan& before,
                                      const std::vector<events::Event>& record);

// Whether the record can be followed to its end on this plan, with `options` as the run will have
// them. Nothing is sent, told or asked.
Status can_follow(const plan::Plan& plan, const Options& options);

}  // namespace cnplay::run
