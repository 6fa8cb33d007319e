// The timers of steps: pauses before a further attempt, timeouts that the remote did not keep.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "run/step_run.h"

namespace cnplay::run {

class StepTimers {
 public:
  // The step's timer from now on: an earlier one no longer counts. `when`: on the steady clock.
  void set(StepRun& step, Duration when) {
    step.timer = ++last_;
    timers_.push({when, step.id, step.timer});
  }
  // The nearest; perhaps one that no longer counts: an early look does no harm.
  std::optional<Duration> next() const {
    return timers_.empty() ? std::nullopt : std::optional(timers_.top().when);
  }
  struct Timer {
    Duration when;
    StepRunId step;
    std::uint64_t serial;  // counts if it is the step's
    bool operator>(const Timer& o) const {
      return std::pair(when, serial) > std::pair(o.when, o.serial);
    }
  };
  // Takes one that is due, the earliest first.
  std::optional<Timer> take_due(Duration now) {
    if (timers_.empty() || timers_.top().when > now) return std::nullopt;
    const Timer timer = timers_.top();
    timers_.pop();
    return timer;
  }

 private:
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::uint64_t last_ = 0;
};

}  // namespace cnplay::run
