// What hosts have printed and the runner has not taken yet is bounded, however many there are.
#include <gtest/gtest.h>

#include "remote/event_queue.h"

namespace cnplay::remote {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

// Each host prints until it is told to wait. The bytes that the queue then holds.
std::size_t held(EventQueue& queue, HostIndex hosts) {
  std::size_t bytes = 0;
  for (HostIndex host = 0; host < hosts; ++host) {
    bool more = true;
    for (int i = 0; more && i < 1000; ++i) {
      more = queue.push_output({.task = host + 1,
                                .host = host,
                                .stage = Stage::apply,
                                .stream = Stream::out,
                                .bytes = Untrusted(std::string(8192, 'x'))});
      bytes += 8192;
    }
    EXPECT_FALSE(more) << "host " << host << " is never told to wait";
  }
  return bytes;
}

TEST(EventQueue, OneHostMayBeAheadByItsOwnLimit) {
  EventQueue queue(kMiB, 3);
  const std::size_t bytes = held(queue, 3);
  EXPECT_GT(bytes, 3 * kMiB);
  EXPECT_LT(bytes, 4 * kMiB);
}

TEST(EventQueue, ManyHostsShareABound) {
  for (const HostIndex hosts : {64U, 200U, 1000U}) {
    EventQueue queue(kMiB, hosts);
    const std::size_t bytes = held(queue, hosts);
    EXPECT_GT(bytes, 8 * kMiB) << hosts;
    EXPECT_LT(bytes, 32 * kMiB) << hosts;
  }
}

TEST(EventQueue, AHostThatWaitsIsNamedOnceItsBytesWereTaken) {
  EventQueue queue(kMiB, 200);
  std::size_t bytes = held(queue, 1);
  std::optional<HostIndex> drained;
  while (!drained && bytes > 0) {
    const auto event = queue.next(Duration{0}, drained);
    ASSERT_TRUE(event);
    bytes -= std::get<TaskOutput>(*event).bytes.size();
  }
  EXPECT_EQ(drained, std::optional<HostIndex>(0));
  EXPECT_GT(bytes, 0U) << "it may print again before it has run dry";
}

}  // namespace
}  // namespace cnplay::remote
