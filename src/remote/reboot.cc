#include "remote/reboot.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "remote/shell.h"

namespace cnplay::remote {
namespace {

// The verify stage on the new boot gets at least so long.
constexpr Duration kLeastToVerify = std::chrono::seconds(10);
constexpr Duration kBetweenChecks = std::chrono::milliseconds(500);

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

// How long the host may be away.
Duration patience(const Task& task) {
  return task.timeout ? std::min(*task.reboots, *task.timeout) : *task.reboots;
}

}  // namespace

bool Reboot::reboots(const Job& job) { return job.task.reboots && job.once(); }

bool Reboot::is_due(const Job& job) const {
  if (!reboots(job) || job.kill || job.transferring) return false;
  const Collector& said = *job.collector;
  if (job_ && job_.get() != &job) return false;
  if (said.followed() && !said.followed_to_end()) {
    return said.state() == "gone" || said.state() == "ended";
  }
  return said.applied();
}

std::optional<Reboot::TimePoint> Reboot::until() const {
  const Job* job = job_.get();
  for (const JobPtr& waiting : jobs_.waiting()) {
    if (job == nullptr && waiting->sent_before && reboots(*waiting)) job = waiting.get();
  }
  if (job == nullptr) return std::nullopt;
  return job->sent + patience(job->task);
}

void Reboot::await(const JobPtr& job) {
  job_ = job;
  rebooted_ = false;
  if (job->timer) job->timer->cancel();
  jobs_.detach(job);
  check_at(*until());
}

void Reboot::check_at(TimePoint when) {
  job_->timer = std::make_unique<boost::asio::steady_timer>(context_.executor());
  job_->timer->expires_at(when);
  job_->timer->async_wait([this, alive = context_.session, weak_job = std::weak_ptr<Job>(job_)](
                              const boost::system::error_code& error) {
    const auto session = alive.lock();
    const auto late = weak_job.lock();
    if (!error && session && late && !late->over) overdue();
  });
}

void Reboot::overdue() {
  if (!job_) return;
  const std::string within = human_duration(patience(job_->task));
  if (context_.phase == Phase::reconnecting) {
    return jobs_.give_up("it was rebooting, and did not come back in time, within " + within);
  }
  // The verify stage on the new boot has a timeout of its own; a connection that breaks says so at
  // once.
  if (rebooted_ || context_.phase != Phase::ready) {
    return check_at(std::chrono::steady_clock::now() + kBetweenChecks);
  }
  end(failed_to("has not rebooted within " + within + ": it is still the same boot"));
  jobs_.pump();
}

void Reboot::reconnected(bool rebooted) {
  if (job_ && (rebooted || rebooted_)) done(job_);
}

void Reboot::lost_by_reboot(const JobPtr& job) {
  if (reboots(*job) && (!job_ || job_ == job)) return done(job);
  jobs_.finish(job, Ended::lost, context_.name() + " was rebooted while the task ran, or before it",
               "look on " + context_.name() + " for what it has done");
}

// The host is here again, on another boot.
void Reboot::done(const JobPtr& job) {
  if (job_ != job) await(job);
  rebooted_ = true;
  const Task& task = job->task;
  const bool by_check = task.verify == Verify::by_check && !task.check.empty();
  const std::string& script = by_check ? task.check : task.verify_script;
  if (task.verify == Verify::none || script.empty()) return end(std::nullopt);
  const auto left =
      std::chrono::duration_cast<Duration>(*until() - std::chrono::steady_clock::now());
  auto look = std::make_shared<Job>();
  look->task.host = context_.index;
  look->task.become = task.become;
  look->task.mode = Mode::check;
  look->task.check = script;
  look->task.variables = task.variables;
  look->task.timeout = std::max(left, kLeastToVerify);
  look->done = [this, job](const TaskResult& result) {
    if (job_ != job) return;
    if (result.ended != Ended::finished || result.stages.empty()) {
      return end(failed_to("has rebooted, and then: " + result.error));
    }
    StageResult verify = result.stages.front();
    verify.stage = Stage::verify;
    end(std::move(verify));
  };
  jobs_.queue_first(std::move(look));
  // The caller may be iterating over what waits.
  boost::asio::post(context_.executor(), [this, alive = context_.session] {
    if (const auto session = alive.lock()) jobs_.pump();
  });
}

// Its result: what was seen of it before the host went, and what verify said after.
void Reboot::end(const std::optional<StageResult>& verify) {
  const JobPtr job = std::exchange(job_, nullptr);
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
  report(job, std::move(result));
}

void Reboot::lose(Ended ended, const std::string& why) {
  if (!job_) return;
  const JobPtr job = std::exchange(job_, nullptr);
  TaskResult result;
  if (job->collector) result = job->collector->take();
  result.ended = ended;
  result.error = why;
  result.help = "check whether " + context_.name() + " has rebooted";
  result.apply_possible = true;
  report(job, std::move(result));
}

void Reboot::report(const JobPtr& job, TaskResult result) {
  result.took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - job->sent);
  jobs_.report(job, std::move(result));
}

}  // namespace cnplay::remote
