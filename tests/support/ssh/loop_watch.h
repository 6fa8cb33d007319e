// Test support: asks that nothing blocks the event loop.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <vector>

#include "ssh/transport.h"

namespace cnplay::ssh::test {

// Collects what the loop's watchdog tells of. Outlives the transport; any thread.
class LoopWatch {
 public:
  void watch(Options& options) {
    options.on_slow_handler = [this](std::chrono::microseconds took, const char*) {
      const std::lock_guard lock(mutex_);
      slow_.push_back(took);
    };
  }

  // Code that blocks does so each time, or for as long as its peer stalls. Less than that is the
  // machine's: a virtual one can be held up as a whole, and counts that as a handler's own time.
  void expect_nothing_blocked() const {
    constexpr std::size_t kByTheMachine = 2;
    constexpr std::chrono::seconds kStall{1};
    const std::lock_guard lock(mutex_);
    EXPECT_LE(slow_.size(), kByTheMachine) << "handlers of the loop took too long";
    for (const auto took : slow_) EXPECT_LT(took, kStall) << "a handler of the loop blocked";
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::chrono::microseconds> slow_;
};

}  // namespace cnplay::ssh::test
