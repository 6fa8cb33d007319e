// What answers a failure: handlers first, then `on_failure` of the innermost phase, or undo; and
// the closers, which run whatever happened.
#include <algorithm>

#include "run/runner.h"
#include "run/stepwise.h"

namespace cnplay::run {

using events::Part;
using plan::HostIndex;
using plan::NodeId;

// Of the work at hand nothing more is started. Handlers that were due are kept for after.
void Runner::stop() {
  stopping_ = true;
  for (const auto* units : {&ready_, &placed_, &parked_}) {
    for (const Unit& unit : *units) {
      if (unit.part == Part::handler) {
        handlers_.put_back(unit.node, unit.host, unit.instead.value_or(events::Outcome::changed));
      }
      if (unit.part == Part::undo) ending_.undo_complete = false;
    }
  }
  ready_.clear();
  placed_.clear();
  parked_.clear();
  waits_.clear();
  if (human_ && human_->begun) context_.options.prompter->end("the run stops");
  human_.reset();
  if (asking_step_) context_.options.stepper->end("the run stops");
  asking_step_ = false;
  undecided_.clear();
  held_.clear();
  leave_window();
  for (const auto& [id, round] : rounds_) {
    for (const auto& [host, queue] : round.queues) {
      for (const auto& [handler, outcome] : queue) handlers_.put_back(handler, host, outcome);
    }
  }
  rounds_.clear();
  steps_.withdraw_all();
  // A run that is only left goes on as if it never had been: what is at work has all its attempts.
  const bool only_left = ending_.parked && !ending_.aborted && !ending_.failed_at;
  if (!only_left) steps_.stop_retries();
}

// Work of another kind begins.
void Runner::resume() {
  stopping_ = false;
  walk_.reset();
  steps_.allow_retries();
}

void Runner::respond() {
  resume();
  live_ = live_hosts(true);
  // Services must not run on with half of a new configuration while things are undone.
  if (!handlers_.empty()) {
    begin_round(handlers_.take_all(), std::nullopt);
    drive();
  }
  if (stopping_) return;
  if (ending_.late) {
    // Somebody decided it beforehand: it is not asked.
    return roll_back(
        *plan::find_rollback(context_.plan, context_.plan.deadlines[*ending_.late].rollback));
  }
  const plan::OnFailure* answer = answer_for(*ending_.failed_at);
  if (answer == nullptr) return undo_all();
  for (const plan::Response& response : answer->responses) {
    if (stopping_) return;
    switch (response.kind) {
      case plan::ResponseKind::undo_all:
        undo_all();
        break;
      case plan::ResponseKind::hold: {
        const plan::Environment environment = context_.environment();
        const auto value = plan::resolve(response.message, 0, environment);
        const auto text = value ? plan::text_of(*value) : std::nullopt;
        context_.emit(events::Held{text.value_or("held")});
        ending_.held = true;
        break;
      }
      case plan::ResponseKind::offer:
        if (offer(response)) return;
        if (&response == &answer->responses.back()) {
          context_.emit(events::Held{"nothing was undone"});
          ending_.held = true;
        }
        break;
      case plan::ResponseKind::section:
        run_section(context_.plan.sections[response.section], Part::on_failure);
        break;
    }
  }
}

// The innermost phase around the failing node is asked first, the play last; the first that has
// something to say for this side of the pivot answers alone.
const plan::OnFailure* Runner::answer_for(NodeId node) const {
  for (std::uint32_t phase = context_.plan.node(node).phase;;
       phase = context_.plan.phases[phase].parent) {
    const bool past = past_pivot(phase);
    for (const plan::OnFailure& answer : context_.plan.on_failure) {
      if (answer.phase != phase) continue;
      if (answer.side == plan::Side::any || (answer.side == plan::Side::after_pivot) == past) {
        return &answer;
      }
    }
    if (phase == plan::kNone) return nullptr;
  }
}

// Before and after mean the pivots of the phase itself, if it has any; else all of the play's.
bool Runner::past_pivot(std::uint32_t phase) const {
  bool inside = false;
  bool inside_passed = false;
  bool passed = false;
  for (const NodeId id : context_.plan.sections.front().nodes) {
    const plan::Node& node = context_.plan.node(id);
    if (node.kind != plan::NodeKind::pivot) continue;
    passed = passed || pivots_[id];
    std::uint32_t around = node.phase;
    while (around != plan::kNone && around != phase) around = context_.plan.phases[around].parent;
    if (around != phase) continue;
    inside = true;
    inside_passed = inside_passed || pivots_[id];
  }
  return inside ? inside_passed : passed;
}

// In reverse order of the steps entered, a barrier between two. Goes on past an undo that fails.
void Runner::undo_all() {
  const std::vector<UndoLog::Step> steps = undo_.reverse();
  undo_.clear();  // each is undone once, whatever else is asked for
  part_ = Part::undo;
  ending_.undo_ran = true;
  ending_.undo_complete = true;
  events::UndoStarted started;
  for (const UndoLog::Step& step : steps) started.nodes.push_back(step.node);
  context_.emit(std::move(started));
  for (const UndoLog::Step& step : steps) {
    if (stopping_) ending_.undo_complete = false;
    if (stopping_) break;
    for (const HostIndex h : step.hosts) {
      if (context_.hosts[h].connected) {
        Unit unit;
        unit.node = step.node;
        unit.host = h;
        unit.part = Part::undo;
        ready_.push_back(unit);
      } else {
        ending_.undo_complete = false;
        undo_.undone(step.node, h, false);
        context_.emit.notice("`" + context_.plan.node(step.node).title +
                             "` could not be undone on " + context_.name(h) +
                             ": there is no connection");
      }
    }
    drive();
  }
  context_.emit(events::UndoEnded{ending_.undo_complete && !undo_.left_some()});
}

void Runner::closers() {
  for (const plan::Section& section : context_.plan.sections) {
    if (section.kind != plan::SectionKind::always || section.nodes.empty()) continue;
    if (aborts_ >= 2 || ending_.sick) return;
    resume();
    run_section(section, Part::always);
  }
}

}  // namespace cnplay::run
