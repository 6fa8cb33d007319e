// Going step by step: what has become ready waits here until a person has said what comes of it.
// What they say holds for all hosts of the step.
#include "run/stepwise.h"

#include "plan/choice.h"
#include "run/runner.h"

namespace cnplay::run {

using events::Choice;

// True: it is kept back until the person has spoken.
bool Runner::kept_back(const Ready& ready) {
  const plan::Node& node = context_.plan.node(ready.node);
  if (!asks_ || part_ != events::Part::forward || node.kind != plan::NodeKind::step) return false;
  if (!node.left_out.empty() || choices_.contains(ready.node)) return false;
  undecided_.push_back(ready);
  return true;
}

void Runner::look_at_choices() {
  while (!undecided_.empty() && !stopping_) {
    const plan::NodeId node = undecided_.front().node;
    if (context_.replay.active()) {
      const auto choice = context_.replay.chosen(node);
      if (!choice) return;
      choose(node, *choice);
      continue;
    }
    // The record ends here: first the hosts are what they are now.
    if (!context_.replay.live()) return;
    StepPrompter* const prompter = context_.options.stepper;
    if (prompter == nullptr) {
      context_.emit.notice("nobody is there to be asked before each step");
      abort_requests_.fetch_add(1);
      return look_outside();
    }
    if (!asking_step_) {
      asking_step_ = true;
      prompter->begin(question(node), reader_of(node));
    }
    const auto said = prompter->poll();
    if (!said) return;
    prompter->end("");
    asking_step_ = false;
    if (*said == StepPrompter::Said::abort) {
      abort_requests_.fetch_add(1);
      return look_outside();
    }
    if (*said == StepPrompter::Said::skip && !reader_of(node).empty()) continue;  // asked again
    choose(node, *said == StepPrompter::Said::run    ? Choice::run
                 : *said == StepPrompter::Said::skip ? Choice::skip
                                                     : Choice::run_all);
  }
}

void Runner::choose(plan::NodeId node, Choice choice) {
  choices_[node] = choice;
  if (choice == Choice::run_all) asks_ = false;
  context_.emit(events::StepChosen{node, context_.options.user, choice});
  std::deque<Ready> kept;
  std::swap(kept, undecided_);
  for (const Ready& ready : kept) {
    if (!asks_ || ready.node == node) {
      begin(ready);
    } else {
      undecided_.push_back(ready);
    }
  }
}

// Why the step is skipped, if a person said so.
std::string Runner::skipped_by_choice(plan::NodeId node) const {
  const auto choice = choices_.find(node);
  return choice != choices_.end() && choice->second == Choice::skip ? "not wanted (--step)" : "";
}

std::string Runner::question(plan::NodeId id) const {
  const plan::Node& node = context_.plan.node(id);
  const std::string name = node.path.substr(node.path.find('/') + 1);
  return name + (node.title.empty() || name.ends_with(node.title) ? "" : ": " + node.title) +
         " on " + context_.names(node.hosts);
}

// A step that could not be carried out without what this one finds out.
std::string Runner::reader_of(plan::NodeId source) const {
  for (const plan::Node& node : context_.plan.nodes) {
    if (node.id == source || !node.left_out.empty() || !skipped_by_choice(node.id).empty()) {
      continue;
    }
    const auto read =
        plan::reads_fact_of(context_.plan, node, [&](plan::NodeId id) { return id == source; });
    if (read) return node.title;
  }
  return "";
}

bool Runner::partial() const {
  for (const plan::NodeId id : context_.plan.sections.front().nodes) {
    const plan::Node& node = context_.plan.node(id);
    if (plan::has_work(node) && (!node.left_out.empty() || !skipped_by_choice(id).empty())) {
      return true;
    }
    // Where there was nothing to do, what follows was not rehearsed, and no secret was handed over.
    if (plan::is_check(node) &&
        context_.facts.get({id, 0, std::string(plan::kWouldChange), {}}, 0) == plan::Value(false)) {
      return true;
    }
  }
  return false;
}

}  // namespace cnplay::run
