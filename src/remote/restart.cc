// A task whose apply restarts its host. That it has done so is known only by another boot id: the
// task is not over when its apply is, but when the host is back and its verify stage has been run
// there. A task that was sent and finds another boot id has had its restart, whoever saw it: so the
// host is never restarted twice for it.
#include <algorithm>
#include <boost/asio/post.hpp>

#include "remote/host.h"

namespace cnplay::remote {
namespace {

// What is to be looked at on the new boot gets so long at least.
constexpr Duration kLeastToVerify = std::chrono::seconds(10);
constexpr Duration kBetweenLooks = std::chrono::milliseconds(500);

StageResult* find(TaskResult& result, Stage stage) {
  const auto at = std::find_if(result.stages.begin(), result.stages.end(),
                               [&](const StageResult& s) { return s.stage == stage; });
  return at == result.stages.end() ? nullptr : &*at;
}

StageResult failed_to(std::string message) {
  return {.stage = Stage::verify,
          .exit_code = 0,
          .verdict = Verdict::fail,
          .message = Untrusted(std::move(message))};
}

}  // namespace

bool HostSession::restarts(const Job& job) { return job.task.reboots && once(job); }

// Whether the task has done what it can on this boot. A shell that is killed while the host goes
// down has not failed.
bool HostSession::restart_due(const Job& job) const {
  if (!restarts(job) || job.kill || job.transferring) return false;
  const Collector& said = *job.collector;
  if (restart_ && restart_.get() != &job) return false;
  if (said.followed() && !said.followed_to_end()) {
    return said.state() == "gone" || said.state() == "ended";
  }
  return said.applied();
}

// When it must be back; nothing: no restart is under way.
std::optional<std::chrono::steady_clock::time_point> HostSession::restart_until() const {
  const Job* job = restart_.get();
  for (const JobPtr& held : waiting_) {
    if (job == nullptr && held->sent_before && restarts(*held)) job = held.get();
  }
  if (job == nullptr) return std::nullopt;
  Duration within = *job->task.reboots;
  if (job->task.timeout) within = std::min(within, *job->task.timeout);
  return job->sent + within;
}

// Nothing else is begun on a host that is about to go.
bool HostSession::waits_for_restart(const Job& job) const { return restart_ && !job.done; }

void HostSession::await_restart(const JobPtr& job) {
  restart_ = job;
  restarted_ = false;
  if (job->timer) job->timer->cancel();
  std::erase(running_, job);
  std::erase(waiting_, job);
  if (job->shell && job->shell->job() == job) job->shell->release();
  job->shell.reset();
  look_at_restart(*restart_until());
}

void HostSession::look_at_restart(std::chrono::steady_clock::time_point when) {
  const JobPtr& job = restart_;
  job->timer = std::make_unique<boost::asio::steady_timer>(connection_->executor());
  job->timer->expires_at(when);
  job->timer->async_wait([weak = weak_from_this(), weak_job = std::weak_ptr<Job>(job)](
                             const boost::system::error_code& error) {
    const auto self = weak.lock();
    const auto late = weak_job.lock();
    if (!error && self && late && !late->over) self->restart_overdue();
  });
}

void HostSession::restart_overdue() {
  if (!restart_) return;
  const Job& job = *restart_;
  const std::string within = human_duration(
      job.task.timeout ? std::min(*job.task.reboots, *job.task.timeout) : *job.task.reboots);
  if (phase_ == Phase::reconnecting) {
    return give_up(lost_why_ + "; it was rebooting, and did not come back in time, within " +
                   within);
  }
  // The look at the new boot has a timeout of its own; a connection that breaks says so at once.
  if (restarted_ || phase_ != Phase::ready) {
    return look_at_restart(std::chrono::steady_clock::now() + kBetweenLooks);
  }
  end_restart(failed_to("has not rebooted within " + within + ": it is still the same boot"));
  pump();
}

// The host is here again, on another boot.
void HostSession::has_restarted(const JobPtr& job) {
  if (restart_ != job) await_restart(job);
  restarted_ = true;
  const Task& task = job->task;
  const bool by_check = task.verify == Verify::by_check && !task.check.empty();
  const std::string& script = by_check ? task.check : task.verify_script;
  if (task.verify == Verify::none || script.empty()) return end_restart(std::nullopt);
  const auto left =
      std::chrono::duration_cast<Duration>(*restart_until() - std::chrono::steady_clock::now());
  auto look = std::make_shared<Job>();
  look->task.host = index_;
  look->task.become = task.become;
  look->task.mode = Mode::check;
  look->task.check = script;
  look->task.variables = task.variables;
  look->task.timeout = std::max(left, kLeastToVerify);
  look->done = [this, job](const TaskResult& result) {
    if (restart_ != job) return;
    if (result.ended != Ended::finished || result.stages.empty()) {
      return end_restart(failed_to("has rebooted, and then: " + result.error));
    }
    StageResult verify = result.stages.front();
    verify.stage = Stage::verify;
    end_restart(std::move(verify));
  };
  waiting_.push_front(std::move(look));
  // Who calls may be at work on what waits.
  boost::asio::post(connection_->executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->pump();
  });
}

// Its result: what was seen of it before the host went, and what verify said after.
void HostSession::end_restart(const std::optional<StageResult>& verify) {
  const JobPtr job = std::exchange(restart_, nullptr);
  TaskResult result;
  if (job->collector) result = job->collector->take();
  if (!job->task.check.empty() && find(result, Stage::check) == nullptr) {
    result.stages.insert(
        result.stages.begin(),
        {.stage = Stage::check, .exit_code = 0, .verdict = Verdict::change, .message = {}});
  }
  if (StageResult* check = find(result, Stage::check); check != nullptr) {
    check->exit_code = 0;
    check->verdict = Verdict::change;
  }
  if (StageResult* apply = find(result, Stage::apply); apply != nullptr) {
    apply->exit_code = 0;  // killed on the way down
  } else {
    result.stages.push_back(
        {.stage = Stage::apply, .exit_code = 0, .verdict = Verdict::none, .message = {}});
  }
  std::erase_if(result.stages, [](const StageResult& s) { return s.stage == Stage::verify; });
  if (verify) result.stages.push_back(*verify);
  tell_restart(job, std::move(result));
}

void HostSession::lose_restart(Ended ended, const std::string& why) {
  if (!restart_) return;
  const JobPtr job = std::exchange(restart_, nullptr);
  TaskResult result;
  if (job->collector) result = job->collector->take();
  result.ended = ended;
  result.error = why;
  result.help = "check whether " + settings_.ssh.name + " has rebooted";
  result.apply_possible = true;
  tell_restart(job, std::move(result));
}

void HostSession::tell_restart(const JobPtr& job, TaskResult result) {
  job->over = true;
  if (job->timer) job->timer->cancel();
  result.took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - job->sent);
  job->collector.reset();
  moved_ = moved_ || result.ended == Ended::finished;
  if (result.ended == Ended::lost) kept_.insert(job->task.become);
  events_->push(TaskEnded{.task = job->task.id, .host = index_, .result = std::move(result)});
}

}  // namespace cnplay::remote
