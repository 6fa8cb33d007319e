// A connection that is lost and made anew. The tasks go on without it; each of them is sent once
// more then, under its id, and the host knows by its claim whether it is to be started or followed.
#include <algorithm>

#include "remote/host.h"

namespace cnplay::remote {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(200);
constexpr Duration kLongestPause = std::chrono::seconds(5);
// A connection that has lived so long was a good one.
constexpr Duration kGoodLife = std::chrono::seconds(30);
// How often a lock is asked for that the old connection still holds, or that somebody lets go just
// now, and the pause between.
constexpr int kLockTries = 50;
constexpr int kReleaseTries = 5;
constexpr Duration kLockPause = std::chrono::milliseconds(200);

// sshd does not notice a broken network for hours: until then the old session would hold its locks,
// and a task would wait for somebody to read its output. Ended only if it is the same process
// still.
std::string farewell(long pid, long long since) {
  const std::string process = std::to_string(pid);
  return "{ _cn_since " + process + " && [ \"$_cn_at\" = " + std::to_string(since) +
         " ] && read -r _cn_x </proc/" + process + "/comm && case $_cn_x in sshd*) kill " +
         process + " ;; esac; } 2>/dev/null\n";
}

}  // namespace

bool HostSession::may_reconnect() const {
  return options_.reconnect_within > Duration::zero() &&
         (phase_ == Phase::ready || phase_ == Phase::losing);
}

void HostSession::hold_all(const std::string& why) {
  phase_ = Phase::reconnecting;
  const auto now = std::chrono::steady_clock::now();
  // One that breaks again and again as soon as it is there is the same loss still: its time runs
  // on.
  const bool anew = moved_ || now - back_at_ > kGoodLife;
  if (anew) {
    lost_at_ = now;
    pause_ = Duration::zero();
  }
  lost_why_ = why;
  for (const JobPtr& job : std::deque<JobPtr>(waiting_)) {
    if (!job->done) continue;
    job->done = [](const TaskResult&) {};
    finish(job, Ended::not_started, why, {});
  }
  std::deque<JobPtr> held;
  for (const JobPtr& job : std::vector<JobPtr>(running_)) {
    if (job->done) {
      // A killer is nobody's result; what it was to kill is in running_ itself.
      job->done = [](const TaskResult&) {};
      finish(job, Ended::lost, why, {});
    } else if (job->ahead) {
      lost_place(job, true);
    } else if (job->kill) {
      finish(job, Ended::lost, why + "; the task was being killed then", {});
    } else {
      // What was printed before a file was asked for comes once more, and was counted then.
      if (moves_file(*job) && job->transferring) {
        job->transferring = false;
      } else if (once(*job)) {
        job->passed = job->collector->passed();
      }
      job->sent_before = true;
      job->shell.reset();
      held.push_back(job);
    }
  }
  running_.clear();
  waiting_.insert(waiting_.begin(), held.begin(), held.end());
  for (const auto& shell : std::exchange(shells_, {})) shell->abandon();
  for (auto& [name, spool] : spools_) spool.closed = true;
  for (const auto& lock : std::exchange(locks_, {})) lock->abandon();
  events_->push(HostReconnecting{.host = index_, .message = why});
  if (!anew) return try_later("it broke again at once");
  try_again();
}

// A host that may be on its way down or up when the run is resumed.
bool HostSession::log_in_later(Unreachable kind) {
  const bool down = kind == Unreachable::refused || kind == Unreachable::timeout ||
                    kind == Unreachable::lost || kind == Unreachable::shell;
  // While it starts, many a host lets in root alone (pam_nologin).
  const bool starting = kind == Unreachable::authentication;
  if (!down && !starting) return false;
  pause_ = starting ? kLongestPause : std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  const auto next = std::chrono::steady_clock::now() + pause_;
  if (next > connect_until_) return false;
  retry_timer_.expires_at(next);
  retry_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->phase_ != Phase::connecting) return;
    self->connection_->close();
    self->connection_ = self->connection_->again();
    self->log_in();
  });
  return true;
}

void HostSession::try_again() {
  if (phase_ != Phase::reconnecting) return;
  connection_->close();
  connection_ = connection_->again();
  watch_connection();
  connection_->connect([weak = weak_from_this()](const std::optional<ssh::TransportError>& error) {
    const auto self = weak.lock();
    if (!self || self->phase_ != Phase::reconnecting) return;
    if (!error) return self->open_shell({}, false);
    // Who is refused knocks no second time: servers lock out who does.
    // But while it starts, many a host lets in root alone (pam_nologin).
    const bool starting =
        error->kind == ssh::Failure::authentication && self->restart_until().has_value();
    if (starting) self->pause_ = kLongestPause;
    const bool refused = (error->kind == ssh::Failure::authentication && !starting) ||
                         error->kind == ssh::Failure::host_key_unknown ||
                         error->kind == ssh::Failure::host_key_changed ||
                         error->kind == ssh::Failure::host_key_revoked;
    if (refused) return self->give_up(self->lost_why_ + "; then: " + error->what);
    self->try_later(error->what);
  });
}

void HostSession::try_later(const std::string& why) {
  pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  const auto next = std::chrono::steady_clock::now() + pause_;
  const auto restart = restart_until();
  const bool over = next - lost_at_ > options_.reconnect_within && (!restart || next > *restart);
  if (over && !restart_) {  // restart_ has a clock of its own
    return give_up(lost_why_ +
                   (restart
                        ? "; it was rebooting, and did not come back in time"
                        : "; not reached again in " + human_duration(options_.reconnect_within)) +
                   ": " + why);
  }
  retry_timer_.expires_at(next);
  retry_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (const auto self = weak.lock(); self && !error) self->try_again();
  });
}

void HostSession::take_up(Shell& shell, const std::string& boot_id) {
  const bool restarted = !boot_id.empty() && !boot_id_.empty() && boot_id != boot_id_;
  if (!restarted && parent_ > 0) shell.say(farewell(parent_, parent_since_));
  phase_ = Phase::ready;
  boot_id_ = boot_id;
  know_parent(shell);
  back_at_ = std::chrono::steady_clock::now();
  moved_ = false;
  events_->push(HostReconnected{.host = index_, .boot_id = boot_id});
  if (restart_ && (restarted || restarted_)) has_restarted(restart_);
  for (const JobPtr& job : std::deque<JobPtr>(waiting_)) {
    if (restarted && job->sent_before && once(*job)) lost_by_restart(job);
  }
}

// Unless that is what it was to do.
void HostSession::lost_by_restart(const JobPtr& job) {
  if (restarts(*job) && (!restart_ || restart_ == job)) return has_restarted(job);
  finish(job, Ended::lost, settings_.ssh.name + " was rebooted while the task ran, or before it",
         "look on " + settings_.ssh.name + " for what it has done");
}

void HostSession::know_parent(const Shell& shell) {
  parent_ = shell.opened_as().parent;
  parent_since_ = shell.opened_as().parent_since;
}

void HostSession::note(std::string step) {
  step_ = std::move(step);
  for (const auto& lock : locks_) lock->note(step_);
}

void HostSession::lock_again(const std::shared_ptr<LockWish>& wish, Duration pause) {
  auto timer = std::make_shared<boost::asio::steady_timer>(connection_->executor(), pause);
  timer->async_wait([weak = weak_from_this(), wish, timer](const boost::system::error_code&) {
    const auto self = weak.lock();
    if (!self) return;
    self->waiting_locks_.push_back(wish);
    self->pump();
  });
}

void HostSession::end_idle_shell() {
  for (const auto& shell : shells_) {
    if (shell->state() == Shell::State::ending) return;  // room is on its way
  }
  const auto idle = std::find_if(shells_.begin(), shells_.end(), [](const auto& shell) {
    return shell->state() == Shell::State::idle;
  });
  if (idle != shells_.end()) (*idle)->end();
}

void HostSession::lock_ended(const std::shared_ptr<LockWish>& wish, LockEnded ended,
                             bool with_connection) {
  if (with_connection && may_reconnect()) {
    phase_ = Phase::losing;
    wish->again = wish->held;
    waiting_locks_.push_back(wish);
    return;
  }
  const bool silent = wish->again && ended.acquired;  // nobody was told of its loss
  if (ended.acquired) wish->held = true;
  // A holder without a name has taken it out already.
  const bool released = !ended.acquired && ended.error.empty() && ended.holder.raw().empty();
  // Of several shells one may end for the lock: its jobs take turns with the others'.
  const bool crowded = ended.no_channel && shells_.size() > 1;
  if ((released || crowded) && wish->tries < (wish->again ? kLockTries : kReleaseTries)) {
    ++wish->tries;
    if (crowded) end_idle_shell();
    return lock_again(wish, kLockPause);
  }
  // What was held and is another's now is not waited for: the run has lost it.
  const bool busy = !ended.acquired && ended.error.empty() && !wish->held;
  if (busy && options_.lock_wait > Duration::zero()) {
    const auto now = std::chrono::steady_clock::now();
    if (!wish->asked) events_->push(LockWaiting{ended});
    if (!wish->asked) wish->asked = now;
    if (now - *wish->asked < options_.lock_wait) return lock_again(wish, options_.lock_pause);
  }
  if (!silent) events_->push(std::move(ended));
}

}  // namespace cnplay::remote
