// A step that is begun anew because it had failed does not do again what was good of it: that is
// told once more, with the facts and the way back that it left.
#include "run/step.h"

namespace cnplay::run {

// The run was parked before it came to this action, and its host had begun it by itself: that was
// it, well or not. Its facts and its way back are known already.
bool Steps::take_ran_ahead(Run& run, bool has_check, bool& goes_on) {
  const auto found = ran_ahead_.find({run.unit.node, run.unit.host, run.action});
  if (found == ran_ahead_.end() || run.unit.part != events::Part::forward) return false;
  const events::RanAhead ran = std::move(found->second);
  ran_ahead_.erase(found);
  release(run);
  Decision decision;
  decision.outcome = ran.outcome;
  decision.message = ran.message;
  decision.reason =
      ran.reason.empty() ? "begun ahead, as task " + std::to_string(ran.task) : ran.reason;
  decision.applied = ran.applied;
  remote::TaskResult result;
  result.facts = ran.facts;
  run.action_started = context_.clock.steady();
  action_ended(run, decision, &result, 0);
  goes_on = settle(run, decision.outcome, decision.reason, has_check);
  return true;
}

// True: the action at hand is settled so.
bool Steps::done_before(Run& run) {
  if (run.unit.part != events::Part::forward) return false;
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
  judge_facts(run, result, decision, facts);
  if (is_failure(decision.outcome)) return false;  // its facts are declared otherwise now
  if (decision.applied) undo_.changed(run.unit.node, run.unit.host);
  run.action_started = context_.clock.steady();
  remember(run, decision, std::move(facts), "");
  action_ended(run, decision, &result, 0);
  return settle(run, decision.outcome, decision.reason, true);
}

}  // namespace cnplay::run
