// Which steps there is a way back from, in the order they were entered.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "plan/plan.h"

namespace cnplay::run {

class UndoLog {
 public:
  // Right before the first task of the step on `host` that may apply.
  void registered(plan::NodeId node, plan::HostIndex host);
  // That task has ended: did its apply run, or may it have? One that found nothing to do leaves
  // nothing to undo.
  void settled(plan::NodeId node, plan::HostIndex host, bool applied);
  // It was undone there before.
  void forget(plan::NodeId node, plan::HostIndex host);
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

 private:
  struct Entry {
    std::size_t order = 0;
    std::map<plan::HostIndex, bool> hosts;  // true: applied
  };
  std::map<plan::NodeId, Entry> steps_;
  std::size_t order_ = 0;
};

}  // namespace cnplay::run
