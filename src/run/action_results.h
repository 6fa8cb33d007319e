// What the end of an action means: its outcome, its facts, what is registered for undo, and what a
// dry run knows from it.
#pragma once

#include <string>

#include "run/context.h"
#include "run/decide.h"
#include "run/dry_run.h"
#include "run/step_run.h"
#include "run/task_builder.h"

namespace cnplay::run {

class ActionResults {
 public:
  ActionResults(Context& context, DryRun& dry, const TaskBuilder& tasks)
      : context_(context), dry_(dry), tasks_(tasks) {}

  // How the task of the current action has ended. During a replay the recorded event decides.
  Decision judge(const StepRun& run, remote::TaskResult& result, remote::TaskId task,
                 plan::Record& facts) const;
  // Facts that break the module's own declaration make its success worthless.
  void judge_facts(const StepRun& run, const remote::TaskResult& result, Decision& decision,
                   plan::Record& facts) const;
  // Keeps what the current action has found out or changed, or would.
  void remember(StepRun& run, const Decision& decision, plan::Record facts,
                const std::string& preview);
  // The step's `when` depends, so each of its actions might change something.
  void all_depend(StepRun& run);
  // Emits ActionEnded. `result` is null, and `task` 0, if no task was started.
  void report(const StepRun& run, const Decision& decision, const remote::TaskResult* result,
              remote::TaskId task);
  // Whether a module that is checked alone has said that it would change something. What stands
  // below in the `check` need not be asked on this host then, and perhaps cannot be: it may look at
  // what the change would make.
  static bool answers_yes(const plan::Action& action, const remote::TaskResult& result);

 private:
  void answer(Decision& decision, remote::TaskResult& result) const;
  void as_it_is_now(const StepRun& run, Decision& decision) const;

  Context& context_;
  DryRun& dry_;
  const TaskBuilder& tasks_;
};

}  // namespace cnplay::run
