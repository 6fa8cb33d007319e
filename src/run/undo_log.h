// What steps have changed, which of them there is a way back from, in the order they were entered,
// and what has become of it.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "plan/plan.h"

namespace cnplay::run {

// What became of what a step changed.
enum class Fate { undone, undo_failed, not_undone, no_undo };

class UndoLog {
 public:
  explicit UndoLog(const plan::Plan& plan) : plan_(plan) {}

  // Right before the first task of the step on `host` that may apply.
  void registered(plan::NodeId node, plan::HostIndex host);
  // That task has ended: did its apply run, or may it have? One that found nothing to do leaves
  // nothing to undo.
  void settled(plan::NodeId node, plan::HostIndex host, bool applied);
  // Both, where it is known already that it was changed.
  void changed(plan::NodeId node, plan::HostIndex host);
  // It was undone there before.
  void forget(plan::NodeId node, plan::HostIndex host);
  // An undo that reverse() gave has ended, or could not begin.
  void undone(plan::NodeId node, plan::HostIndex host, bool well);
  // After a point of no return, or an undo: nothing before it is undone.
  void clear() {
    steps_.clear();
    order_ = 0;
  }

  struct Step {
    plan::NodeId node = 0;
    std::vector<plan::HostIndex> hosts;  // sorted
  };
  // In reverse order of the steps entered.
  std::vector<Step> reverse() const;

  using Changes = std::map<std::pair<plan::NodeId, plan::HostIndex>, Fate>;
  const Changes& changes() const { return changes_; }
  // Whether something was changed and is not undone; whether nothing of it is.
  bool left_some() const;
  bool left_all() const;

 private:
  struct Entry {
    std::size_t order = 0;
    std::map<plan::HostIndex, bool> hosts;  // true: applied
  };
  const plan::Plan& plan_;
  std::map<plan::NodeId, Entry> steps_;
  std::size_t order_ = 0;
  Changes changes_;
};

}  // namespace cnplay::run
