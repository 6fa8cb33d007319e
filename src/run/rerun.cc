#include "run/rerun.h"

#include <map>

#include "events/about.h"
#include "run/replay.h"

namespace cnplay::run {

using namespace events;  // all that this is about
using plan::NodeId;

namespace {

bool is_of_other_part(const Event& event) {
  const auto part = part_of(event);
  return part && *part != Part::forward && *part != Part::handler;
}

Status cannot(const std::string& why) { return fail("--from: " + why, "resume it without --from"); }

}  // namespace

Status can_rerun(const plan::Plan& plan, const std::vector<Event>& record, NodeId from) {
  if (!plan.node(from).left_out.empty()) {
    return cannot("`" + plan.node(from).title + "` is left out of this run (" +
                  plan.node(from).left_out + ")");
  }
  const Replay replay(plan, &record);
  if (!replay.problem().empty()) return cannot(replay.problem());
  std::map<std::uint64_t, NodeId> in_flight;
  for (const SentAhead& sent : replay.on_their_way()) in_flight[sent.task] = sent.node;
  for (const Event* event : replay.story()) {
    if (const auto* e = std::get_if<Pivoted>(&event->what); e && e->node >= from) {
      return cannot("the run has passed the point of no return `" + e->title + "` after it");
    }
    if (std::holds_alternative<FailureDeclared>(event->what) || is_of_other_part(*event)) {
      return cannot(
          "the run's answer to the failure (`undo`, `on_failure`, `always`) has begun and has not "
          "ended");
    }
    if (std::holds_alternative<AbortRequested>(event->what)) {
      return cannot("the run is being aborted, and has not ended");
    }
    if (const auto* e = std::get_if<ActionStarted>(&event->what)) in_flight[e->task] = e->node;
    if (const auto* e = std::get_if<ActionEnded>(&event->what)) {
      in_flight.erase(e->task);
      const bool lost = e->outcome == Outcome::unknown && e->part == Part::forward;
      if (lost && e->node >= from && plan.node(e->node).actions[e->action].check == plan::kNone) {
        return cannot("it is not known whether `" + plan.node(e->node).title + "` was done on " +
                      plan.hosts[e->host].name + ", and it has no check that could tell");
      }
    }
    if (const auto* e = std::get_if<RanAhead>(&event->what)) in_flight.erase(e->task);
  }
  for (const auto& [task, node] : in_flight) {
    if (node < from) continue;
    return cannot("`" + plan.node(node).title +
                  "` was in flight, or sent ahead, when the run was interrupted, and may still be "
                  "running on its host");
  }
  return {};
}

}  // namespace cnplay::run
