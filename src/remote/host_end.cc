// How things end on a host: by a kill, by a loss, by close().
#include <boost/asio/post.hpp>

#include "remote/host.h"

namespace cnplay::remote {
namespace {

// TERM, after `patience` seconds KILL, until nobody is left in the group. A kill that is not
// permitted means that somebody is (of another user), not that nobody is. Zombies are nobody: where
// process 1 reaps late or never, as in many containers, they would keep the group for good.
constexpr const char* kKillScript = R"SH(
left() {
  if e=$(kill "-$1" "-$group" 2>&1); then :; else
    case $e in *ermitted*) return 0 ;; esac
    return 1
  fi
  [ -r /proc/self/stat ] || return 0
  for p in /proc/[0-9]*/stat; do
    { read -r l <"$p"; } 2>/dev/null || continue
    l=${l##*) }
    case $l in
    [ZX]*) ;;
    ?" "*" $group "*)
      # shellcheck disable=SC2086
      set -- $l
      case $3 in "$group") return 0 ;; esac
      ;;
    esac
  done
  return 1
}
now() { read -r t x </proc/uptime && t=${t%.*}; }
left TERM || exit 0
t=0
i=0
now 2>/dev/null || :
begun=$t
while left 0; do
  sleep 0.05 2>/dev/null || sleep 1
  i=$((i + 1))
  now 2>/dev/null || t=$((i / 10))
  if [ "$t" -ge $((begun + patience)) ]; then left KILL || exit 0; fi
  [ "$t" -lt $((begun + patience + 5)) ] || fail "its process group $group is still there"
done
)SH";

}  // namespace

void HostSession::cancel(TaskId id) {
  if (restart_ && restart_->task.id == id) {
    lose_restart(Ended::cancelled, "no longer waited for, on request");
    return pump();
  }
  const auto is = [&](const JobPtr& job) { return !job->done && job->task.id == id; };
  for (const JobPtr& job : waiting_) {
    if (!is(job)) continue;
    const JobPtr keep = job;
    if (keep->sent_before && once(*keep) && phase_ == Phase::ready) {
      if (!keep->kill) kill_when_known(keep, Ended::cancelled, "killed on request");
      return;
    }
    if (keep->sent_before && once(*keep)) {
      return finish(keep, Ended::lost,
                    lost_why_ + "; to be killed, and there was no connection to do it",
                    "it may still be running on " + settings_.ssh.name);
    }
    return finish(keep, Ended::cancelled, "cancelled before it was sent", {});
  }
  if (const JobPtr job = take_parked(id)) {
    return finish(job, job->sent_before && once(*job) ? Ended::lost : Ended::cancelled,
                  "cancelled before it was sent", {});
  }
  for (const JobPtr& job : running_) {
    if (!is(job)) continue;
    const JobPtr keep = job;
    if (!keep->kill) kill_when_known(keep, Ended::cancelled, "killed on request");
    return;
  }
}

// After a reconnect it shows only by the host's first word in which process group the task runs.
void HostSession::kill_when_known(const JobPtr& job, Ended as, std::string why) {
  const Collector* said = job->collector.get();
  const bool at_it = job->shell && job->shell->job() == job;
  if (at_it && (!job->sent_before || said->started() || said->followed())) {
    return kill(job, as, std::move(why));
  }
  job->timer = std::make_unique<boost::asio::steady_timer>(connection_->executor());
  job->timer->expires_after(std::chrono::milliseconds(100));
  job->timer->async_wait([weak = weak_from_this(), weak_job = std::weak_ptr<Job>(job), as,
                          why](const boost::system::error_code& error) {
    const auto self = weak.lock();
    const auto late = weak_job.lock();
    if (error || !self || !late || late->over || late->kill) return;
    self->kill_when_known(late, as, why);
  });
}

// The shell leads its process group, so the group is all that the task has started and that has
// not left it of its own will. Another shell of the same user kills it.
void HostSession::kill(const JobPtr& job, Ended as, std::string why) {
  job->kill = as;
  job->kill_why = std::move(why);
  if (job->shell->state() != Shell::State::gone) job->shell->doom();
  job->shell->resume();
  const long group = job->collector->followed() ? job->collector->group() : job->shell->pid();
  const std::int64_t patience = (options_.kill_patience.count() + 999) / 1000;
  auto killer = std::make_shared<Job>();
  killer->urgent = true;
  killer->task = {.id = 0,
                  .host = index_,
                  .become = job->task.become,
                  .mode = Mode::apply,
                  .check = {},
                  .apply = kKillScript,
                  .verify_script = {},
                  .preview = {},
                  .preflight = {},
                  .verify = Verify::none,
                  .variables = {{.name = "group", .value = std::to_string(group)},
                                {.name = "patience", .value = std::to_string(patience)}},
                  .timeout = std::nullopt};
  killer->done = [this, job](const TaskResult& result) { killed(job, result); };
  job->killer = killer;
  job->timer = std::make_unique<boost::asio::steady_timer>(connection_->executor());
  job->timer->expires_after(options_.kill_timeout);
  job->timer->async_wait([weak = weak_from_this(), weak_job = std::weak_ptr<Job>(job)](
                             const boost::system::error_code& error) {
    const auto self = weak.lock();
    const auto late = weak_job.lock();
    if (error || !self || !late || late->over) return;
    const auto slow = late->killer.lock();
    if (slow && !slow->shell) {
      std::erase(self->waiting_, slow);
      slow->over = true;
    }
    TaskResult none;
    none.ended = Ended::lost;
    none.error = "no answer in " + human_duration(self->options_.kill_timeout);
    self->killed(late, none);
  });
  waiting_.push_front(std::move(killer));
  pump();
}

void HostSession::killed(const JobPtr& job, const TaskResult& result) {
  if (job->over) return;
  const std::shared_ptr<Shell> shell = job->shell;
  const StageResult* stage = result.stages.empty() ? nullptr : &result.stages.back();
  const bool gone = result.ended == Ended::finished && stage && stage->exit_code == 0 &&
                    stage->verdict == Verdict::none;
  // The end marks came though the kill was under way. If no stage died of a signal it was faster.
  const Collector& said = *job->collector;
  const bool faster = !job->transferring && !(restarts(*job) && said.applied()) &&
                      (said.followed() ? said.followed_to_end() : said.ended()) &&
                      !said.died_of_signal();
  if (faster) {
    finish(job, Ended::finished, {}, {});
  } else if (gone) {
    finish(job, *job->kill, job->kill_why, {});
  } else {
    std::string why = result.error;
    if (why.empty() && stage) why = stage->message.display(300);
    std::string error = job->kill_why + "; what it left running could not be killed: " + why;
    if (*job->kill != Ended::lost) {
      error = settings_.ssh.name + ": the task was to be " + job->kill_why + ", but: " + why;
    }
    finish(job, Ended::lost, std::move(error),
           "look for process group " + std::to_string(shell ? shell->pid() : 0) + " on " +
               settings_.ssh.name);
  }
  if (shell) {
    remove_shell(*shell);
    shell->abandon();
  }
  pump();
  if (phase_ == Phase::closing) advance_close();
}

void HostSession::shell_gone(Shell& shell, const std::string& why, bool lost) {
  const auto keep = remove_shell(shell);
  const JobPtr job = shell.job();
  if (lost) {
    // All channels of a dead connection say so before on_lost does; nothing is to be opened now.
    if (may_reconnect()) {
      phase_ = Phase::losing;
      return;
    }
    if (job) finish(job, Ended::lost, why, {});
    if (phase_ == Phase::ready) phase_ = Phase::lost;
    return;
  }
  if (phase_ == Phase::closing && !job && !why.empty()) closing_well_ = false;
  // A doomed shell that dies: whether its whole group is gone, the killer says.
  if (job && !job->kill && restarts(*job) && job->collector->apply_possible()) {
    await_restart(job);
  } else if (job && !job->kill) {
    // What the task had started may live on: it must not be there when the task is tried again.
    kill(job, Ended::lost,
         settings_.ssh.name + ": the shell ended under the task" +
             (why.empty() ? "" : " (" + why + ")"));
    return;
  }
  pump();
  if (phase_ == Phase::closing) advance_close();
}

void HostSession::lose_connection(const std::string& why) {
  if (phase_ == Phase::closed || phase_ == Phase::failed) return;
  if (phase_ == Phase::connecting) return failed(Unreachable::lost, why, {});
  if (may_reconnect()) return hold_all(why);
  if (phase_ == Phase::reconnecting) {
    for (const auto& shell : std::exchange(shells_, {})) shell->abandon();
    return try_later(why);
  }
  give_up(why);
}

void HostSession::give_up(const std::string& why) {
  retry_timer_.cancel();
  const bool closing = phase_ == Phase::closing;
  phase_ = Phase::lost;
  for (const JobPtr& job : std::vector<JobPtr>(running_)) {
    // A killer is nobody's result; what it was to kill is in running_ itself.
    if (job->done) job->done = [](const TaskResult&) {};
    finish(job, Ended::lost, why, {});
  }
  for (const JobPtr& job : std::deque<JobPtr>(waiting_)) {
    if (job->done) job->done = [](const TaskResult&) {};
    finish(job, Ended::not_started, why, {});
  }
  for (const JobPtr& job : std::exchange(parked_, {})) finish(job, Ended::not_started, why, {});
  lose_restart(Ended::lost, why);
  for (const auto& wish : std::exchange(waiting_locks_, {})) {
    events_->push(LockEnded{
        .host = index_, .name = wish->name, .acquired = false, .holder = {}, .error = why});
  }
  for (const auto& shell : std::exchange(shells_, {})) shell->abandon();
  for (const auto& lock : std::exchange(locks_, {})) lock->abandon();
  connection_->close();
  events_->push(HostLost{.host = index_, .message = why});
  if (closing) closed(false);
}

void HostSession::close(Duration within, Traces traces, std::function<void(bool)> done) {
  if (phase_ == Phase::closed || phase_ == Phase::closing) return done(true);
  traces_ = traces;
  for (const std::string& user : settings_.users_before) {
    scratch_.insert(user == settings_.ssh.user ? std::string() : user);
  }
  if (traces_ == Traces::keep) scratch_.clear();
  close_done_ = std::move(done);
  if (phase_ != Phase::ready) {
    return closed(phase_ != Phase::losing && phase_ != Phase::reconnecting);
  }
  phase_ = Phase::closing;
  close_timer_.expires_after(within);
  close_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self && self->phase_ == Phase::closing) self->closed(false);
  });
  for (const JobPtr& job : std::deque<JobPtr>(waiting_)) {
    if (!job->done) finish(job, Ended::not_started, "the run ended before it was sent", {});
  }
  for (const JobPtr& job : std::exchange(parked_, {})) {
    finish(job, Ended::not_started, "the run ended before it was sent", {});
  }
  lose_restart(Ended::cancelled, "the run ended before it was known whether the host has rebooted");
  waiting_locks_.clear();
  for (const JobPtr& job : std::vector<JobPtr>(running_)) {
    const bool at_it = job->shell && job->shell->job() == job;
    if (job->done || job->kill || !at_it) continue;
    if (traces_ == Traces::remove || !once(*job)) {
      kill(job, Ended::cancelled, "killed at the end of the run");
      continue;
    }
    // The task continues without us, and its spool keeps the result for a resumed run.
    const auto shell = remove_shell(*job->shell);
    finish(job, Ended::lost, "the controller ended while the task was running", {});
    shell->abandon();
  }
  advance_close();
}

// First the jobs, then (Traces::remove) the run's directories, then the shells and locks, then the
// connection.
void HostSession::advance_close() {
  if (phase_ != Phase::closing || !running_.empty() || !waiting_.empty()) return;
  // One shell of each user that may have left something removes it; where there is none any more,
  // one is opened for it.
  for (const auto& shell : std::vector<std::shared_ptr<Shell>>(shells_)) {
    if (shell->state() != Shell::State::idle || !scratch_.contains(shell->user())) continue;
    scratch_.erase(shell->user());
    shell->end(kept_.contains(shell->user()) ? std::nullopt : std::optional(last_task_));
  }
  std::erase_if(scratch_, [&](const std::string& user) { return kept_.contains(user); });
  if (!scratch_.empty()) {
    for (const auto& shell : shells_) {
      if (shell->state() == Shell::State::opening) return;
    }
    if (refused_.contains(*scratch_.begin())) {
      scratch_.clear();
      closing_well_ = false;
    } else if (room(true)) {
      return open_shell(*scratch_.begin(), true);
    } else {
      return;  // one that ends makes room
    }
  }
  for (const auto& shell : std::vector<std::shared_ptr<Shell>>(shells_)) {
    if (shell->state() == Shell::State::idle) shell->end();
    if (shell->state() == Shell::State::opening) {
      remove_shell(*shell);
      shell->abandon();
    }
  }
  for (const auto& lock : std::vector<std::shared_ptr<HostLock>>(locks_)) lock->release();
  if (shells_.empty() && locks_.empty()) closed(closing_well_);
}

void HostSession::closed(bool well) {
  if (phase_ == Phase::closed) return;
  const bool open = phase_ == Phase::closing || phase_ == Phase::connecting ||
                    phase_ == Phase::reconnecting || phase_ == Phase::losing;
  retry_timer_.cancel();
  phase_ = Phase::closed;
  close_timer_.cancel();
  for (const JobPtr& job : std::vector<JobPtr>(running_)) {
    if (job->done) job->done = [](const TaskResult&) {};
    finish(job, Ended::lost, "the connection was closed before its end was known", {});
  }
  for (const JobPtr& job : std::deque<JobPtr>(waiting_)) {
    if (job->done) job->done = [](const TaskResult&) {};
    finish(job, Ended::not_started, "the connection was closed", {});
  }
  for (const JobPtr& job : std::exchange(parked_, {})) {
    finish(job, Ended::not_started, "the connection was closed", {});
  }
  lose_restart(Ended::lost, "the connection was closed before it was known");
  for (const auto& shell : std::exchange(shells_, {})) shell->abandon();
  for (const auto& lock : std::exchange(locks_, {})) lock->abandon();
  if (open) connection_->close();
  if (const auto done = std::exchange(close_done_, nullptr)) done(well);
}

void HostSession::drop() {
  close_done_ = nullptr;
  closed(false);
  connection_->close();
}

}  // namespace cnplay::remote
