// When a host that cannot be reached is tried again: with growing pauses, for a limited time.
#pragma once

#include <chrono>
#include <string>

#include "base/units.h"

namespace cnplay::remote {

class RetrySchedule {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // The first connection is tried for so long.
  void begin(Duration within);
  // The connection is lost. False: right after a reconnect, so this counts as the same loss, and
  // the time for it is not reset.
  bool lost(const std::string& why);
  // There is a connection again.
  void reconnected();
  // A task has ended: a loss after this is another one.
  void task_ended() { task_ended_ = true; }

  // Next time the longest pause is made.
  void slow_down();
  // When to try next.
  TimePoint next();

  // Why the connection was lost, and whether at `when` it has been lost for longer than `within`.
  const std::string& why() const { return why_; }
  bool lost_for(Duration within, TimePoint when) const { return when - lost_at_ > within; }
  bool may_begin_at(TimePoint when) const { return when <= begin_until_; }

 private:
  TimePoint begin_until_;
  TimePoint lost_at_;
  TimePoint back_at_;
  bool task_ended_ = true;  // since then
  std::string why_;
  Duration pause_{0};
};

}  // namespace cnplay::remote
