#include "remote/host_locks.h"

#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace cnplay::remote {
namespace {

// How often a lock is asked for that the old connection still holds, or that somebody lets go just
// now, and the pause between.
constexpr int kTriesAfterReconnect = 50;
constexpr int kTriesAfterRelease = 5;
constexpr Duration kPause = std::chrono::milliseconds(200);

}  // namespace

void HostLocks::add(std::string name, std::string owner) {
  auto wanted = std::make_shared<Wanted>();
  wanted->name = std::move(name);
  wanted->owner = std::move(owner);
  waiting_.push_back(std::move(wanted));
}

void HostLocks::request_waiting() {
  const Options& options = context_.options;
  while (!waiting_.empty() && context_.phase == Phase::ready) {
    const auto wanted = std::move(waiting_.front());
    waiting_.pop_front();
    auto lock = std::make_shared<HostLock>(context_.connection, context_.index, context_.name(),
                                           wanted->name, wanted->owner,
                                           LockTerms{.beat = options.lock_beat,
                                                     .expiry = options.lock_expiry,
                                                     .take = options.take_locks,
                                                     .around = options.around,
                                                     .absence = options.lock_absence});
    lock->note(step_);
    locks_.push_back(lock);
    lock->take(
        options.ready_timeout,
        [this, wanted](LockEnded result, bool with_connection) {
          ended(wanted, std::move(result), with_connection);
        },
        [this, raw = lock.get()] {
          std::erase_if(locks_, [&](const auto& other) { return other.get() == raw; });
          owner_.lock_gone();
        });
  }
}

void HostLocks::ask_again(const WantedPtr& wanted, Duration pause) {
  auto timer = std::make_shared<boost::asio::steady_timer>(context_.executor(), pause);
  timer->async_wait(
      [this, alive = context_.session, wanted, timer](const boost::system::error_code&) {
        const auto session = alive.lock();
        if (!session) return;
        waiting_.push_back(wanted);
        owner_.lock_due();
      });
}

void HostLocks::ended(const WantedPtr& wanted, LockEnded ended, bool with_connection) {
  if (with_connection && context_.may_reconnect()) {
    context_.phase = Phase::losing;
    wanted->again = wanted->held;
    waiting_.push_back(wanted);
    return;
  }
  const bool silent = wanted->again && ended.acquired;  // nobody was told of its loss
  if (ended.acquired) wanted->held = true;
  // A holder without a name has taken it out already.
  const bool released = !ended.acquired && ended.error.empty() && ended.holder.raw().empty();
  const bool crowded = ended.no_channel && owner_.has_shell_to_spare();
  const int most_tries = wanted->again ? kTriesAfterReconnect : kTriesAfterRelease;
  if ((released || crowded) && wanted->tries < most_tries) {
    ++wanted->tries;
    if (crowded) owner_.spare_shell();
    return ask_again(wanted, kPause);
  }
  // What was held and is another's now is not waited for: the run has lost it.
  const bool busy = !ended.acquired && ended.error.empty() && !wanted->held;
  if (busy && context_.options.lock_wait > Duration::zero()) {
    const auto now = std::chrono::steady_clock::now();
    if (!wanted->asked) context_.events->push(LockWaiting{ended});
    if (!wanted->asked) wanted->asked = now;
    if (now - *wanted->asked < context_.options.lock_wait) {
      return ask_again(wanted, context_.options.lock_pause);
    }
  }
  if (!silent) context_.events->push(std::move(ended));
}

void HostLocks::note(std::string step) {
  step_ = std::move(step);
  for (const auto& lock : locks_) lock->note(step_);
}

void HostLocks::release_all() {
  for (const auto& lock : std::vector<std::shared_ptr<HostLock>>(locks_)) lock->release();
}

void HostLocks::abandon_all() {
  for (const auto& lock : std::exchange(locks_, {})) lock->abandon();
}

void HostLocks::refuse_waiting(const std::string& why) {
  for (const auto& wanted : std::exchange(waiting_, {})) {
    context_.events->push(LockEnded{.host = context_.index,
                                    .name = wanted->name,
                                    .acquired = false,
                                    .holder = {},
                                    .error = why});
  }
}

}  // namespace cnplay::remote
