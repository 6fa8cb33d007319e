#include "ssh/poller.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cnplay::ssh {
namespace {

struct Counter final : Poller::Waiter {
  void socket_ready() override { ++calls; }
  int calls = 0;
};

struct Pair {
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0); }
  ~Pair() {
    for (const int fd : ends) {
      if (fd >= 0) ::close(fd);
    }
  }
  void say() { EXPECT_EQ(::write(ends[1], "x", 1), 1); }
  void fill() {
    const std::string much(65536, 'x');
    while (::write(ends[0], much.data(), much.size()) > 0) {
    }
  }
  std::array<int, 2> ends{-1, -1};
};

struct PollerTest : ::testing::Test {
  // All that is ready now; what waits for more is left.
  void turn() {
    io.restart();
    while (io.poll() > 0) {
    }
  }
  boost::asio::io_context io{1};
  Poller poller{io};
  Poller::Watch watch;
  std::shared_ptr<Counter> counter = std::make_shared<Counter>();
  Pair pair;
};

TEST_F(PollerTest, CallsOnceForEachWait) {
  ASSERT_TRUE(poller.wait(watch, pair.ends[0], true, false, counter));
  turn();
  EXPECT_EQ(counter->calls, 0);
  pair.say();
  turn();
  EXPECT_EQ(counter->calls, 1);
  pair.say();
  turn();
  EXPECT_EQ(counter->calls, 1) << "nobody had asked again";
  ASSERT_TRUE(poller.wait(watch, pair.ends[0], true, false, counter));
  turn();
  EXPECT_EQ(counter->calls, 2) << "what was there before the wait counts";
}

TEST_F(PollerTest, ASecondWaitAddsToTheFirst) {
  pair.fill();
  ASSERT_TRUE(poller.wait(watch, pair.ends[0], true, false, counter));
  ASSERT_TRUE(poller.wait(watch, pair.ends[0], false, true, counter));
  turn();
  EXPECT_EQ(counter->calls, 0);
  pair.say();
  turn();
  EXPECT_EQ(counter->calls, 1) << "the wish to read was forgotten";
}

TEST_F(PollerTest, TellsOfTheOtherSidesEnd) {
  ASSERT_TRUE(poller.wait(watch, pair.ends[0], true, false, counter));
  ::close(std::exchange(pair.ends[1], -1));
  turn();
  EXPECT_EQ(counter->calls, 1);
}

TEST_F(PollerTest, WhoIsForgottenIsNotCalledAndHoldsNeitherWaiterNorLoop) {
  ASSERT_TRUE(poller.wait(watch, pair.ends[0], true, false, counter));
  EXPECT_EQ(counter.use_count(), 2);
  pair.say();
  poller.forget(watch);
  EXPECT_EQ(counter.use_count(), 1);
  io.run();  // would never return if a wait were left
  EXPECT_EQ(counter->calls, 0);
}

// libssh closes its socket by itself, and the next connection gets the number of the descriptor.
TEST_F(PollerTest, AClosedSocketsWatchIsNotMetByTheNextOneOfItsNumber) {
  ASSERT_TRUE(poller.wait(watch, pair.ends[0], true, false, counter));
  turn();
  const int number = pair.ends[0];
  ::close(std::exchange(pair.ends[0], -1));
  Pair next;
  ASSERT_EQ(::dup2(next.ends[0], number), number);
  Poller::Watch other;
  const auto second = std::make_shared<Counter>();
  ASSERT_TRUE(poller.wait(other, number, true, false, second));
  poller.forget(watch);  // late
  next.say();
  turn();
  EXPECT_EQ(counter->calls, 0);
  EXPECT_EQ(second->calls, 1);
  ::close(number);
}

TEST_F(PollerTest, ManyAtOnceAreAllCalled) {
  std::vector<std::unique_ptr<Pair>> pairs;
  std::vector<Poller::Watch> watches(300);
  for (auto& one : watches) {
    pairs.push_back(std::make_unique<Pair>());
    pairs.back()->say();
    ASSERT_TRUE(poller.wait(one, pairs.back()->ends[0], true, false, counter));
  }
  turn();
  EXPECT_EQ(counter->calls, 300) << "more than one call of epoll_wait gives";
}

TEST_F(PollerTest, ADescriptorThatIsNoneIsRefused) {
  const Status refused = poller.wait(watch, 1'000'000, true, false, counter);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("Bad file descriptor"), std::string::npos)
      << refused.error().what;
  EXPECT_EQ(counter.use_count(), 1);
  io.run();
}

}  // namespace
}  // namespace cnplay::ssh
