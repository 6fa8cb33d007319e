// Between the strands of the hosts and the runner's thread: with that of sources.h, the one lock of
// this room.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "remote/remote.h"

namespace cnplay::remote {

class EventQueue {
 public:
  explicit EventQueue(std::size_t output_high) : high_(output_high) {}

  void push(Event event);
  // Joins what comes in small pieces. False: too much of this host is undelivered, hold its
  // channels until next() names the host as `drained`.
  bool push_output(TaskOutput output);
  std::optional<Event> next(Duration wait, std::optional<HostIndex>& drained);
  void wake();

 private:
  static constexpr std::size_t kJoined = 64 * 1024;

  const std::size_t high_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Event> events_;
  std::unordered_map<HostIndex, std::size_t> output_;  // undelivered bytes
  bool woken_ = false;
};

}  // namespace cnplay::remote
