#include "ssh/limiter.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace cnplay::ssh {

std::uint64_t ConnectLimiter::acquire(const std::string& address, std::function<void()> granted) {
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = ++tickets_;
  Address& entry = addresses_[address];
  entry.waiting.push_back({ticket, std::move(granted)});
  queue_if_ready(address, entry);
  grant(lock);
  return ticket;
}

bool ConnectLimiter::give_up(const std::string& address, std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = addresses_.find(address);
  if (found == addresses_.end()) return false;
  auto& waiting = found->second.waiting;
  const auto mine = std::find_if(waiting.begin(), waiting.end(),
                                 [&](const Waiter& w) { return w.ticket == ticket; });
  if (mine == waiting.end()) return false;
  waiting.erase(mine);  // ready_ may name the address in vain; grant() copes
  return true;
}

void ConnectLimiter::release(const std::string& address) {
  std::unique_lock lock(mutex_);
  const auto found = addresses_.find(address);
  if (found == addresses_.end() || found->second.active == 0) return;
  --active_;
  --found->second.active;
  queue_if_ready(address, found->second);
  if (found->second.active == 0 && found->second.waiting.empty() && !found->second.queued) {
    addresses_.erase(found);
  }
  grant(lock);
}

void ConnectLimiter::queue_if_ready(const std::string& name, Address& address) {
  const bool room = per_address_ == 0 || address.active < per_address_;
  if (room && !address.queued && !address.waiting.empty()) {
    address.queued = true;
    ready_.push_back(name);
  }
}

void ConnectLimiter::grant(std::unique_lock<std::mutex>& lock) {
  std::vector<std::function<void()>> granted;
  while (!ready_.empty() && (total_ == 0 || active_ < total_)) {
    const std::string name = std::move(ready_.front());
    ready_.pop_front();
    Address& address = addresses_[name];
    address.queued = false;
    if (!address.waiting.empty()) {
      granted.push_back(std::move(address.waiting.front().granted));
      address.waiting.pop_front();
      ++address.active;
      ++active_;
    }
    queue_if_ready(name, address);
    if (address.active == 0 && address.waiting.empty()) addresses_.erase(name);
  }
  lock.unlock();
  for (auto& call : granted) call();
}

}  // namespace cnplay::ssh
