#include "run/step.h"

#include <algorithm>
#include <cassert>

#include "base/units.h"
#include "events/about.h"

namespace cnplay::run {

using events::Outcome;
using events::Part;

std::size_t position_of(const plan::Node& node, plan::HostIndex host) {
  const auto it = std::lower_bound(node.hosts.begin(), node.hosts.end(), host);
  assert(it != node.hosts.end() && *it == host);
  return static_cast<std::size_t>(it - node.hosts.begin());
}

void Steps::start(const Unit& unit) {
  const StepRunId id = ++last_run_;
  StepRun& run = runs_[id];
  run.id = id;
  run.unit = unit;
  run.node = &context_.plan.node(unit.node);
  run.actions = &events::actions_of(*run.node, unit.part);
  run.position = position_of(*run.node, unit.host);
  run.started = context_.clock.steady();
  at_work_[unit.host].push_back(id);
  context_.emit(events::StepStarted{unit.node, unit.host, unit.part, 1});
  if (!unit.left_out.empty()) return end(run, Outcome::skipped, unit.left_out);
  if (!context_.plan.locks.empty() && !context_.replay.active()) {
    context_.remote.note(unit.host, context_.plan.node(unit.node).path);
  }
  if (unit.part != Part::undo) {
    if (run.node->timeout) run.deadline = run.started + *run.node->timeout;
    if (auto instead = tasks_.nothing_to_roll_back(run)) {
      return end(run, instead->outcome, std::move(instead->reason));
    }
    auto instead = tasks_.phase_condition(run);
    if (!instead) instead = tasks_.condition(run, run.node->when, "step");
    if (instead) {
      if (instead->outcome == Outcome::depends) results_.all_depend(run);
      return end(run, instead->outcome, std::move(instead->reason));
    }
  }
  if (run.actions->empty()) run.total = Outcome::ok;
  advance(run);
}

// Continues until a task is in flight, the step has to wait, or it is over.
void Steps::advance(StepRun& run) {
  for (;;) {
    if (run.action == run.actions->size()) return end(run, run.total, "");
    if (halted_) return end(run, Outcome::aborted, *halted_);
    const bool has_check = run.current().check != plan::kNone;
    if (overdue(run)) {
      release(run);
      settle(run, Outcome::failed, "its timeout was over before `" + run.current().module + "`",
             has_check);
      return;
    }
    if (done_before(run)) continue;
    if (bool continues = false; take_ran_ahead(run, has_check, continues)) {
      if (continues) continue;
      return;
    }
    remote::Task task;
    std::optional<Instead> instead;
    if (!run.holds) instead = tasks_.condition(run, run.current().when, "action");
    if (!instead && !acquire(run)) {
      run.state = StepRun::State::queueing;
      if (run.deadline) timers_.set(run, *run.deadline);
      return;
    }
    if (!instead) instead = tasks_.prepare(run, task);
    if (!instead) return start_task(run, std::move(task));
    Decision decision;
    decision.outcome = instead->outcome;
    decision.reason = std::move(instead->reason);
    results_.remember(run, decision, {}, "");
    results_.report(run, decision, nullptr, 0);
    release(run);
    if (!settle(run, decision.outcome, decision.reason, has_check)) return;
  }
}

bool Steps::overdue(const StepRun& run) const {
  if (!run.deadline || context_.replay.at_seam()) return false;
  if (context_.replay.active()) return context_.replay.out_of_time(run.unit.node, run.unit.host);
  return context_.clock.steady() >= *run.deadline;
}

void Steps::start_task(StepRun& run, remote::Task task) {
  const plan::Action& a = run.current();
  events::ActionStarted started{run.unit.node, run.unit.host, run.action, run.unit.part, 0};
  const bool recorded = context_.replay.active();
  std::optional<Ahead::Sent> sent;
  if (!recorded && run.unit.part == Part::forward) {
    sent = ahead_.take(run);
  }
  started.task = recorded ? context_.replay.task(started)
                 : sent   ? sent->task
                          : ++context_.last_task;
  task.id = started.task;
  task.host = run.unit.host;
  task.become = a.become;
  run.task = task.id;
  run.state = StepRun::State::running;
  run.output = 0;
  run.cancelled = run.overdue = false;
  run.action_started = context_.clock.steady();
  run.applying = task.mode == remote::Mode::apply && !task.apply.empty();
  // Between two controllers no time has passed for it.
  if (run.deadline && context_.replay.at_seam())
    run.deadline = run.action_started + *run.node->timeout;
  if (run.deadline) {
    task.timeout = *run.deadline - run.action_started;
    timers_.set(run, *run.deadline + context_.options.grace);
  }
  if (run.applying && run.unit.part == Part::forward) {
    undo_.registered(run.unit.node, run.unit.host);
  }
  by_task_[task.id] = run.id;
  // Following a record, this may be its last event: whether the task is sent is settled before.
  context_.emit(started);
  run.sent_ahead = sent.has_value();
  if (recorded) {
    context_.unsettled.emplace(started.task, std::move(task));
  } else if (sent && sent->earlier) {
    task.sent_under = context_.replay.boot_id(task.id);
    context_.start(std::move(task));
  } else if (sent) {
    context_.adopt(started.task);
    ahead_.push_early(std::move(sent->said));
    if (sent->left_out > 0) {
      context_.emit.notice(context_.name(run.unit.host) + ": `" + run.node->title + "` printed " +
                           format_size(Size{static_cast<std::int64_t>(sent->left_out)}) +
                           " more than is kept before the run arrives at it: this part is left "
                           "out, here and in the record");
    }
  } else {
    context_.start(std::move(task));
  }
  const bool alone = at_work_[run.unit.host].size() == 1;
  if (!recorded && alone && !halted_ && retries_) ahead_.send_after(run);
}

void Steps::continue_for_real() {
  const Duration now = context_.clock.steady();
  for (auto& [id, run] : runs_) {
    if (run.state == StepRun::State::pausing || !run.node->timeout || !run.deadline) continue;
    run.deadline = now + *run.node->timeout;
    run.cancelled = run.overdue = false;
    const bool queues = run.state == StepRun::State::queueing;
    timers_.set(run, *run.deadline + (queues ? Duration{0} : context_.options.grace));
  }
}

void Steps::task_ended(remote::TaskEnded ended) {
  const auto it = by_task_.find(ended.task);
  if (it == by_task_.end()) return ahead_.ended(std::move(ended));
  finished(runs_.at(it->second), std::move(ended.result), ended.task);
}

void Steps::finished(StepRun& run, remote::TaskResult result, remote::TaskId task) {
  by_task_.erase(task);
  if (run.sent_ahead) {
    // It may have been at work before the run came to it.
    run.action_started = std::min(run.action_started, context_.clock.steady() - result.took);
    run.started = std::min(run.started, run.action_started);
  }
  const plan::Action& a = run.current();
  const bool has_check = a.check != plan::kNone;
  plan::Record facts;
  const Decision decision = results_.judge(run, result, task, facts);
  if (context_.replay.ended(task) != nullptr) context_.unsettled.erase(task);
  if (run.applying && (run.unit.part == Part::forward || run.unit.part == Part::handler)) {
    undo_.settled(run.unit.node, run.unit.host, decision.applied);
  }
  results_.remember(run, decision, std::move(facts), result.preview);
  results_.report(run, decision, &result, task);
  release(run);
  std::string reason = decision.reason;
  if (is_failure(decision.outcome) && !decision.message.empty()) {
    reason += (reason.empty() ? "" : ": ") + decision.message.display(200);
  }
  if (!settle(run, decision.outcome, reason, has_check)) return;
  if (ActionResults::answers_yes(a, result)) {
    run.action = static_cast<std::uint32_t>(run.actions->size());
  }
  advance(run);
}

bool Steps::settle(StepRun& run, Outcome outcome, const std::string& reason, bool has_check) {
  run.timer = 0;
  if (!is_failure(outcome)) {
    if (outcome == Outcome::changed || is_unapplied(outcome)) {
      for (const plan::NodeId handler : run.current().notify) {
        run.notified.emplace_back(handler, outcome);
      }
    }
    run.total = worst(run.total, outcome);
    ++run.action;
    return true;
  }
  run.failure = outcome;
  run.reason = reason;
  if (!may_retry(run, outcome, has_check)) {
    end(run, worst(run.total, outcome), reason);
    return false;
  }
  Duration every = run.node->retry.every;
  if (outcome == Outcome::unknown && run.looks == 0) {
    run.looks = 1;
    every = Duration{0};
  }
  context_.emit(events::RetryScheduled{run.unit.node, run.unit.host, run.attempt + 1,
                                       run.node->retry.times + 1 + run.looks, every});
  run.state = StepRun::State::pausing;
  timers_.set(run, context_.clock.steady() + every);
  return false;
}

bool Steps::may_retry(const StepRun& run, Outcome outcome, bool has_check) const {
  if (!retries_ || halted_ || run.unit.part == Part::undo) return false;
  if (!context_.hosts[run.unit.host].connected || outcome == Outcome::aborted) return false;
  if (outcome == Outcome::unknown) {
    // Nobody knows whether it was done: only a check can tell before it is tried again. Once it is
    // asked whatever was said of retries: that is no second try, but the end of the first.
    // Nor can a check tell whether a host has been restarted.
    if (!has_check || !run.current().reboots.empty()) return false;
    if (run.looks == 0) return true;
  }
  return run.attempt <= run.node->retry.times + run.looks;
}

void Steps::end(StepRun& run, Outcome outcome, std::string reason) {
  release(run);
  StepEnd ended;
  ended.unit = run.unit;
  ended.outcome = outcome;
  ended.reason = std::move(reason);
  ended.started = run.started;
  ended.ended = context_.clock.steady();
  ended.notified = std::move(run.notified);
  context_.emit(events::StepEnded{run.unit.node, run.unit.host, run.unit.part, outcome,
                                  ended.reason, ended.ended - ended.started});
  auto& at_work = at_work_[run.unit.host];
  at_work.erase(std::find(at_work.begin(), at_work.end(), run.id));
  runs_.erase(run.id);
  ended_.push_back(std::move(ended));
}

std::optional<StepEnd> Steps::take_ended() {
  if (ended_.empty()) return std::nullopt;
  StepEnd ended = std::move(ended_.front());
  ended_.pop_front();
  return ended;
}

std::size_t Steps::output(remote::TaskOutput o) {
  if (const auto kept = ahead_.output(o)) return *kept;
  const auto it = by_task_.find(o.task);
  if (it == by_task_.end()) return 0;
  StepRun& run = runs_.at(it->second);
  const std::uint64_t cap = context_.options.output_cap;
  const std::uint64_t before = run.output;
  run.output += o.bytes.size();
  const std::size_t shown = std::min<std::uint64_t>(o.bytes.size(), cap - std::min(cap, before));
  if (shown > 0) {
    events::Output told{o.task, o.host, static_cast<events::Stage>(o.stage),
                        static_cast<events::Stream>(o.stream), o.bytes};
    told.bytes.raw().resize(shown);
    context_.emit(std::move(told));
  }
  if (before > cap || run.output <= cap) return 0;
  context_.emit.notice(context_.name(o.host) + ": `" + run.node->title + "` printed more than " +
                       format_size(Size{static_cast<std::int64_t>(cap)}) +
                       ": the rest is left out, here and in the record");
  return 0;
}

void Steps::progress(const remote::TaskProgress& p) {
  if (by_task_.contains(p.task)) context_.emit.progress({p.task, p.host, p.done, p.size});
}

// --- what was done before

// The run was parked before it came to this action, and its host had begun it by itself: that was
// it, well or not. Its facts are known already, and its undo is registered.
bool Steps::take_ran_ahead(StepRun& run, bool has_check, bool& continues) {
  if (run.unit.part != Part::forward) return false;
  const auto ran = ahead_.take_ran(run);
  if (!ran) return false;
  release(run);
  Decision decision;
  decision.outcome = ran->outcome;
  decision.message = ran->message;
  decision.reason =
      ran->reason.empty() ? "begun ahead, as task " + std::to_string(ran->task) : ran->reason;
  decision.applied = ran->applied;
  remote::TaskResult result;
  result.facts = ran->facts;
  run.action_started = context_.clock.steady();
  results_.report(run, decision, &result, 0);
  continues = settle(run, decision.outcome, decision.reason, has_check);
  return true;
}

// A step that is begun again because it had failed does not repeat what was good of it: that is
// reported once more. True: the current action is settled so.
bool Steps::done_before(StepRun& run) {
  if (run.unit.part != Part::forward) return false;
  const auto* done = context_.replay.done(run.unit.node, run.unit.host, run.action);
  if (done == nullptr) return false;
  release(run);
  Decision decision;
  decision.outcome = done->outcome;
  decision.message = done->message;
  decision.reason =
      done->task == 0 ? done->reason : "done before, by task " + std::to_string(done->task);
  decision.exit_code = done->exit_code;
  decision.applied = done->applied;
  remote::TaskResult result;
  result.facts = done->facts;
  plan::Record facts;
  results_.judge_facts(run, result, decision, facts);
  if (is_failure(decision.outcome)) return false;  // its facts are declared otherwise now
  if (decision.applied) undo_.changed(run.unit.node, run.unit.host);
  run.action_started = context_.clock.steady();
  results_.remember(run, decision, std::move(facts), "");
  results_.report(run, decision, &result, 0);
  return settle(run, decision.outcome, decision.reason, true);
}

// --- timeouts, lost hosts, the end of a run

// In a replay the next recorded event decides, whatever the clock says.
void Steps::fire_recorded() {
  while (const auto due = context_.replay.due()) {
    const auto& ids = at_work_[due->host];
    const auto id = std::find_if(ids.begin(), ids.end(), [&](StepRunId i) {
      const StepRun& run = runs_.at(i);
      if (run.unit.node != due->node) return false;
      return due->attempt == 0
                 ? run.state == StepRun::State::queueing && run.deadline
                 : run.state == StepRun::State::pausing && run.attempt + 1 == due->attempt;
    });
    if (id == ids.end()) return;
    stop_waiting(runs_.at(*id));
  }
}

void Steps::stop_waiting(StepRun& run) {
  run.timer = 0;
  if (run.state == StepRun::State::queueing) {
    release(run);
    return advance(run);  // finds the deadline past
  }
  ++run.attempt;
  run.state = StepRun::State::running;
  if (run.node->timeout) run.deadline = context_.clock.steady() + *run.node->timeout;
  context_.emit(events::StepStarted{run.unit.node, run.unit.host, run.unit.part, run.attempt});
  advance(run);
}

void Steps::fire_timers() {
  if (context_.replay.active()) return fire_recorded();
  const Duration now = context_.clock.steady();
  while (const auto timer = timers_.take_due(now)) {
    const auto it = runs_.find(timer->step);
    if (it == runs_.end() || it->second.timer != timer->serial) continue;
    StepRun& run = it->second;
    if (run.state != StepRun::State::running) {
      stop_waiting(run);
      continue;
    }
    run.timer = 0;
    if (run.cancelled) {
      lost(run, "the host did not say what became of it", true);
    } else {
      run.cancelled = run.overdue = true;
      timers_.set(run, now + context_.options.grace);
      context_.cancel(run.task);
    }
  }
}

void Steps::lost(StepRun& run, const std::string& why, bool apply_possible) {
  remote::TaskResult result;
  result.ended = remote::Ended::lost;
  result.error = why;
  result.apply_possible = apply_possible;
  finished(run, std::move(result), run.task);
}

void Steps::host_lost(plan::HostIndex host) {
  const std::vector<StepRunId> ids = at_work_[host];
  for (const StepRunId id : ids) {
    const auto it = runs_.find(id);
    if (it == runs_.end()) continue;
    StepRun& run = it->second;
    switch (run.state) {
      case StepRun::State::pausing:
        end(run, worst(run.total, run.failure), run.reason);
        break;
      case StepRun::State::queueing:
        end(run, Outcome::unreachable, "the connection was lost: " + context_.hosts[host].why);
        break;
      case StepRun::State::running:
        // Begun before the loss was known here: its own end says that it was never sent.
        run.cancelled = true;
        timers_.set(run, context_.clock.steady() + context_.options.grace);
        break;
    }
  }
}

void Steps::stop_retries() {
  retries_ = false;
  std::vector<StepRunId> ids;
  for (const auto& [id, run] : runs_) {
    if (run.state == StepRun::State::pausing) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  for (const StepRunId id : ids) {
    StepRun& run = runs_.at(id);
    end(run, worst(run.total, run.failure), run.reason + " (not tried again: the run is stopping)");
  }
}

void Steps::halt(std::string reason) {
  if (!halted_) halted_ = std::move(reason);
  stop_retries();
  std::vector<StepRunId> ids;
  for (const auto& [id, run] : runs_) {
    if (run.state == StepRun::State::queueing) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  for (const StepRunId id : ids) {
    const auto it = runs_.find(id);
    if (it != runs_.end()) end(it->second, Outcome::aborted, *halted_);
  }
}

void Steps::kill(std::string reason) {
  halt(std::move(reason));
  std::vector<StepRunId> ids;
  for (const auto& [task, id] : by_task_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (const StepRunId id : ids) {
    StepRun& run = runs_.at(id);
    run.cancelled = true;
    timers_.set(run, context_.clock.steady() + context_.options.grace);
    context_.cancel(run.task);
  }
  ahead_.cancel_withdrawn();
}

void Steps::give_up() {
  std::vector<StepRunId> ids;
  for (const auto& [task, id] : by_task_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (const StepRunId id : ids) lost(runs_.at(id), "not waited for any more", true);
  ahead_.give_up_withdrawn();
}

// --- resources

bool Steps::acquire(StepRun& run) {
  const auto& uses = run.current().uses;
  if (uses.empty() || run.holds) return true;
  run.holds = resources_.acquire(run.id, run.unit.host, uses);
  return run.holds;
}

void Steps::release(StepRun& run) {
  if (!run.holds) return resources_.stop_waiting(run.id, run.unit.host);
  run.holds = false;
  const auto going = resources_.release(run.unit.host, run.current().uses);
  for (const StepRunId id : going) runs_.at(id).holds = true;
  for (const StepRunId id : going) {
    const auto next = runs_.find(id);
    if (next != runs_.end()) advance(next->second);
  }
}

}  // namespace cnplay::run
