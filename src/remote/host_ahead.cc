// Tasks that are sent before the runner has come to them: behind the one that they follow, in the
// same shell, which begins them by itself if that one has ended well. What has lost its place there
// is parked until the runner comes to it, or says that it will not.
#include <algorithm>

#include "remote/host.h"
#include "remote/shipment.h"

namespace cnplay::remote {
namespace {

// Whoever claims it first: we, or the shell that it was sent to.
constexpr const char* kForbid = R"SH(
umask 077
_cn_mkdir "$_cn_dir" # the shell that it was sent to may be about to
set -C
{ put "withdrawn - - - - - -$nl"; } 2>/dev/null >"$_cn_dir/t-$task" || :
)SH";

}  // namespace

bool HostSession::send_ahead(const JobPtr& job) {
  if (phase_ != Phase::ready || parent_ == 0 || job->sent_before) return false;
  const auto found = std::ranges::find_if(shells_, [&](const auto& shell) {
    return shell->last_task() == job->task.after && shell->user() == job->task.become &&
           (shell->state() == Shell::State::idle || shell->state() == Shell::State::busy);
  });
  if (found == shells_.end()) return false;
  const std::shared_ptr<Shell> shell = *found;
  if (shell->merged() || shell->printed() > options_.spool_limit) return false;
  const JobPtr& first = shell->job();
  if (first && (first->done || first->kill || moves_file(*first))) return false;
  auto shipment =
      shipment_of(*job, Claim::ahead,
                  {.after = job->task.after, .parent = parent_, .parent_since = parent_since_});
  if (!shipment) return false;  // told when the runner comes to it
  if (once(*job)) note_claim(*job, *shell);
  job->shell = shell;
  running_.push_back(job);
  collect(job);
  if (shell->state() == Shell::State::busy) {
    shell->run_next(job, std::move(*shipment));
  } else {
    begin_time(job);
    shell->run(job, std::move(*shipment));
  }
  return true;
}

// What was to follow it, and is parked, follows it now. A host that prints much holds back what
// comes after: what it has held back twice is sent when the runner comes to it.
void HostSession::send_held_back(const Job& before) {
  constexpr int kMostHeldBack = 2;
  TaskId after = before.task.id;
  for (std::size_t i = 0; i < parked_.size();) {
    const JobPtr job = parked_[i];
    if (job->task.after != after || job->held_back >= kMostHeldBack || !send_ahead(job)) {
      ++i;
      continue;
    }
    after = job->task.id;
    parked_.erase(parked_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

HostSession::JobPtr HostSession::take_parked(TaskId id) {
  const auto found = std::ranges::find_if(parked_, [&](const auto& j) { return j->task.id == id; });
  if (found == parked_.end()) return nullptr;
  JobPtr job = *found;
  parked_.erase(found);
  return job;
}

void HostSession::adopt(TaskId id) {
  if (const JobPtr job = take_parked(id)) {
    job->ahead = false;
    waiting_.push_back(job);
    return pump();
  }
  for (const JobPtr& job : running_) {
    if (!job->done && job->task.id == id) job->ahead = false;
  }
}

void HostSession::withdraw(TaskId id) {
  if (const JobPtr job = take_parked(id)) {
    job->withdrawn = true;
    return ask_back(job);
  }
  for (const JobPtr& job : running_) {
    if (job->done || job->task.id != id || !job->ahead) continue;
    job->withdrawn = true;
    if (!once(*job)) return;  // it changes nothing: let it end
    auto forbid = std::make_shared<Job>();
    forbid->urgent = true;
    forbid->task.host = index_;
    forbid->task.become = job->task.become;
    forbid->task.apply = kForbid;
    forbid->task.verify = Verify::none;
    forbid->task.variables = {{.name = "task", .value = std::to_string(id)}};
    forbid->done = [](const TaskResult&) {};
    waiting_.push_front(std::move(forbid));
    return pump();
  }
}

// One that is withdrawn, and in no shell: whether it has begun is asked of its claim.
void HostSession::ask_back(const JobPtr& job) {
  if (job->sent_before && once(*job)) {
    waiting_.push_back(job);
    return pump();
  }
  job->sent_before = false;
  finish(job, Ended::not_started, {}, {});
}

// Its shell is gone, or the host has held it back.
void HostSession::lost_place(const JobPtr& job, bool may_have_begun) {
  std::erase(running_, job);
  if (may_have_begun && once(*job)) {
    job->passed = job->collector->passed();
    job->sent_before = true;
    if (job->task.sent_under.empty()) job->task.sent_under = boot_id_;
  }
  job->shell.reset();
  job->collector.reset();
  if (job->timer) job->timer->cancel();
  if (phase_ == Phase::closing) {
    finish(job, Ended::not_started, "the run ended before it was sent", {});
  } else if (job->withdrawn) {
    ask_back(job);
  } else if (job->ahead) {
    parked_.push_back(job);
  } else {
    waiting_.push_front(job);
  }
}

}  // namespace cnplay::remote
