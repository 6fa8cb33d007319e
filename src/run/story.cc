#include "run/story.h"

#include <algorithm>

#include "events/about.h"
#include "run/recall.h"
#include "run/take_up.h"

namespace cnplay::run {

using namespace events;  // all that this is about
using plan::HostIndex;
using plan::NodeId;

// What happened before `from`. `seen`: something that did not has been met.
bool Story::is_before(const Event& event, NodeId from, bool& seen) const {
  if (const auto* ended = std::get_if<PhaseEnded>(&event.what)) {
    return plan_.phases[ended->phase].end < from;
  }
  const auto node = node_of(event);
  if (!node) return true;
  // Handlers run where all hosts meet: what they do belongs to what is done around them.
  const bool before = (part_of(event) == Part::handler) ? !seen : *node < from;
  seen = seen || !before;
  return before;
}

// Whether it has changed something that its step's `undo` has not reverted since.
bool Story::is_undoable(const ActionEnded& ended, std::uint64_t seq) const {
  const auto undone = undone_.find({ended.node, ended.host});
  return ended.applied && ended.part == Part::forward &&
         (undone == undone_.end() || undone->second < seq);
}

void Story::rerun_from(NodeId from) {
  Rerun rerun;
  rerun.from = from;
  bool seen = false;
  std::vector<const Event*> kept;
  for (const Event* event : events_) {
    if (is_before(*event, from, seen)) {
      kept.push_back(event);
    } else if (const auto* e = std::get_if<ActionEnded>(&event->what);
               e != nullptr && is_undoable(*e, event->seq)) {
      rerun.applied.push_back(e);
    }
  }
  for (auto it = done_.begin(); it != done_.end();) {
    if (it->second.node < from) {
      ++it;
      continue;
    }
    if (is_undoable(it->second, 0)) {
      rerun.applied.push_back(&set_aside_.emplace_back(std::move(it->second)));
    }
    it = done_.erase(it);
  }
  leave_only(kept);
  rerun.at = events_.size();
  reruns_.push_back(std::move(rerun));
}

void Story::leave_only(const std::vector<const Event*>& kept) {
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
  // Where an earlier rerun stands in what is left.
  for (Rerun& earlier : reruns_) {
    const auto end = events_.begin() + static_cast<std::ptrdiff_t>(earlier.at);
    earlier.at = static_cast<std::size_t>(std::count_if(events_.begin(), end, is_left));
  }
  std::erase_if(events_, [&](const Event* event) { return !is_left(event); });
}

std::optional<std::vector<const ActionEnded*>> Story::take_rerun(std::size_t at) {
  if (reruns_.empty() || reruns_.front().at > at) return std::nullopt;
  auto applied = std::move(reruns_.front().applied);
  reruns_.erase(reruns_.begin());
  return applied;
}

void Story::go_forward_again() {
  Kept kept = keep(plan_, events_);
  Rerun rerun;
  for (auto& [unit, seq] : kept.undone) undone_[unit] = seq;
  for (ActionEnded& ended : kept.applied) {
    const NodeId now = node_of_now(plan_, ended.node).value_or(ended.node);
    if (kept.undone.contains({now, ended.host})) continue;
    rerun.applied.push_back(&set_aside_.emplace_back(std::move(ended)));
  }
  done_.clear();
  for (ActionEnded& ended : kept.done) {
    const Place place{ended.node, ended.host, ended.action};
    done_.insert_or_assign(place, std::move(ended));
  }
  leave_only(kept.story);
  rerun.at = events_.size();
  std::vector<bool> leads(plan_.nodes.size(), false);
  for (const Event* event : events_) {
    std::visit(
        [&]<class E>(const E& e) {
          if constexpr (OfPart<E>) {
            if (e.part != Part::forward) return;
            rerun.begun.insert({e.node, e.host});
            leads[e.node] = true;
          } else if constexpr (std::is_same_v<E, BarrierPassed> || std::is_same_v<E, WaitStarted> ||
                               std::is_same_v<E, HumanStarted> || std::is_same_v<E, HumanEnded> ||
                               std::is_same_v<E, AssertionChecked> || std::is_same_v<E, Pivoted>) {
            rerun.points.insert(e.node);
            leads[e.node] = true;
          }
        },
        event->what);
  }
  // Edges point backwards.
  for (std::size_t id = leads.size(); id-- > 0;) {
    if (!leads[id]) continue;
    for (const plan::Edge& edge : plan_.nodes[id].after) leads[edge.from] = true;
  }
  rerun.leads = std::move(leads);
  reruns_.push_back(std::move(rerun));
}

const ActionEnded* Story::done(NodeId node, HostIndex host, std::uint32_t action) const {
  const auto found = done_.find({node, host, action});
  return found == done_.end() ? nullptr : &found->second;
}

bool Story::defers(NodeId node, std::optional<HostIndex> host, bool live,
                   std::optional<std::size_t> at) const {
  return std::any_of(reruns_.begin(), reruns_.end(), [&](const Rerun& rerun) {
    if (rerun.from) return node >= *rerun.from;
    if (host && live) return !rerun.begun.contains({node, *host});
    if (rerun.points.contains(node) || rerun.leads[node]) return false;
    if (host) return true;
    // Handlers, or a phase, may be what is next in the story: then this is where it is.
    std::size_t next = at.value_or(events_.size());
    while (next < events_.size() && std::holds_alternative<RunContinued>(events_[next]->what))
      ++next;
    if (next == events_.size()) return true;
    const auto& what = events_[next]->what;
    if (const auto* began = std::get_if<StepStarted>(&what)) return began->part != Part::handler;
    const auto* ended = std::get_if<PhaseEnded>(&what);
    return ended == nullptr || plan_.phases[ended->phase].end != node;
  });
}

}  // namespace cnplay::run
