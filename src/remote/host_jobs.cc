#include "remote/host_jobs.h"

#include <algorithm>
#include <map>
#include <utility>

namespace cnplay::remote {
namespace {

constexpr const char* kEndedBefore = "the run ended before it was sent";

// Whoever claims it first: we, or the shell that it was sent to.
constexpr const char* kForbid = R"SH(
umask 077
_cn_mkdir "$_cn_dir" # the shell that it was sent to may be about to
set -C
{ put "withdrawn - - - - - -$nl"; } 2>/dev/null >"$_cn_dir/t-$task" || :
)SH";

Claim claim_of(const Job& job) {
  if (job.withdrawn) return Claim::withdraw;
  return job.once() ? Claim::once : Claim::none;
}

// Nobody waits for the end of a job of the session's own any more.
void silence(Job& job) {
  if (job.done) job.done = [](const TaskResult&) {};
}

// Why a task that was followed has no result, by the state in which the host left it.
std::string why_lost(const std::string& host, const std::string& state) {
  if (state == "ended") {
    return host +
           ": the task has ended, but its output on the host is incomplete: its result cannot be "
           "read";
  }
  if (state == "gone") {
    return host + ": the task was begun, and its output there has been removed";
  }
  if (state == "own") return host + ": the task was begun once already, by the same shell";
  if (state == "unclaimed") return host + ": the task may have been begun: its claim is empty";
  return host + ": the task was begun, and its process is gone without a result";
}

}  // namespace

HostJobs::HostJobs(HostContext& context, JobsOwner& owner, HostTraces& traces, ShellPool& shells,
                   HostLocks& locks, RetrySchedule& retry)
    : context_(context),
      owner_(owner),
      traces_(traces),
      shells_(shells),
      locks_(locks),
      retry_(retry),
      killer_(context, *this),
      sender_(context, killer_),
      transfers_(context, traces, sender_, *this),
      reboot_(context, *this),
      last_task_(context.options.last_before) {}

void HostJobs::start(Task task) {
  auto job = std::make_shared<Job>();
  job->task = std::move(task);
  last_task_ = std::max(last_task_, job->task.id);
  const std::string& host = context_.name();
  if (job->task.become == context_.settings.ssh.user) job->task.become.clear();
  if (!context_.takes_work()) {
    const Phase phase = context_.phase;
    const char* why = phase == Phase::lost      ? ": the connection is lost"
                      : phase == Phase::closing ? ": the connection is being closed"
                                                : ": there is no connection";
    return finish(job, Ended::not_started, host + why, {});
  }
  if (!job->task.become.empty() && !is_user_name(job->task.become)) {
    return finish(job, Ended::not_started,
                  host + ": `" + job->task.become + "` is not a valid user name",
                  "correct the name after `as`");
  }
  if (job->task.after != 0) {
    job->ahead = true;
    job->sent_before = job->task.after == job->task.id;
    if (!send_ahead(job)) deferred_.push_back(std::move(job));
    return;
  }
  waiting_.push_back(std::move(job));
  pump();
}

// Gives each waiting job a shell: an idle one, or one on its way, or a new one if there is room.
void HostJobs::pump() {
  if (context_.phase != Phase::ready && context_.phase != Phase::closing) return;
  locks_.request_waiting();
  std::map<std::string, int> opening = shells_.opening();
  const std::deque<JobPtr> jobs = waiting_;
  for (const JobPtr& job : jobs) {
    const std::string& user = job->task.become;
    if (std::ranges::find(waiting_, job) == waiting_.end()) continue;
    if (reboot_.under_way() && !job->done) continue;
    if (const ShellFailure* refused = shells_.refusal(user)) {
      refuse_waiting(user, ShellFailure(*refused));
      continue;
    }
    if (send_to_idle(job)) continue;
    if (int& n = opening[user]; n > 0) {
      --n;
    } else if (!shells_.has_room(job->urgent)) {
      shells_.make_room(user, job->task.download.has_value());
    } else if (shells_.may_open(user)) {
      shells_.open(user);
    }
  }
}

bool HostJobs::send_to_idle(const JobPtr& job) {
  const auto shell = shells_.find_idle(job->task.become, job->task.download.has_value());
  if (!shell) return false;
  std::erase(waiting_, job);
  send(job, shell);
  return true;
}

void HostJobs::send(const JobPtr& job, const std::shared_ptr<Shell>& shell) {
  const bool claim = job->once();
  auto request = sender_.request_of(*job, claim_of(*job));
  if (!request) {
    return finish(job, Ended::not_started, request.error().what, request.error().help);
  }
  const std::string& before = job->task.sent_under;
  if (claim && !before.empty() && !context_.boot_id.empty() && before != context_.boot_id) {
    job->sent = std::chrono::steady_clock::now();
    return reboot_.lost_by_reboot(job);
  }
  if (job->task.mode == Mode::check && !job->task.preview.empty()) traces_.used(job->task.become);
  if (claim) {
    traces_.claimed(shell->spool(), job->task.become, job->task.id);
    request->insert(0, traces_.remove_old(job->task.become));
  }
  job->shell = shell;
  running_.push_back(job);
  if (!job->sent_before || job->sent == std::chrono::steady_clock::time_point{}) {
    sender_.begin_time(job);
  }
  sender_.run(job, std::move(*request));
  send_deferred(*job);
}

// --- ahead of the runner

bool HostJobs::send_ahead(const JobPtr& job) {
  if (context_.phase != Phase::ready || context_.parent == 0 || job->sent_before) return false;
  const auto found = std::ranges::find_if(shells_.all(), [&](const auto& shell) {
    return shell->last_task() == job->task.after && shell->user() == job->task.become &&
           (shell->state() == Shell::State::idle || shell->state() == Shell::State::busy);
  });
  if (found == shells_.all().end()) return false;
  const std::shared_ptr<Shell> shell = *found;
  if (shell->merged() || shell->printed() > context_.options.spool_limit) return false;
  const JobPtr& first = shell->job();
  if (first && (first->done || first->kill || FileTransfers::moves_file(*first))) return false;
  auto request = sender_.request_of(
      *job, Claim::ahead,
      {.task = job->task.after, .parent = context_.parent, .parent_since = context_.parent_since});
  if (!request) return false;  // reported when the runner comes to it
  if (job->once()) traces_.claimed(shell->spool(), job->task.become, job->task.id);
  job->shell = shell;
  running_.push_back(job);
  sender_.collect(job);
  if (shell->state() == Shell::State::busy) {
    shell->run_next(job, std::move(*request));
  } else {
    sender_.begin_time(job);
    shell->run(job, std::move(*request));
  }
  return true;
}

// What was to follow this job, and is deferred, follows it now. A host that prints much puts off
// what comes after: what it has put off twice is sent when the runner comes to it.
void HostJobs::send_deferred(const Job& before) {
  constexpr int kMostPutOff = 2;
  TaskId after = before.task.id;
  for (std::size_t i = 0; i < deferred_.size();) {
    const JobPtr job = deferred_[i];
    if (job->task.after != after || job->put_off >= kMostPutOff || !send_ahead(job)) {
      ++i;
      continue;
    }
    after = job->task.id;
    deferred_.erase(deferred_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

JobPtr HostJobs::take_deferred(TaskId id) {
  const auto found =
      std::ranges::find_if(deferred_, [&](const auto& j) { return j->task.id == id; });
  if (found == deferred_.end()) return nullptr;
  JobPtr job = *found;
  deferred_.erase(found);
  return job;
}

void HostJobs::adopt(TaskId id) {
  if (const JobPtr job = take_deferred(id)) {
    job->ahead = false;
    waiting_.push_back(job);
    return pump();
  }
  for (const JobPtr& job : running_) {
    if (!job->done && job->task.id == id) job->ahead = false;
  }
}

void HostJobs::withdraw(TaskId id) {
  if (const JobPtr job = take_deferred(id)) {
    job->withdrawn = true;
    return settle_withdrawn(job);
  }
  for (const JobPtr& job : running_) {
    if (job->done || job->task.id != id || !job->ahead) continue;
    job->withdrawn = true;
    if (job->once()) forbid(*job);  // else it changes nothing: let it end
    return;
  }
}

// Claims the job's task, so that its shell does not begin it any more.
void HostJobs::forbid(const Job& job) {
  auto forbid = std::make_shared<Job>();
  forbid->urgent = true;
  forbid->task.host = context_.index;
  forbid->task.become = job.task.become;
  forbid->task.apply = kForbid;
  forbid->task.verify = Verify::none;
  forbid->task.variables = {{.name = "task", .value = std::to_string(job.task.id)}};
  forbid->done = [](const TaskResult&) {};
  waiting_.push_front(std::move(forbid));
  pump();
}

// Of a job that is withdrawn, and in no shell: its claim on the host tells whether it has begun.
void HostJobs::settle_withdrawn(const JobPtr& job) {
  if (job->sent_before && job->once()) {
    waiting_.push_back(job);
    return pump();
  }
  job->sent_before = false;
  finish(job, Ended::not_started, {}, {});
}

// The job's shell is gone, or the host has put it off.
void HostJobs::lost_place(const JobPtr& job, bool may_have_begun) {
  std::erase(running_, job);
  if (may_have_begun && job->once()) {
    job->passed = job->collector->passed();
    job->sent_before = true;
    if (job->task.sent_under.empty()) job->task.sent_under = context_.boot_id;
  }
  job->shell.reset();
  job->collector.reset();
  if (job->timer) job->timer->cancel();
  if (context_.phase == Phase::closing) {
    finish(job, Ended::not_started, kEndedBefore, {});
  } else if (job->withdrawn) {
    settle_withdrawn(job);
  } else if (job->ahead) {
    deferred_.push_back(job);
  } else {
    waiting_.push_front(job);
  }
}

// --- ends

void HostJobs::cancel(TaskId id) {
  if (reboot_.is_for(id)) {
    reboot_.lose(Ended::cancelled, "no longer waited for, on request");
    return pump();
  }
  const auto is = [&](const JobPtr& job) { return !job->done && job->task.id == id; };
  if (const auto at = std::ranges::find_if(waiting_, is); at != waiting_.end()) {
    const JobPtr job = *at;
    const bool may_run = job->sent_before && job->once();
    if (!may_run) return finish(job, Ended::cancelled, "cancelled before it was sent", {});
    if (context_.phase == Phase::ready) {
      if (!job->kill) killer_.kill_when_known(job, Ended::cancelled, "killed on request");
      return;
    }
    return finish(job, Ended::lost,
                  retry_.why() + "; to be killed, and there was no connection to do it",
                  "it may still be running on " + context_.name());
  }
  if (const JobPtr job = take_deferred(id)) {
    return finish(job, job->sent_before && job->once() ? Ended::lost : Ended::cancelled,
                  "cancelled before it was sent", {});
  }
  if (const auto at = std::ranges::find_if(running_, is); at != running_.end()) {
    const JobPtr job = *at;
    if (!job->kill) killer_.kill_when_known(job, Ended::cancelled, "killed on request");
  }
}

void HostJobs::finish(const JobPtr& job, Ended ended, std::string error, std::string help) {
  if (job->over) return;
  job->over = true;
  // Of what was sent before nobody can say that it was never begun.
  if (ended == Ended::not_started && job->sent_before && job->once()) ended = Ended::lost;
  TaskResult result;
  if (job->collector) {
    result = job->collector->take();
  } else {
    result.apply_possible = job->once();
  }
  result.ended = ended;
  result.error = std::move(error);
  result.help = std::move(help);
  if (ended == Ended::not_started || ended == Ended::refused) result.apply_possible = false;
  // That the file came is what a download applies.
  if (job->transferring && ended == Ended::finished) {
    result.stages.push_back(
        {.stage = Stage::apply, .exit_code = 0, .verdict = Verdict::none, .message = {}});
  }
  if (job->sent != std::chrono::steady_clock::time_point{}) {
    result.took =
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - job->sent);
  }
  std::erase(running_, job);
  std::erase(waiting_, job);
  release_shell(job);
  report(job, std::move(result));
}

void HostJobs::report(const JobPtr& job, TaskResult result) {
  job->over = true;
  if (job->timer) job->timer->cancel();
  job->collector.reset();
  if (result.ended == Ended::lost && job->once()) traces_.lost_task(job->task.become);
  if (result.ended == Ended::finished) retry_.task_ended();
  if (job->done) return job->done(std::move(result));
  context_.events->push(
      TaskEnded{.task = job->task.id, .host = context_.index, .result = std::move(result)});
}

// Its shell turns to the next job, whose time runs from now on.
void HostJobs::release_shell(const JobPtr& job) {
  const auto shell = std::exchange(job->shell, nullptr);
  if (!shell || shell->job() != job) return;
  shell->release();
  if (shell->job()) sender_.begin_time(shell->job());
}

void HostJobs::forget_waiting(const JobPtr& job) {
  std::erase(waiting_, job);
  job->over = true;
}

void HostJobs::detach(const JobPtr& job) {
  std::erase(running_, job);
  std::erase(waiting_, job);
  if (job->shell && job->shell->job() == job) job->shell->release();
  job->shell.reset();
}

void HostJobs::refuse_waiting(const std::string& user, const ShellFailure& failure) {
  const std::deque<JobPtr> jobs = waiting_;
  for (const JobPtr& job : jobs) {
    if (job->task.become == user) {
      finish(job, Ended::not_started, failure.what, failure.help);
    }
  }
}

std::shared_ptr<Shell> HostJobs::remove_shell(Shell& shell) {
  auto self = shells_.remove(shell);
  traces_.shell_gone(shell.spool());
  for (const auto& job : shell.take_followers()) lost_place(job, true);
  return self;
}

void HostJobs::shell_job_moved(Shell& shell) {
  if (const JobPtr& job = shell.job()) transfers_.progress(*job);
}

void HostJobs::shell_job_ended(Shell& shell) {
  const JobPtr job = shell.job();
  if (!job) return;
  const std::optional<Ended> asked = job->kill;
  if (!killer_.spare(job)) return;
  const Collector& said = *job->collector;
  if (job->transferring) {
    transfers_.ended(job);
  } else if (FileTransfers::is_due(*job)) {
    transfers_.begin(job);
  } else if (said.held_back()) {
    const auto keep = job->shell;
    ++job->put_off;
    keep->release();
    if (keep->job()) sender_.begin_time(keep->job());
    lost_place(job, false);
  } else if (reboot_.is_due(*job)) {
    reboot_.await(job);
    if (asked) reboot_.lose(*asked, job->kill_why);
  } else if (said.followed()) {
    follow_ended(job);
  } else if (said.started()) {
    finish(job, Ended::finished, {}, {});
  } else if (!said.refusal().empty()) {
    finish(job, job->withdrawn ? Ended::lost : Ended::not_started,
           context_.name() + ": " + Untrusted(said.refusal()).display(500),
           "the host must be able to record that it started a task: the user needs a home that is "
           "writable and has free space");
  } else {
    finish(job, Ended::not_started,
           context_.name() + ": the shell refused the variables of the task", {});
  }
  if (shell.printed() > context_.options.spool_limit && traces_.has_spool(shell.spool()) &&
      shell.state() == Shell::State::idle) {
    shell.end();
  }
  advance();
}

// What became of a task that had been claimed before.
void HostJobs::follow_ended(const JobPtr& job) {
  const Collector& said = *job->collector;
  if (said.followed_to_end()) return finish(job, Ended::finished, {}, {});
  const std::string state = said.state();
  if (state == "withdrawn") {
    job->sent_before = false;
    return finish(job, Ended::not_started, {}, {});
  }
  if (state == "restarted") return reboot_.lost_by_reboot(job);
  const std::string& host = context_.name();
  if (state == "killed") {
    return finish(job, Ended::timed_out, "killed by " + host + " itself after its timeout", {});
  }
  finish(job, Ended::lost, why_lost(host, state), "look on " + host + " for what it has done");
}

// A doomed shell that dies: whether its whole group is gone, the killer says.
bool HostJobs::shell_died(const JobPtr& job, const std::string& why) {
  if (!job || job->kill) return false;
  if (Reboot::reboots(*job) && job->collector->apply_possible()) {
    reboot_.await(job);
    return false;
  }
  // What the task had started may live on: it must not be there when the task is tried again.
  killer_.kill(
      job, Ended::lost,
      context_.name() + ": the shell ended under the task" + (why.empty() ? "" : " (" + why + ")"));
  return true;
}

// --- the connection

void HostJobs::connection_lost(const std::string& why) {
  for (const JobPtr& job : std::deque<JobPtr>(waiting_)) {
    if (!job->done) continue;
    silence(*job);
    finish(job, Ended::not_started, why, {});
  }
  std::deque<JobPtr> to_send_again;
  for (const JobPtr& job : std::vector<JobPtr>(running_)) {
    if (job->done) {
      // A killer is nobody's result; what it was to kill is in running_ itself.
      silence(*job);
      finish(job, Ended::lost, why, {});
    } else if (job->ahead) {
      lost_place(job, true);
    } else if (job->kill) {
      finish(job, Ended::lost, why + "; the task was being killed then", {});
    } else {
      // What was printed before a file was asked for comes once more, and was counted then.
      if (FileTransfers::moves_file(*job) && job->transferring) {
        job->transferring = false;
      } else if (job->once()) {
        job->passed = job->collector->passed();
      }
      job->sent_before = true;
      job->shell.reset();
      to_send_again.push_back(job);
    }
  }
  running_.clear();
  waiting_.insert(waiting_.begin(), to_send_again.begin(), to_send_again.end());
}

void HostJobs::reconnected(bool rebooted) {
  reboot_.reconnected(rebooted);
  for (const JobPtr& job : std::deque<JobPtr>(waiting_)) {
    if (rebooted && job->sent_before && job->once()) reboot_.lost_by_reboot(job);
  }
}

void HostJobs::end_deferred(const std::string& why) {
  for (const JobPtr& job : std::exchange(deferred_, {})) finish(job, Ended::not_started, why, {});
}

void HostJobs::end_all(const std::string& sent, const std::string& unsent,
                       const std::string& rebooting) {
  for (const JobPtr& job : std::vector<JobPtr>(running_)) {
    // A killer is nobody's result; what it was to kill is in running_ itself.
    silence(*job);
    finish(job, Ended::lost, sent, {});
  }
  for (const JobPtr& job : std::deque<JobPtr>(waiting_)) {
    silence(*job);
    finish(job, Ended::not_started, unsent, {});
  }
  end_deferred(unsent);
  reboot_.lose(Ended::lost, rebooting);
}

void HostJobs::close(Traces traces) {
  for (const JobPtr& job : std::deque<JobPtr>(waiting_)) {
    if (!job->done) finish(job, Ended::not_started, kEndedBefore, {});
  }
  end_deferred(kEndedBefore);
  reboot_.lose(Ended::cancelled, "the run ended before it was known whether the host has rebooted");
  for (const JobPtr& job : std::vector<JobPtr>(running_)) {
    const bool at_it = job->shell && job->shell->job() == job;
    if (job->done || job->kill || !at_it) continue;
    if (traces == Traces::remove || !job->once()) {
      killer_.kill(job, Ended::cancelled, "killed at the end of the run");
      continue;
    }
    // The task continues without us, and its spool keeps the result for a resumed run.
    const auto shell = remove_shell(*job->shell);
    finish(job, Ended::lost, "the controller ended while the task was running", {});
    shell->abandon();
  }
}

}  // namespace cnplay::remote
