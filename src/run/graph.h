// Which points of a section may be started now. The graph stays folded, as in the plan: the work is
// one count for each (step, host) and one for each step, so a section costs its number of
// (step, host) pairs times the edges of a step, whatever the order in which things end.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "plan/plan.h"

namespace cnplay::run {

// A step on one host, or a point that is for none (barrier, pivot, wait, phase end, flush).
struct Ready {
  plan::NodeId node = 0;
  std::optional<plan::HostIndex> host;
};

class Walk {
 public:
  // `live[h]`: host h takes part. Handlers are no part of the walk: they run when notified.
  Walk(const plan::Plan& plan, const plan::Section& section, const std::vector<bool>& live);

  // What became ready, first come first. Each is given out once; finish() must follow.
  std::optional<Ready> pop();
  void finish(const Ready& ended);
  // Instead of finish(): its host had dropped out before it could begin.
  void pass_over(const Ready& gone);
  // Whether no host has been at the step of `ready`, and none is left that may be.
  bool is_last_chance(const Ready& ready) const;

  // Host h takes no further part: what it has not begun counts as gone through, so that nobody
  // waits for it. A step that no host has been at stays with the last of its hosts, and comes out
  // of pop(): that all of its hosts are gone is for the caller to answer.
  void drop(plan::HostIndex host);

  // The first step in source order that `host` has not been through.
  std::optional<plan::NodeId> next_of(plan::HostIndex host) const;
  // The one step that `host` is ready for as soon as it has been through `through`, the steps that
  // it is at or comes to next, in order. nullopt: none, or several, or not for its sake alone.
  std::optional<plan::NodeId> only_next(const std::vector<plan::NodeId>& through,
                                        plan::HostIndex host) const;
  bool done() const { return open_nodes_ == 0; }
  // Counts and edges touched so far, for the test that growth is linear.
  std::uint64_t work() const { return work_; }

 private:
  enum class State : std::uint8_t { waiting, queued, running, done };
  struct Point {
    const plan::Node* node = nullptr;
    bool single = false;  // not a step: one unit for all hosts
    bool complete = false;
    bool worked = false;                          // on some host it has ended
    std::uint32_t gates = 0;                      // predecessors that must be through on all hosts
    std::size_t left = 0;                         // units not through
    std::vector<State> state;                     // by position in node->hosts; one if single
    std::vector<std::uint32_t> waits;             // same-host predecessors not through, likewise
    std::vector<std::uint32_t> gate_to, same_to;  // indexes into points_
  };

  std::optional<std::size_t> position(const Point& point, plan::HostIndex host) const;
  void connect(std::uint32_t from, std::uint32_t to, plan::EdgeKind kind);
  void offer(std::uint32_t index, std::size_t position);
  void open(std::uint32_t index);
  void through(std::uint32_t index, std::size_t position);
  void settle(std::uint32_t index);

  std::vector<Point> points_;
  std::vector<std::uint32_t> index_of_;  // by NodeId; kNone: not in this section
  std::deque<std::pair<std::uint32_t, std::size_t>> queue_;
  std::size_t open_nodes_ = 0;
  std::uint64_t work_ = 0;
};

}  // namespace cnplay::run
