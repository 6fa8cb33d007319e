// From an action of the plan to a task for the host, or to what stands in its place: skipped, or in
// a dry run `would_run` and `depends`.
#pragma once

#include <optional>
#include <string>

#include "plan/eval.h"
#include "run/context.h"
#include "run/dry_run.h"
#include "run/step_run.h"

namespace cnplay::run {

class TaskBuilder {
 public:
  TaskBuilder(const Context& context, const DryRun& dry) : context_(context), dry_(dry) {}

  // What the phases around the step say. nullopt: they are carried out.
  std::optional<Instead> phase_condition(const StepRun& run) const;
  // What a `when` says. nullopt: it holds. `whose`: "step" or "action".
  std::optional<Instead> condition(const StepRun& run, const plan::Column& when,
                                   const char* whose) const;
  // A step of a rollback is skipped if it reads a fact of a step of the main section that has
  // changed nothing on the host, and has reported no such fact there. Where something was, or may
  // have been, changed and the fact is not on record, the step continues, and fails without the
  // fact.
  std::optional<Instead> nothing_to_roll_back(const StepRun& run) const;
  // The task of the current action, but for its id, host and user. Only here do secrets become
  // text.
  std::optional<Instead> prepare(StepRun& run, remote::Task& task) const;
  // The paths that the current action would change, though it is not looked at.
  void note_written(StepRun& run) const;

 private:
  plan::Environment environment(const StepRun& run) const;
  bool reads_unapplied(const StepRun& run, const plan::Value& value) const;
  std::optional<Instead> move_file(const StepRun& run, remote::Task& task) const;
  std::optional<Instead> dry_paths(const StepRun& run, const plan::Param& param, bool named,
                                   plan::Value& value) const;
  std::string because(plan::NodeId node) const;

  const Context& context_;
  const DryRun& dry_;
};

}  // namespace cnplay::run
