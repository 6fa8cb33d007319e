// What still holds of a record once the run goes forward again. The rest of it was about a failure:
// the steps that failed, and what answered that.
#include "run/take_up.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "events/about.h"
#include "run/decide.h"
#include "run/recall.h"

namespace cnplay::run {

using namespace events;  // all that this is about
using plan::HostIndex;
using plan::NodeId;
using plan::NodeKind;

namespace {

std::optional<OnHost> unit_of(const Event& event) {
  return std::visit(
      []<class E>(const E& e) -> std::optional<OnHost> {
        if constexpr (OfPart<E>) return OnHost{e.node, e.host};
        return std::nullopt;
      },
      event.what);
}

std::size_t stop_of(const std::vector<const Event*>& story) {
  const auto at = std::ranges::find_if(story, [](const Event* e) { return stops(*e); });
  return static_cast<std::size_t>(at - story.begin());
}

bool is_handler(const Event& event) { return part_of(event) == Part::handler; }

// Hosts wait for each other here: who was not there by then cannot be put before it.
bool all_meet(const plan::Plan& plan, const Event& event) {
  const auto& what = event.what;
  if (const auto* e = std::get_if<StepStarted>(&what)) {
    const auto& after = plan.node(e->node).after;
    return e->part == Part::handler || std::any_of(after.begin(), after.end(), [&](const auto& a) {
             return a.kind == plan::EdgeKind::all_hosts || plan.node(a.from).kind != NodeKind::step;
           });
  }
  return std::holds_alternative<BarrierPassed>(what) || std::holds_alternative<WaitStarted>(what) ||
         std::holds_alternative<HumanStarted>(what) || std::holds_alternative<HumanEnded>(what) ||
         std::holds_alternative<AssertionChecked>(what) || std::holds_alternative<Pivoted>(what) ||
         std::holds_alternative<PhaseEnded>(what);
}

class Keeper {
 public:
  Keeper(const plan::Plan& plan, const std::vector<const Event*>& story)
      : plan_(plan), story_(story), stop_(stop_of(story)) {
    std::unordered_map<std::string_view, NodeId> first;
    for (const plan::Node& node : plan.nodes) {
      now_.push_back(first.try_emplace(node.path, node.id).first->second);
    }
  }

  Kept keep() {
    find_failures();
    find_undone();
    const std::size_t round = lost_round();
    for (std::size_t i = 0; i < story_.size(); ++i) {
      const Event& event = *story_[i];
      if ((is_handler(event) || is_flush(event)) && i >= round) continue;
      if (const auto* ran = std::get_if<RanAhead>(&event.what)) {
        if (kept_.out.contains(ran->host)) {
          kept_.story.push_back(&event);
        } else {
          set_aside(*ran);
        }
      } else if (const auto unit = unit_of(event);
                 unit && part_of(event) == Part::forward &&
                 kept_.again.contains({now_[unit->first], unit->second})) {
        if (const auto* ended = std::get_if<ActionEnded>(&event.what)) set_aside(*ended);
      } else if (counts(i)) {
        kept_.story.push_back(&event);
      }
    }
    return std::move(kept_);
  }

 private:
  void find_failures() {
    std::size_t last_meeting = 0;  // one behind it
    for (std::size_t i = 0; i < stop_; ++i) {
      if (all_meet(plan_, *story_[i])) last_meeting = i + 1;
    }
    for (std::size_t i = 0; i < story_.size(); ++i) {
      const auto* lost = std::get_if<HostLost>(&story_[i]->what);
      if (lost != nullptr && i < last_meeting) kept_.out.insert(lost->host);
      const auto* end = std::get_if<StepEnded>(&story_[i]->what);
      if (end == nullptr || !is_failure(end->outcome)) continue;
      if (end->part != Part::forward && end->part != Part::handler) continue;
      if (i < last_meeting && !meets_at(i, last_meeting)) kept_.out.insert(end->host);
      if (end->part == Part::forward) kept_.again.insert({now_[end->node], end->host});
    }
    std::erase_if(kept_.again, [&](const OnHost& unit) { return kept_.out.contains(unit.second); });
    if (stop_ == story_.size()) return;
    if (const auto* e = std::get_if<FailureDeclared>(&story_[stop_]->what)) {
      const NodeKind kind = plan_.node(e->node).kind;
      if (kind == NodeKind::human || kind == NodeKind::wait || kind == NodeKind::assertion) {
        kept_.point = e->node;
      }
    }
  }

  // A point at which a round of handlers begins.
  bool is_flush(const Event& event) const {
    const auto* passed = std::get_if<BarrierPassed>(&event.what);
    if (passed == nullptr) return false;
    const NodeKind kind = plan_.node(passed->node).kind;
    return kind == NodeKind::flush || kind == NodeKind::batch_end;
  }

  // A handler that failed is met by nobody but its own round.
  bool meets_at(std::size_t i, std::size_t last) const {
    if (!is_handler(*story_[i])) return false;
    for (std::size_t k = i; k < last; ++k) {
      if (all_meet(plan_, *story_[k]) && !is_handler(*story_[k])) return false;
    }
    return true;
  }

  void find_undone() {
    for (const Event* event : story_) {
      const auto* end = std::get_if<StepEnded>(&event->what);
      if (end != nullptr && end->part == Part::undo && !is_failure(end->outcome)) {
        kept_.undone[{end->node, end->host}] = event->seq;
      }
    }
  }

  // A round of handlers is begun anew if one failed, or if the stop came before its end: what came
  // of it does not count any more, and its task must not be started under its old id. From here on
  // handlers do not count.
  std::size_t lost_round() const {
    const std::size_t open = first_open_handler();
    std::size_t round = std::min(open, stop_);
    bool failed = open < stop_;
    for (std::size_t i = failed ? open + 1 : stop_; i-- > 0;) {
      const Event& event = *story_[i];
      if (is_handler(event)) {
        const auto* end = std::get_if<StepEnded>(&event.what);
        failed = failed ||
                 (end != nullptr && is_failure(end->outcome) && !kept_.out.contains(end->host));
        round = i;
        continue;
      }
      const auto* began = std::get_if<StepStarted>(&event.what);
      const bool other = began != nullptr || all_meet(plan_, event);
      if (failed && round < stop_ && is_flush(event)) round = i;  // it begins the round
      if (other) break;
    }
    return failed ? round : stop_;
  }

  // Where the first handler began that was at work when the run stopped, and has ended since.
  // `stop_`: there is none. One that has not ended is in flight: it is followed under its id.
  std::size_t first_open_handler() const {
    std::map<OnHost, std::size_t> open, ended;
    for (std::size_t i = 0; i < story_.size(); ++i) {
      if (!is_handler(*story_[i])) continue;
      const auto* began = std::get_if<StepStarted>(&story_[i]->what);
      if (began != nullptr && i < stop_) open.try_emplace({began->node, began->host}, i);
      const auto* end = std::get_if<StepEnded>(&story_[i]->what);
      if (end == nullptr) continue;
      auto unit = open.extract({end->node, end->host});
      if (unit && i >= stop_) ended.insert(std::move(unit));
    }
    std::size_t first = stop_;
    for (const auto& [unit, at] : ended) first = std::min(first, at);
    return first;
  }

  bool counts(std::size_t i) const {
    const Event& event = *story_[i];
    if (const auto* lost = std::get_if<HostLost>(&event.what)) {
      return kept_.out.contains(lost->host);
    }
    if (kept_.point) {
      const bool of_it = std::visit(
          [&]<class E>(const E& e) {
            if constexpr (requires { e.node; } && !OfPart<E>) {
              if constexpr (std::is_same_v<std::remove_cvref_t<decltype(e.node)>, NodeId>) {
                return e.node == *kept_.point;
              }
            }
            return false;
          },
          event.what);
      if (of_it) return false;
    }
    if (i < stop_) return true;
    // What was in flight then went to its end; nothing else was begun.
    return part_of(event) == Part::forward;
  }

  void set_aside(const RanAhead& ran) { set_aside(ended_of(ran)); }
  void set_aside(const ActionEnded& ended) {
    const auto same = [&](const ActionEnded& e) {
      return e.node == ended.node && e.host == ended.host && e.action == ended.action;
    };
    std::erase_if(kept_.done, same);
    const bool former = now_[ended.node] != ended.node;  // it has been changed since
    if (!is_failure(ended.outcome) && !former) {
      kept_.done.push_back(ended);
    } else if (ended.applied) {
      kept_.applied.push_back(ended);
    }
  }

  const plan::Plan& plan_;
  const std::vector<const Event*>& story_;
  const std::size_t stop_;
  std::vector<NodeId> now_;  // by node: the one that stands in its place in the plan of now
  Kept kept_;
};

}  // namespace

// A run that has lost hosts may come to its end without a failure, and to what is always done
// there.
bool stops(const Event& event) {
  return std::holds_alternative<FailureDeclared>(event.what) ||
         std::holds_alternative<AbortRequested>(event.what) ||
         std::holds_alternative<DeadlinePassed>(event.what) || part_of(event) == Part::always;
}

Kept keep(const plan::Plan& plan, const std::vector<const Event*>& story) {
  return Keeper(plan, story).keep();
}

}  // namespace cnplay::run
