#include "run/action_results.h"

#include <utility>

namespace cnplay::run {

using events::Outcome;
using events::Part;

void ActionResults::all_depend(StepRun& run) {
  Decision decision;
  decision.outcome = Outcome::depends;
  for (run.action = 0; run.action < run.actions->size(); ++run.action) {
    remember(run, decision, {}, "");
  }
}

Decision ActionResults::judge(const StepRun& run, remote::TaskResult& result, remote::TaskId task,
                              plan::Record& facts) const {
  const plan::Action& a = run.current();
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
  }
  if (context_.dry() && decision.outcome == Outcome::ok && !answers_yes(a, result)) {
    as_it_is_now(run, decision);
  }
  judge_facts(run, result, decision, facts);
  return decision;
}

// The facts of a module that is checked alone are read by nobody: its answer stands in their place.
// A record has it already.
void ActionResults::answer(Decision& decision, remote::TaskResult& result) const {
  if (context_.replay.active()) return;
  const auto yes = answer_of(decision);
  result.facts.clear();
  if (yes) result.facts.emplace_back(std::string(plan::kWouldChange), *yes ? "true" : "false");
}

bool ActionResults::answers_yes(const plan::Action& action, const remote::TaskResult& result) {
  return action.alone && !result.facts.empty() && result.facts.front().second.raw() == "true";
}

// A step before it would do nobody knows what, so `ok` is about the host as it is.
void ActionResults::as_it_is_now(const StepRun& run, Decision& decision) const {
  const auto before = dry_.opaque_before(run.unit.host);
  if (!before) return;
  decision.reason = "as it is now: `" + context_.plan.node(*before).title +
                    "` would run before, and may change it";
}

void ActionResults::judge_facts(const StepRun& run, const remote::TaskResult& result,
                                Decision& decision, plan::Record& facts) const {
  const plan::Action& a = run.current();
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

void ActionResults::remember(StepRun& run, const Decision& decision, plan::Record facts,
                             const std::string& preview) {
  const plan::Action& a = run.current();
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
    if (run.written.empty()) tasks_.note_written(run);
    dry_.not_made(unit.node, run.action, unit.host, is_opaque(a));
    dry_.would_change(unit.node, run.action, unit.host, run.written, preview);
  }
  run.written.clear();
}

void ActionResults::report(const StepRun& run, const Decision& decision,
                           const remote::TaskResult* result, remote::TaskId task) {
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

}  // namespace cnplay::run
