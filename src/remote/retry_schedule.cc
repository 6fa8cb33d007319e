#include "remote/retry_schedule.h"

#include <algorithm>

namespace cnplay::remote {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(200);
constexpr Duration kLongestPause = std::chrono::seconds(5);
// A connection that has lasted so long was a good one.
constexpr Duration kGoodLife = std::chrono::seconds(30);

}  // namespace

void RetrySchedule::begin(Duration within) {
  begin_until_ = std::chrono::steady_clock::now() + within;
}

bool RetrySchedule::lost(const std::string& why) {
  const auto now = std::chrono::steady_clock::now();
  const bool another = task_ended_ || now - back_at_ > kGoodLife;
  if (another) {
    lost_at_ = now;
    pause_ = Duration::zero();
  }
  why_ = why;
  return another;
}

void RetrySchedule::reconnected() {
  back_at_ = std::chrono::steady_clock::now();
  task_ended_ = false;
}

void RetrySchedule::slow_down() { pause_ = kLongestPause; }

RetrySchedule::TimePoint RetrySchedule::next() {
  pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  return std::chrono::steady_clock::now() + pause_;
}

}  // namespace cnplay::remote
