// Between the strands of the hosts and the runner's thread: with that of sources.h, the one lock of
// this room.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "remote/remote.h"

namespace cnplay::remote {

class EventQueue {
 public:
  // `output_high`: undelivered bytes of one host, above which its channels are to be held. All
  // `hosts` together share 16 MiB.
  EventQueue(std::size_t output_high, std::size_t hosts)
      : high_(std::min(output_high, std::max(kLeast, kAll / std::max<std::size_t>(1, hosts)))) {}

  void push(Event event);
  // Joins what comes in small pieces. False: too much of this host is undelivered, hold its
  // channels until next() names the host as `drained`.
  bool push_output(TaskOutput output);
  std::optional<Event> next(Duration wait, std::optional<HostIndex>& drained);
  void wake();

 private:
  static constexpr std::size_t kJoined = 64 * 1024;
  static constexpr std::size_t kAll = 16 * 1024 * 1024;
  static constexpr std::size_t kLeast = 16 * 1024;

  const std::size_t high_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Event> events_;
  std::unordered_map<HostIndex, std::size_t> output_;  // undelivered bytes
  bool woken_ = false;
};

}  // namespace cnplay::remote
