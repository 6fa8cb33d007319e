// `--step`: a person is asked before each step of the main section. Their answer holds for all
// hosts of the step.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "events/event.h"
#include "run/context.h"
#include "run/graph.h"
#include "run/section_control.h"

namespace cnplay::run {

class StepConfirmation {
 public:
  StepConfirmation(Context& context, SectionControl& section)
      : context_(context), section_(section), asks_(context.options.stepwise) {}

  // Whether the step waits for an answer; it is kept until then.
  bool defer(const Ready& ready);
  // Whether steps wait for an answer.
  bool defers() const { return !deferred_.empty(); }
  // Asks about the first step that waits, and acts on the answer.
  void check();
  // Nobody is asked any more.
  void stop();
  // Why the step is skipped, if a person has decided that; else "".
  std::string skipped(plan::NodeId node) const;

 private:
  void choose(plan::NodeId node, events::Choice choice);
  std::string question(plan::NodeId node) const;
  std::string reader_of(plan::NodeId node) const;

  Context& context_;
  SectionControl& section_;
  bool asks_;
  bool prompting_ = false;      // about the first of these:
  std::deque<Ready> deferred_;  // ready, until the person has answered
  std::map<plan::NodeId, events::Choice> choices_;
};

}  // namespace cnplay::run
