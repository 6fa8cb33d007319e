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
  const RunId id = ++last_run_;
  Run& run = runs_[id];
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
    if (auto instead = nothing_to_take_back(run)) {
      return end(run, instead->outcome, std::move(instead->reason));
    }
    auto instead = phase_condition(run);
    if (!instead) instead = condition(run, run.node->when, "step");
    if (instead) {
      if (instead->outcome == Outcome::depends) all_depend(run);
      return end(run, instead->outcome, std::move(instead->reason));
    }
  }
  if (run.actions->empty()) run.total = Outcome::ok;
  advance(run);
}

// The step's `when` depends, so each of its actions might change something.
void Steps::all_depend(Run& run) {
  Decision decision;
  decision.outcome = Outcome::depends;
  for (run.action = 0; run.action < run.actions->size(); ++run.action) {
    remember(run, decision, {}, "");
  }
}

// Goes on until a task is in flight, the step has to wait, or it is over.
void Steps::advance(Run& run) {
  for (;;) {
    if (run.action == run.actions->size()) return end(run, run.total, "");
    if (halted_) return end(run, Outcome::aborted, *halted_);
    const bool has_check = action(run).check != plan::kNone;
    if (overdue(run)) {
      release(run);
      settle(run, Outcome::failed, "its timeout was over before `" + action(run).module + "`",
             has_check);
      return;
    }
    if (done_before(run)) continue;
    if (bool goes_on = false; take_ran_ahead(run, has_check, goes_on)) {
      if (goes_on) continue;
      return;
    }
    remote::Task task;
    std::optional<Instead> instead;
    if (!run.holds) instead = condition(run, action(run).when, "action");
    if (!instead && !acquire(run)) {
      run.state = State::queueing;
      if (run.deadline) set_timer(run, *run.deadline);
      return;
    }
    if (!instead) instead = prepare(run, task);
    if (!instead) return start_task(run, std::move(task));
    Decision decision;
    decision.outcome = instead->outcome;
    decision.reason = std::move(instead->reason);
    remember(run, decision, {}, "");
    action_ended(run, decision, nullptr, 0);
    release(run);
    if (!settle(run, decision.outcome, decision.reason, has_check)) return;
  }
}

bool Steps::overdue(const Run& run) const {
  if (!run.deadline || context_.replay.at_seam()) return false;
  if (context_.replay.active()) return context_.replay.out_of_time(run.unit.node, run.unit.host);
  return context_.clock.steady() >= *run.deadline;
}

void Steps::start_task(Run& run, remote::Task task) {
  const plan::Action& a = action(run);
  events::ActionStarted started{run.unit.node, run.unit.host, run.action, run.unit.part, 0};
  const bool recorded = context_.replay.active();
  std::optional<Ahead::Sent> sent;
  if (!recorded && run.unit.part == Part::forward) {
    sent = ahead_.take({run.unit.node, run.action}, run.unit.host);
  }
  started.task = recorded ? context_.replay.task(started)
                 : sent   ? sent->task
                          : ++context_.last_task;
  task.id = started.task;
  task.host = run.unit.host;
  task.become = a.become;
  run.task = task.id;
  run.state = State::running;
  run.output = 0;
  run.cancelled = run.overdue = false;
  run.action_started = context_.clock.steady();
  run.applying = task.mode == remote::Mode::apply && !task.apply.empty();
  // Between two controllers no time has passed for it.
  if (run.deadline && context_.replay.at_seam())
    run.deadline = run.action_started + *run.node->timeout;
  if (run.deadline) {
    task.timeout = *run.deadline - run.action_started;
    set_timer(run, *run.deadline + context_.options.grace);
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
    for (remote::Event& event : sent->said) early_.push_back(std::move(event));
    if (sent->left_out > 0) {
      context_.emit.notice(context_.name(run.unit.host) + ": `" + run.node->title + "` printed " +
                           format_size(Size{static_cast<std::int64_t>(sent->left_out)}) +
                           " more than is kept before the run arrives at it: this part is left "
                           "out, here and in the record");
    }
  } else {
    context_.start(std::move(task));
  }
  if (!recorded) look_ahead(run);
}

// The record is at its end. Steps that it left at work have all of their time once more: how much
// of it their tasks have used only the hosts know.
void Steps::go_on() {
  const Duration now = context_.clock.steady();
  for (auto& [id, run] : runs_) {
    if (run.state == State::pausing || !run.node->timeout || !run.deadline) continue;
    run.deadline = now + *run.node->timeout;
    run.cancelled = run.overdue = false;
    const bool queues = run.state == State::queueing;
    set_timer(run, *run.deadline + (queues ? Duration{0} : context_.options.grace));
  }
}

void Steps::task_ended(remote::TaskEnded ended) {
  const auto it = by_task_.find(ended.task);
  if (it == by_task_.end()) return ahead_ended(std::move(ended));
  finished(runs_.at(it->second), std::move(ended.result), ended.task);
}

void Steps::finished(Run& run, remote::TaskResult result, remote::TaskId task) {
  by_task_.erase(task);
  if (run.sent_ahead) {
    // It may have been at work before the run came to it.
    run.action_started = std::min(run.action_started, context_.clock.steady() - result.took);
    run.started = std::min(run.started, run.action_started);
  }
  const plan::Action& a = action(run);
  const bool has_check = a.check != plan::kNone;
  const events::Mode mode = a.alone ? events::Mode::check : context_.options.mode;
  Decision decision;
  if (run.overdue && result.ended == remote::Ended::cancelled) {
    remote::TaskResult late = result;  // killed by us for its timeout: the same as by the host
    late.ended = remote::Ended::timed_out;
    decision = decide(shape_of(a), mode, late);
  } else {
    decision = decide(shape_of(a), mode, result);
  }
  if (a.alone) answer(decision, result);
  if (const auto* recorded = context_.replay.ended(task)) {
    decision.outcome = recorded->outcome;
    decision.message = recorded->message;
    decision.reason = recorded->reason;
    decision.exit_code = recorded->exit_code;
    decision.applied = recorded->applied;
    context_.unsettled.erase(task);
  }
  if (context_.dry() && decision.outcome == Outcome::ok && !answers_yes(a, result)) {
    as_it_is_now(run, decision);
  }
  plan::Record facts;
  judge_facts(run, result, decision, facts);
  if (run.applying && (run.unit.part == Part::forward || run.unit.part == Part::handler)) {
    undo_.settled(run.unit.node, run.unit.host, decision.applied);
  }
  remember(run, decision, std::move(facts), result.preview);
  action_ended(run, decision, &result, task);
  release(run);
  std::string reason = decision.reason;
  if (is_failure(decision.outcome) && !decision.message.empty()) {
    reason += (reason.empty() ? "" : ": ") + decision.message.display(200);
  }
  if (!settle(run, decision.outcome, reason, has_check)) return;
  if (answers_yes(a, result)) run.action = static_cast<std::uint32_t>(run.actions->size());
  advance(run);
}

// The facts of a module that is checked alone are read by nobody: its answer stands in their place.
// A record has it already.
void Steps::answer(Decision& decision, remote::TaskResult& result) const {
  if (context_.replay.active()) return;
  const auto yes = answer_of(decision);
  result.facts.clear();
  if (yes) result.facts.emplace_back(std::string(plan::kWouldChange), *yes ? "true" : "false");
}

// What stands below in the `check` need not be asked on this host, and perhaps cannot be: it may
// look at what the change would make.
bool Steps::answers_yes(const plan::Action& action, const remote::TaskResult& result) {
  return action.alone && !result.facts.empty() && result.facts.front().second.raw() == "true";
}

// A step before it would do nobody knows what, so `ok` is about the host as it is.
void Steps::as_it_is_now(const Run& run, Decision& decision) const {
  const auto before = dry_.opaque_before(run.unit.host);
  if (!before) return;
  decision.reason = "as it is now: `" + context_.plan.node(*before).title +
                    "` would run before, and may change it";
}

// Facts that break the module's own declaration make its success worthless.
void Steps::judge_facts(const Run& run, const remote::TaskResult& result, Decision& decision,
                        plan::Record& facts) const {
  const plan::Action& a = action(run);
  if (a.check == plan::kNone) return;
  const bool judged = !is_failure(decision.outcome) && decision.outcome != Outcome::skipped;
  auto read = read_facts(a, result.facts, judged);
  if (read) {
    facts = *std::move(read);
  } else if (!is_failure(decision.outcome)) {
    decision.outcome = Outcome::failed;
    decision.reason = read.error().what;
    decision.message = {};
  }
}

void Steps::remember(Run& run, const Decision& decision, plan::Record facts,
                     const std::string& preview) {
  const plan::Action& a = action(run);
  const Unit& unit = run.unit;
  if (unit.part == Part::undo) return;  // its actions are not those of the step
  const bool unapplied = is_unapplied(decision.outcome);
  if (decision.applied) context_.facts.touch(unit.node, unit.host);
  if (!a.returns.empty()) {
    if (decision.applied) context_.facts.save(unit.node, run.action, unit.host, facts);
    if (unapplied || decision.outcome == Outcome::ok || decision.outcome == Outcome::changed) {
      context_.facts.set(unit.node, run.action, unit.host, std::move(facts), unapplied);
    }
  }
  if (unapplied && a.apply != plan::kNone) {
    if (run.written.empty()) note_written(run);
    dry_.not_made(unit.node, run.action, unit.host, is_opaque(a));
    dry_.would_change(unit.node, run.action, unit.host, run.written, preview);
  }
  run.written.clear();
}

bool Steps::settle(Run& run, Outcome outcome, const std::string& reason, bool has_check) {
  run.timer = 0;
  if (!is_failure(outcome)) {
    if (outcome == Outcome::changed || is_unapplied(outcome)) {
      for (const plan::NodeId handler : action(run).notify) {
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
  run.state = State::pausing;
  set_timer(run, context_.clock.steady() + every);
  return false;
}

bool Steps::may_retry(const Run& run, Outcome outcome, bool has_check) const {
  if (!retries_ || halted_ || run.unit.part == Part::undo) return false;
  if (!context_.hosts[run.unit.host].connected || outcome == Outcome::aborted) return false;
  if (outcome == Outcome::unknown) {
    // Nobody knows whether it was done: only a check can tell before it is tried again. Once it is
    // asked whatever was said of retries: that is no second try, but the end of the first.
    // Nor can a check tell whether a host has been restarted.
    if (!has_check || !action(run).reboots.empty()) return false;
    if (run.looks == 0) return true;
  }
  return run.attempt <= run.node->retry.times + run.looks;
}

void Steps::end(Run& run, Outcome outcome, std::string reason) {
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
  if (Ahead::Sent* sent = ahead_.find(o.task)) {
    return sent->withdrawn ? 0 : ahead_.keep(*sent, std::move(o));
  }
  const auto it = by_task_.find(o.task);
  if (it == by_task_.end()) return 0;
  Run& run = runs_.at(it->second);
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

void Steps::action_ended(const Run& run, const Decision& decision, const remote::TaskResult* result,
                         remote::TaskId task) {
  events::ActionEnded e;
  e.node = run.unit.node;
  e.host = run.unit.host;
  e.action = run.action;
  e.part = run.unit.part;
  e.task = task;
  e.outcome = decision.outcome;
  e.message = decision.message;
  e.reason = decision.reason;
  e.exit_code = decision.exit_code;
  e.applied = decision.applied;
  if (result != nullptr) {
    e.diff = result->diff;
    e.facts = result->facts;
    if (is_failure(decision.outcome)) e.tail = result->tail;
    e.took = context_.clock.steady() - run.action_started;
  }
  context_.emit(std::move(e));
  if (result != nullptr && !context_.replay.active()) {
    context_.results.emplace_back(run.unit.host, task);
  }
}

// --- resources: all of an action's at once, so that no two wait for each other

bool Steps::acquire(Run& run) {
  const auto& uses = action(run).uses;
  if (uses.empty() || run.holds) return true;
  Resources& r = resources_[run.unit.host];
  for (const std::string& use : uses) {
    if (!r.held.contains(use)) continue;
    r.waiting.push_back(run.id);
    return false;
  }
  r.held.insert(uses.begin(), uses.end());
  run.holds = true;
  return true;
}

void Steps::release(Run& run) {
  const auto it = resources_.find(run.unit.host);
  if (it == resources_.end()) return;
  Resources& r = it->second;
  if (!run.holds) {
    std::erase(r.waiting, run.id);
    return;
  }
  run.holds = false;
  for (const std::string& use : action(run).uses) r.held.erase(use);
  // Those that waited longest first; each takes what it needs before the next is asked.
  std::vector<RunId> going;
  for (auto w = r.waiting.begin(); w != r.waiting.end();) {
    Run& next = runs_.at(*w);
    const auto& uses = action(next).uses;
    const bool free = std::none_of(uses.begin(), uses.end(),
                                   [&](const std::string& use) { return r.held.contains(use); });
    if (!free) {
      ++w;
      continue;
    }
    r.held.insert(uses.begin(), uses.end());
    next.holds = true;
    going.push_back(next.id);
    w = r.waiting.erase(w);
  }
  for (const RunId id : going) {
    const auto next = runs_.find(id);
    if (next != runs_.end()) advance(next->second);
  }
}

}  // namespace cnplay::run
