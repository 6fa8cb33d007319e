// The steps that are at work, each a small state machine: its actions in order, `when`, resources,
// retries, timeouts. Steps never waits: it is told what happened.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"
#include "remote/remote.h"
#include "run/action_results.h"
#include "run/ahead_tasks.h"
#include "run/context.h"
#include "run/dry_run.h"
#include "run/host_resources.h"
#include "run/position.h"
#include "run/step_run.h"
#include "run/step_timers.h"
#include "run/task_builder.h"
#include "run/undo_log.h"

namespace cnplay::run {

class Steps {
 public:
  Steps(Context& context, UndoLog& undo)
      : context_(context),
        undo_(undo),
        dry_(context.plan),
        tasks_(context, dry_),
        results_(context, dry_, tasks_),
        ahead_(context, undo, tasks_, results_),
        at_work_(context.hosts.size()) {}

  // As AheadTasks says.
  void set_successor(AheadTasks::Successor successor) {
    ahead_.set_successor(std::move(successor));
  }

  void start(const Unit& unit);
  // What has ended since the last call. Every start is answered by exactly one.
  std::optional<StepEnd> take_ended();
  bool any_ended() const { return !ended_.empty(); }

  void task_ended(remote::TaskEnded ended);
  // Returns how many bytes are kept until the run comes to the task: it was sent ahead.
  std::size_t output(remote::TaskOutput output);
  // What tasks have said before the run came to them: to be taken like events of the hosts.
  std::optional<remote::Event> take_early() { return ahead_.take_early(); }
  // The run does not come to what was sent ahead; what had begun all the same is recorded.
  void withdraw(plan::HostIndex host) { ahead_.withdraw(host); }
  void withdraw_all() { ahead_.withdraw_all(); }
  // Something was withdrawn, and whether it had begun is not known yet.
  bool withdrawing() const { return ahead_.any_withdrawn(); }
  // Of a record that is about to be replayed: what it leaves sent ahead. And once it has been.
  void expect_ahead(const events::SentAhead& sent) { ahead_.expect(sent); }
  void hand_over_ahead(const std::vector<HostState>& reached) { ahead_.hand_over(reached); }
  void progress(const remote::TaskProgress& progress);
  // After HostState::connected was set to false.
  void host_lost(plan::HostIndex host);
  // Pauses that are over, timeouts that the remote did not keep.
  void fire_timers();
  // The nearest of those, on the steady clock.
  std::optional<Duration> next_timer() const { return timers_.next(); }

  // No further attempts: steps that pause before one end as they stand. Current attempts go on.
  void stop_retries();
  void allow_retries() { retries_ = true; }
  // No further task at all is started; steps end as `aborted` after their task in flight.
  void halt(std::string reason);
  // halt(), and the tasks in flight are killed.
  void kill(std::string reason);
  // Does not wait for tasks in flight any more: unknown.
  void give_up();
  // A record has been replayed to its end: what is in flight now is so for real. Steps that the
  // record left at work have all of their time once more: how much of it their tasks have used only
  // the hosts know.
  void continue_for_real();

  std::size_t count() const { return runs_.size(); }
  std::size_t count(plan::HostIndex host) const { return at_work_[host].size(); }
  // Whether the end of this task is still waited for.
  bool awaits(remote::TaskId task) const {
    return by_task_.contains(task) || ahead_.contains(task);
  }
  bool task_in_flight() const { return !by_task_.empty(); }

 private:
  void advance(StepRun& run);
  void start_task(StepRun& run, remote::Task task);
  bool overdue(const StepRun& run) const;
  bool done_before(StepRun& run);
  bool take_ran_ahead(StepRun& run, bool has_check, bool& continues);
  void finished(StepRun& run, remote::TaskResult result, remote::TaskId task);
  // False: the run is gone.
  bool settle(StepRun& run, events::Outcome outcome, const std::string& reason, bool has_check);
  bool may_retry(const StepRun& run, events::Outcome outcome, bool has_check) const;
  void end(StepRun& run, events::Outcome outcome, std::string reason);
  void fire_recorded();
  void stop_waiting(StepRun& run);
  void lost(StepRun& run, const std::string& why, bool apply_possible);
  bool acquire(StepRun& run);
  void release(StepRun& run);

  Context& context_;
  UndoLog& undo_;
  DryRun dry_;
  TaskBuilder tasks_;
  ActionResults results_;
  AheadTasks ahead_;
  std::unordered_map<StepRunId, StepRun> runs_;
  std::unordered_map<remote::TaskId, StepRunId> by_task_;
  std::vector<std::vector<StepRunId>> at_work_;  // by host
  HostResources resources_;
  StepTimers timers_;
  std::deque<StepEnd> ended_;
  StepRunId last_run_ = 0;
  bool retries_ = true;
  std::optional<std::string> halted_;
};

}  // namespace cnplay::run
