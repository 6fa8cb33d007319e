// The events of a record that are replayed, in their order. A run that does something again, or
// goes forward again after a failure, leaves events out: what they had done waits until the rest
// has been replayed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::run {

class Story {
 public:
  explicit Story(const plan::Plan& plan) : plan_(plan) {}

  const std::vector<const events::Event*>& events() const { return events_; }
  std::size_t size() const { return events_.size(); }
  const events::Event& operator[](std::size_t at) const { return *events_[at]; }
  // `event` must live as long.
  void add(const events::Event& event) { events_.push_back(&event); }

  // From here on: what the record says of this node and of later ones counts no more, and they wait
  // until the rest has been replayed. What is about earlier nodes is replayed as ever, so a host
  // that was behind the others keeps what it had done before the node.
  void rerun_from(plan::NodeId from);
  // The run goes forward again (take_up.h): what failed, and what has not begun, waits likewise.
  void go_forward_again();

  // Whether this node of the main section, on this host, waits for that. `live`: the host takes
  // part. `next`: the position of the event that is replayed next; nullopt: nothing is replayed.
  bool defers(plan::NodeId node, std::optional<plan::HostIndex> host, bool live,
              std::optional<std::size_t> next) const;
  // Once for each of the above, in their order, after what comes before position `at` has been
  // replayed: the actions that had changed something, and stay registered for undo.
  std::optional<std::vector<const events::ActionEnded*>> take_rerun(std::size_t at);
  // How this action of a step that is begun again ended, if it is not to be done again.
  const events::ActionEnded* done(plan::NodeId node, plan::HostIndex host,
                                  std::uint32_t action) const;

 private:
  struct Rerun {
    std::size_t at = 0;  // in the story
    std::optional<plan::NodeId>
        from{};  // else the run goes forward again, and only this had begun:
    std::set<std::pair<plan::NodeId, plan::HostIndex>> begun{};
    std::set<plan::NodeId> points{};
    std::vector<bool> leads{};  // by node: something after it had
    std::vector<const events::ActionEnded*> applied{};
  };
  using Place = std::tuple<plan::NodeId, plan::HostIndex, std::uint32_t>;

  bool is_before(const events::Event& event, plan::NodeId from, bool& seen) const;
  bool is_undoable(const events::ActionEnded& ended, std::uint64_t seq) const;
  // Leaves no other events than these, and no phase that has nothing in it.
  void leave_only(const std::vector<const events::Event*>& kept);

  const plan::Plan& plan_;
  std::vector<const events::Event*> events_;
  std::vector<Rerun> reruns_;  // in order; those that were reached are gone
  std::map<Place, events::ActionEnded> done_;
  std::map<std::pair<plan::NodeId, plan::HostIndex>, std::uint64_t> undone_;  // by which event
  std::deque<events::ActionEnded> set_aside_;
};

}  // namespace cnplay::run
