#include "run/step_confirmation.h"

#include <utility>

#include "plan/choice.h"
#include "run/stepwise.h"

namespace cnplay::run {

using events::Choice;

bool StepConfirmation::defer(const Ready& ready) {
  const plan::Node& node = context_.plan.node(ready.node);
  if (!asks_ || section_.part() != events::Part::forward || node.kind != plan::NodeKind::step) {
    return false;
  }
  if (!node.left_out.empty() || choices_.contains(ready.node)) return false;
  deferred_.push_back(ready);
  return true;
}

void StepConfirmation::check() {
  while (!deferred_.empty() && !section_.stopping()) {
    const plan::NodeId node = deferred_.front().node;
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
      return section_.abort();
    }
    if (!prompting_) {
      prompting_ = true;
      prompter->begin(question(node), reader_of(node));
    }
    const auto said = prompter->poll();
    if (!said) return;
    prompter->end("");
    prompting_ = false;
    if (*said == StepPrompter::Said::abort) return section_.abort();
    if (*said == StepPrompter::Said::skip && !reader_of(node).empty()) continue;  // asked again
    choose(node, *said == StepPrompter::Said::run    ? Choice::run
                 : *said == StepPrompter::Said::skip ? Choice::skip
                                                     : Choice::run_all);
  }
}

void StepConfirmation::choose(plan::NodeId node, Choice choice) {
  choices_[node] = choice;
  if (choice == Choice::run_all) asks_ = false;
  context_.emit(events::StepChosen{node, context_.options.user, choice});
  const std::deque<Ready> deferred = std::exchange(deferred_, {});
  for (const Ready& ready : deferred) {
    if (!asks_ || ready.node == node) {
      section_.begin(ready);
    } else {
      deferred_.push_back(ready);
    }
  }
}

void StepConfirmation::stop() {
  if (prompting_) context_.options.stepper->end("the run stops");
  prompting_ = false;
  deferred_.clear();
}

std::string StepConfirmation::skipped(plan::NodeId node) const {
  const auto choice = choices_.find(node);
  return choice != choices_.end() && choice->second == Choice::skip ? "not wanted (--step)" : "";
}

std::string StepConfirmation::question(plan::NodeId id) const {
  const plan::Node& node = context_.plan.node(id);
  const std::string name = node.path.substr(node.path.find('/') + 1);
  return name + (node.title.empty() || name.ends_with(node.title) ? "" : ": " + node.title) +
         " on " + context_.names(node.hosts);
}

// A step that could not be carried out without what this one finds out.
std::string StepConfirmation::reader_of(plan::NodeId source) const {
  for (const plan::Node& node : context_.plan.nodes) {
    if (node.id == source || !node.left_out.empty() || !skipped(node.id).empty()) continue;
    const auto read =
        plan::reads_fact_of(context_.plan, node, [&](plan::NodeId id) { return id == source; });
    if (read) return node.title;
  }
  return "";
}

}  // namespace cnplay::run
