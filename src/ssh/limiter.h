// Inside of ssh/: how many connections may be on their way at one time, in all and to one server
// address, over all loops. First come, first served, except that an address at its limit does not
// hold up the others.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace cnplay::ssh {

// Thread-safe.
class ConnectLimiter {
 public:
  // 0: no limit.
  ConnectLimiter(unsigned total, unsigned per_address) : total_(total), per_address_(per_address) {}

  // Calls `granted` once, when there is a place: at once, or later from within another's release().
  // So it should only post. Returns a ticket for give_up().
  std::uint64_t acquire(const std::string& address, std::function<void()> granted);
  // Stops waiting. False if the place has been granted already; it must then be released.
  bool give_up(const std::string& address, std::uint64_t ticket);
  void release(const std::string& address);

 private:
  struct Waiter {
    std::uint64_t ticket;
    std::function<void()> granted;
  };
  struct Address {
    unsigned active = 0;
    std::deque<Waiter> waiting;
    bool queued = false;  // stands in ready_
  };
  void grant(std::unique_lock<std::mutex>& lock);
  void queue_if_ready(const std::string& name, Address& address);

  std::mutex mutex_;
  const unsigned total_;
  const unsigned per_address_;
  unsigned active_ = 0;
  std::uint64_t tickets_ = 0;
  std::map<std::string, Address> addresses_;
  std::deque<std::string> ready_;  // addresses with somebody waiting and below their limit
};

}  // namespace cnplay::ssh
