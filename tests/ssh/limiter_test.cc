// How many connections may be on their way at one time.
#include "ssh/limiter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "support/ssh/client.h"
#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {
namespace {

TEST(ConnectLimiter, AFullAddressDoesNotHoldUpTheOthers) {
  ConnectLimiter limiter(3, 2);
  std::string order;
  const auto want = [&](const std::string& address, char name) {
    return limiter.acquire(address, [&order, name] { order += name; });
  };
  want("a", '1');
  want("a", '2');
  want("a", '3');  // a is full
  want("b", '4');
  want("b", '5');  // all places are taken
  const auto sixth = want("a", '6');
  EXPECT_EQ(order, "124");
  limiter.release("a");
  EXPECT_EQ(order.size(), 4U);
  EXPECT_TRUE(limiter.give_up("a", sixth));
  EXPECT_FALSE(limiter.give_up("a", sixth));
  limiter.release("b");
  limiter.release("a");
  EXPECT_EQ(order.size(), 5U);
  EXPECT_EQ(order.find('6'), std::string::npos);
}

TEST(ConnectLimiter, ZeroIsNoLimit) {
  ConnectLimiter limiter(0, 0);
  int granted = 0;
  for (int i = 0; i < 100; ++i) limiter.acquire("a", [&] { ++granted; });
  EXPECT_EQ(granted, 100);
}

TEST(ConnectLimiter, NothingIsLostBetweenThreads) {
  ConnectLimiter limiter(3, 2);
  std::atomic<int> active{0};
  std::atomic<int> done{0};
  std::atomic<bool> broken{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string address(1, static_cast<char>('a' + (i + t) % 3));
        std::atomic<bool> granted{false};
        limiter.acquire(address, [&] { granted = true; });
        while (!granted) std::this_thread::yield();
        if (++active > 3) broken = true;
        --active;
        limiter.release(address);
        ++done;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 800);
  EXPECT_FALSE(broken);
}

// sshd drops connections above MaxStartups: all of ours must come in.
TEST(ConnectLimiter, AFleetBehindOneAddressRespectsMaxStartups) {
  const Sshd sshd("MaxStartups 6");
  Options options;
  options.max_connecting_per_address = 2;
  const auto transport = make_transport(options);
  std::vector<std::shared_ptr<Connection>> connections;
  std::atomic<int> fine{0};
  std::atomic<int> answers{0};
  std::atomic<int> failed{0};
  std::promise<void> all;
  for (int i = 0; i < 24; ++i) {
    connections.push_back(transport->make(sshd.settings()));
    connections.back()->connect([&](auto error) {
      ++(error ? failed : fine);
      if (++answers == 24) all.set_value();
    });
  }
  ASSERT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(fine, 24);
  EXPECT_EQ(failed, 0);
}

}  // namespace
}  // namespace cnplay::ssh::test
