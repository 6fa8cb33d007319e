// The loop's watchdog: what it tells of, and what it does not. Other tests rely on its silence.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "support/ssh/client.h"
#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

class WatchdogTest : public testing::Test {
 protected:
  void SetUp() override {
    Options options;
    options.threads = 1;
    options.on_slow_handler = [this](microseconds, const char*) { ++told_; };
    transport_ = make_transport(options);
    connection_ = transport_->make(sshd_.settings());
  }

  // How often the watchdog spoke while `work` ran on the loop.
  int told_of(const std::function<void()>& work) {
    on_strand(*connection_, work);
    on_strand(*connection_, [] {});  // the handler before it has been measured by now
    return told_.exchange(0);
  }

  Sshd sshd_;
  std::atomic<int> told_ = 0;
  std::unique_ptr<Transport> transport_;
  std::shared_ptr<Connection> connection_;
};

void compute(milliseconds cpu) {
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
  };
  const auto end = now() + cpu;
  while (now() < end) {
  }
}

TEST_F(WatchdogTest, TellsOfAHandlerThatWaits) {
  EXPECT_EQ(told_of([] { std::this_thread::sleep_for(milliseconds(80)); }), 1);
}

TEST_F(WatchdogTest, TellsOfAHandlerThatComputes) {
  EXPECT_EQ(told_of([] { compute(milliseconds(80)); }), 1);
}

// A short handler on a machine that has other things to do is no fault of the handler.
TEST_F(WatchdogTest, TimeThatOthersTakeDoesNotCount) {
  if (!std::ifstream("/proc/thread-self/schedstat")) GTEST_SKIP() << "this kernel does not tell";
  std::atomic<bool> over = false;
  std::vector<std::jthread> others(16 * std::thread::hardware_concurrency());
  for (auto& other : others) {
    other = std::jthread([&over] {
      while (!over) {
      }
    });
  }
  milliseconds wall{};
  int told = 0;
  // How much the others take is up to the kernel: again, until it was enough to be noticed.
  for (int attempt = 0; attempt < 20 && told == 0 && wall <= milliseconds(50); ++attempt) {
    told = told_of([&wall] {
      const auto began = std::chrono::steady_clock::now();
      for (int i = 0; i < 5; ++i) {
        compute(milliseconds(4));
        std::this_thread::sleep_for(microseconds(10));
      }
      wall = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    });
  }
  over = true;
  EXPECT_EQ(told, 0);
  EXPECT_GT(wall, milliseconds(50)) << "the others took no time: nothing was tried";
}

}  // namespace
}  // namespace cnplay::ssh::test
