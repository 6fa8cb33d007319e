// Doing again what a run has done from a step on. Of the record, what is about earlier nodes is
// followed as ever; what is about later ones is passed over, and they are held back until the rest
// has been followed. So a host that was behind the others keeps what it had done before the step.
#include "run/restart.h"

#include <algorithm>
#include <map>
#include <set>

#include "events/about.h"
#include "run/replay.h"

namespace cnplay::run {

using namespace events;  // all that this is about
using plan::NodeId;

namespace {

bool is_of_handler(const Event& event) { return part_of(event) == Part::handler; }

bool is_of_other_part(const Event& event) {
  const auto part = part_of(event);
  return part && *part != Part::forward && *part != Part::handler;
}

Status cannot(const std::string& why) { return fail("--from: " + why, "resume it without --from"); }

}  // namespace

Status can_restart(const plan::Plan& plan, const std::vector<Event>& record, NodeId from) {
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

// What of the story happened before `from`. `seen`: something that did not has been met.
bool Replay::counts(const Event& event, NodeId from, bool& seen) const {
  if (const auto* ended = std::get_if<PhaseEnded>(&event.what)) {
    return plan_.phases[ended->phase].end < from;
  }
  const auto node = node_of(event);
  if (!node) return true;
  // Handlers run where all hosts meet: what they do belongs to what is done around them.
  const bool before = is_of_handler(event) ? !seen : *node < from;
  seen = seen || !before;
  return before;
}

void Replay::restart(NodeId from) {
  Restart restart;
  restart.from = from;
  const auto way_back = [&](const ActionEnded& e, std::uint64_t seq) {
    const auto undone = undone_.find({e.node, e.host});
    return e.applied && e.part == Part::forward &&
           (undone == undone_.end() || undone->second < seq);
  };
  bool seen = false;
  std::vector<const Event*> kept;
  for (const Event* event : story_) {
    if (counts(*event, from, seen)) {
      kept.push_back(event);
    } else if (const auto* e = std::get_if<ActionEnded>(&event->what);
               e != nullptr && way_back(*e, event->seq)) {
      restart.applied.push_back(e);
    }
  }
  for (auto it = done_.begin(); it != done_.end();) {
    if (it->second.node < from) {
      ++it;
      continue;
    }
    if (way_back(it->second, 0)) {
      restart.applied.push_back(&set_aside_.emplace_back(std::move(it->second)));
    }
    it = done_.erase(it);
  }
  leave_only(kept);
  restart.at = story_.size();
  restarts_.push_back(std::move(restart));
}

void Replay::leave_only(const std::vector<const Event*>& kept) {
  // A phase has begun if something in it is left.
  std::set<std::uint32_t> open;
  std::set<const Event*> left;
  for (auto event = kept.rbegin(); event != kept.rend(); ++event) {
    if (const auto* began = std::get_if<PhaseStarted>(&(*event)->what)) {
      if (!open.contains(began->phase)) continue;
    }
    if (const auto* ended = std::get_if<PhaseEnded>(&(*event)->what)) open.insert(ended->phase);
    if (const auto node = node_of(**event)) {
      std::uint32_t phase = plan_.node(*node).phase;
      for (; phase != plan::kNone; phase = plan_.phases[phase].parent) open.insert(phase);
    }
    left.insert(*event);
  }
  const auto is_left = [&](const Event* event) { return left.contains(event); };
  // Where an earlier restart stands in what is left.
  for (Restart& earlier : restarts_) {
    const auto end = story_.begin() + static_cast<std::ptrdiff_t>(earlier.at);
    earlier.at = static_cast<std::size_t>(std::count_if(story_.begin(), end, is_left));
  }
  std::erase_if(story_, [&](const Event* event) { return !is_left(event); });
}

std::optional<std::vector<const ActionEnded*>> Replay::restarted() {
  if (!running_ || !problem_.empty() || restarts_.empty() || restarts_.front().at > at_) {
    return std::nullopt;
  }
  auto applied = std::move(restarts_.front().applied);
  restarts_.erase(restarts_.begin());
  return applied;
}

}  // namespace cnplay::run
