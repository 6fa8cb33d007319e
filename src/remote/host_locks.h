// The locks that the run takes on one host: those that it holds, and those that it waits for.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "remote/host_context.h"
#include "remote/host_lock.h"

namespace cnplay::remote {

// The session, as its locks see it.
class LockOwner {
 public:
  // A lock's channel is closed, or a lock may be asked for again.
  virtual void lock_gone() = 0;
  virtual void lock_due() = 0;
  // The server gives a lock no channel. True: there are several shells, and one of them ends for
  // it.
  virtual bool has_shell_to_spare() const = 0;
  virtual void spare_shell() = 0;

 protected:
  ~LockOwner() = default;
};

class HostLocks {
 public:
  HostLocks(HostContext& context, LockOwner& owner) : context_(context), owner_(owner) {}

  // The lock is asked for by the next request_waiting(). LockEnded follows.
  void add(std::string name, std::string owner);
  // A lock is asked for whatever room there is: it must not wait for a shell to end while the run
  // continues without it.
  void request_waiting();
  // The step at hand, for those who read the locks.
  void note(std::string step);
  // How many channels the locks have.
  std::size_t size() const { return locks_.size(); }

  void release_all();
  // At once: the connection is gone.
  void abandon_all();
  void forget_waiting() { waiting_.clear(); }
  // Answers what waits: not acquired, because of this.
  void refuse_waiting(const std::string& why);

 private:
  struct Wanted {
    std::string name;
    std::string owner;
    bool held = false;
    bool again = false;  // it was held when the connection was lost
    int tries = 0;
    std::optional<std::chrono::steady_clock::time_point> asked;  // first, if it is waited for
  };
  using WantedPtr = std::shared_ptr<Wanted>;
  void ended(const WantedPtr& wanted, LockEnded ended, bool with_connection);
  void ask_again(const WantedPtr& wanted, Duration pause);

  HostContext& context_;
  LockOwner& owner_;
  std::vector<std::shared_ptr<HostLock>> locks_;
  std::deque<WantedPtr> waiting_;
  std::string step_;
};

}  // namespace cnplay::remote
