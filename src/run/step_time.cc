// Steps that do not end by themselves: timeouts, hosts that are lost, runs that are left.
#include <algorithm>

#include "run/step.h"

namespace cnplay::run {

using events::Outcome;

void Steps::set_timer(Run& run, Duration when) {
  run.timer = ++last_timer_;
  timers_.push({when, run.id, run.timer});
}

std::optional<Duration> Steps::next_timer() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.top().when;  // perhaps of one that no longer counts: an early look does no harm
}

// In a replay the next recorded event decides, whatever the clock says.
void Steps::fire_recorded() {
  while (const auto due = context_.replay.due()) {
    const auto& ids = at_work_[due->host];
    const auto id = std::find_if(ids.begin(), ids.end(), [&](RunId i) {
      const Run& run = runs_.at(i);
      if (run.unit.node != due->node) return false;
      return due->attempt == 0 ? run.state == State::queueing && run.deadline
                               : run.state == State::pausing && run.attempt + 1 == due->attempt;
    });
    if (id == ids.end()) return;
    stop_waiting(runs_.at(*id));
  }
}

void Steps::stop_waiting(Run& run) {
  run.timer = 0;
  if (run.state == State::queueing) {
    release(run);
    return advance(run);  // finds the deadline past
  }
  ++run.attempt;
  run.state = State::running;
  if (run.node->timeout) run.deadline = context_.clock.steady() + *run.node->timeout;
  context_.emit(events::StepStarted{run.unit.node, run.unit.host, run.unit.part, run.attempt});
  advance(run);
}

void Steps::fire_timers() {
  if (context_.replay.active()) return fire_recorded();
  const Duration now = context_.clock.steady();
  while (!timers_.empty() && timers_.top().when <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    const auto it = runs_.find(timer.run);
    if (it == runs_.end() || it->second.timer != timer.serial) continue;
    Run& run = it->second;
    if (run.state != State::running) {
      stop_waiting(run);
      continue;
    }
    run.timer = 0;
    if (run.cancelled) {
      lost(run, "the host did not say what became of it", true);
    } else {
      run.cancelled = run.overdue = true;
      set_timer(run, now + context_.options.grace);
      context_.cancel(run.task);
    }
  }
}

void Steps::lost(Run& run, const std::string& why, bool apply_possible) {
  remote::TaskResult result;
  result.ended = remote::Ended::lost;
  result.error = why;
  result.apply_possible = apply_possible;
  finished(run, std::move(result), run.task);
}

void Steps::host_lost(plan::HostIndex host) {
  const std::vector<RunId> ids = at_work_[host];
  for (const RunId id : ids) {
    const auto it = runs_.find(id);
    if (it == runs_.end()) continue;
    Run& run = it->second;
    switch (run.state) {
      case State::pausing:
        end(run, worst(run.total, run.failure), run.reason);
        break;
      case State::queueing:
        end(run, Outcome::unreachable, "the connection was lost: " + context_.hosts[host].why);
        break;
      case State::running:
        // Begun before the loss was known here: its own end says that it was never sent.
        run.cancelled = true;
        set_timer(run, context_.clock.steady() + context_.options.grace);
        break;
    }
  }
}

void Steps::stop_retries() {
  retries_ = false;
  std::vector<RunId> ids;
  for (const auto& [id, run] : runs_) {
    if (run.state == State::pausing) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  for (const RunId id : ids) {
    Run& run = runs_.at(id);
    end(run, worst(run.total, run.failure), run.reason + " (not tried again: the run is stopping)");
  }
}

void Steps::halt(std::string reason) {
  if (!halted_) halted_ = std::move(reason);
  stop_retries();
  std::vector<RunId> ids;
  for (const auto& [id, run] : runs_) {
    if (run.state == State::queueing) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  for (const RunId id : ids) {
    const auto it = runs_.find(id);
    if (it != runs_.end()) end(it->second, Outcome::aborted, *halted_);
  }
}

void Steps::kill(std::string reason) {
  halt(std::move(reason));
  std::vector<RunId> ids;
  for (const auto& [task, id] : by_task_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (const RunId id : ids) {
    Run& run = runs_.at(id);
    run.cancelled = true;
    set_timer(run, context_.clock.steady() + context_.options.grace);
    context_.cancel(run.task);
  }
  for (const remote::TaskId id : ahead_.withdrawn()) context_.cancel(id);
}

void Steps::give_up() {
  std::vector<RunId> ids;
  for (const auto& [task, id] : by_task_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (const RunId id : ids) lost(runs_.at(id), "not waited for any more", true);
  for (const remote::TaskId id : ahead_.withdrawn()) {
    remote::TaskEnded ended;
    ended.task = id;
    ended.result.ended = remote::Ended::lost;
    ended.result.error = "not waited for any more";
    ended.result.apply_possible = true;
    ahead_ended(std::move(ended));
  }
}

}  // namespace cnplay::run
