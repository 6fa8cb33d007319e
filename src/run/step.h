// One step on one host as a small state machine: its actions in order, `when`, resources, retries,
// timeouts. Steps holds all that are at work; it never waits, it is told what happened.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "events/event.h"
#include "plan/eval.h"
#include "plan/plan.h"
#include "remote/remote.h"
#include "run/ahead.h"
#include "run/context.h"
#include "run/decide.h"
#include "run/dry_run.h"
#include "run/position.h"
#include "run/undo_log.h"

namespace cnplay::run {

// A step on one host, in one part of the run.
struct Unit {
  plan::NodeId node = 0;
  plan::HostIndex host = 0;
  events::Part part = events::Part::forward;
  // Dry run, a handler: how it is reported without being looked at (would_run, depends).
  std::optional<events::Outcome> instead;
  std::uint32_t round = 0;  // a handler: the round it belongs to
  std::string left_out;     // why it is not carried out; "": it is
};

struct StepEnd {
  Unit unit;
  events::Outcome outcome{};
  std::string reason;
  Duration started{};  // steady
  Duration ended{};
  // Handlers that its actions notified: what changed, or would.
  std::vector<std::pair<plan::NodeId, events::Outcome>> notified;
};

class Steps {
 public:
  Steps(Context& context, UndoLog& undo)
      : context_(context), undo_(undo), dry_(context.plan), at_work_(context.hosts.size()) {}

  // Which step alone follows on the host once it has been through these, in order; nullopt: none,
  // or more than one. Unset: nothing is sent ahead.
  using Successor =
      std::function<std::optional<plan::NodeId>(const std::vector<plan::NodeId>&, plan::HostIndex)>;
  void set_successor(Successor successor) { successor_ = std::move(successor); }

  void start(const Unit& unit);
  // What has ended since the last call. Every start is answered by exactly one.
  std::optional<StepEnd> take_ended();
  bool any_ended() const { return !ended_.empty(); }

  void task_ended(remote::TaskEnded ended);
  // Returns how many bytes are kept until the run comes to the task: it was sent ahead.
  std::size_t output(remote::TaskOutput output);
  // What tasks have said before the run came to them: to be taken like events of the hosts.
  std::optional<remote::Event> take_early();
  // The run does not come to what was sent ahead; what had begun all the same is recorded.
  void withdraw(plan::HostIndex host);
  void withdraw_all();
  // Something was withdrawn, and whether it had begun is not known yet.
  bool withdrawing() const { return ahead_.any_withdrawn(); }
  // Of a record that is about to be followed: what it leaves sent ahead. And once it has been.
  void expect_ahead(const events::SentAhead& sent);
  void hand_over_ahead(const std::vector<HostState>& reached);
  void progress(const remote::TaskProgress& progress);
  // After HostState::connected was set to false.
  void host_lost(plan::HostIndex host);
  // Pauses that are over, timeouts that the remote did not keep.
  void fire_timers();
  // The nearest of those, on the steady clock.
  std::optional<Duration> next_timer() const;

  // No further attempts: steps that pause before one end as they stand. Current attempts go on.
  void stop_retries();
  void allow_retries() { retries_ = true; }
  // No further task at all is started; steps end as `aborted` after their task in flight.
  void halt(std::string reason);
  // halt(), and the tasks in flight are killed.
  void kill(std::string reason);
  // Does not wait for tasks in flight any more: unknown.
  void give_up();
  // A record has been followed to its end: what is in flight now is so for real.
  void go_on();

  std::size_t count() const { return runs_.size(); }
  std::size_t count(plan::HostIndex host) const { return at_work_[host].size(); }
  // Whether the end of this task is still waited for.
  bool awaits(remote::TaskId task) const {
    return by_task_.contains(task) || ahead_.contains(task);
  }
  bool task_in_flight() const { return !by_task_.empty(); }

 private:
  using RunId = std::uint64_t;
  enum class State { running, pausing, queueing };
  struct Run {
    RunId id = 0;
    Unit unit;
    const plan::Node* node = nullptr;
    const std::vector<plan::Action>* actions = nullptr;
    std::size_t position = 0;  // of the host in node->hosts
    State state = State::running;
    std::uint32_t attempt = 1;
    std::uint32_t looks = 0;  // of these: to see what had become of an attempt that was lost
    std::uint32_t action = 0;
    events::Outcome total = events::Outcome::skipped;
    events::Outcome failure{};  // of the last attempt
    std::string reason;
    Duration started{};
    Duration action_started{};
    std::optional<Duration> deadline;  // of this attempt, steady
    std::uint64_t timer = 0;           // serial of the one that counts
    remote::TaskId task = 0;
    std::uint64_t output = 0;  // bytes that the task has said
    bool sent_ahead = false;
    bool applying = false;  // registered for undo because of this task
    bool cancelled = false;
    bool overdue = false;              // cancelled because it ran past its timeout
    bool holds = false;                // the resources of the current action
    std::vector<std::string> written;  // dry run: paths that the current action would change
    std::vector<std::pair<plan::NodeId, events::Outcome>> notified;
  };
  struct Timer {
    Duration when;
    RunId run;
    std::uint64_t serial;
    bool operator>(const Timer& o) const {
      return std::pair(when, serial) > std::pair(o.when, o.serial);
    }
  };
  // What stands in a task's place where none is started.
  struct Instead {
    events::Outcome outcome{};
    std::string reason;
  };

  const plan::Action& action(const Run& run) const { return (*run.actions)[run.action]; }
  void advance(Run& run);
  void start_task(Run& run, remote::Task task);
  bool overdue(const Run& run) const;
  // done_before.cc
  bool done_before(Run& run);
  bool take_ran_ahead(Run& run, bool has_check, bool& goes_on);
  void finished(Run& run, remote::TaskResult result, remote::TaskId task);
  void answer(Decision& decision, remote::TaskResult& result) const;
  static bool answers_yes(const plan::Action& action, const remote::TaskResult& result);
  void as_it_is_now(const Run& run, Decision& decision) const;
  void judge_facts(const Run& run, const remote::TaskResult& result, Decision& decision,
                   plan::Record& facts) const;
  void all_depend(Run& run);
  void remember(Run& run, const Decision& decision, plan::Record facts, const std::string& preview);
  // False: the run is gone.
  bool settle(Run& run, events::Outcome outcome, const std::string& reason, bool has_check);
  bool may_retry(const Run& run, events::Outcome outcome, bool has_check) const;
  void end(Run& run, events::Outcome outcome, std::string reason);
  void set_timer(Run& run, Duration when);
  void fire_recorded();
  void stop_waiting(Run& run);
  void lost(Run& run, const std::string& why, bool apply_possible);
  void action_ended(const Run& run, const Decision& decision, const remote::TaskResult* result,
                    remote::TaskId task);

  // step_ahead.cc
  void look_ahead(const Run& run);
  Run run_of(const Ahead::Sent& sent) const;
  std::optional<remote::Task> task_of(Run& run);
  void ahead_ended(remote::TaskEnded ended);
  void ran_ahead(const Ahead::Sent& sent, const remote::TaskResult& result);
  void withdraw_these(const std::vector<remote::TaskId>& ids);

  // step_task.cc: from a plan's action to a task.
  plan::Environment environment(const Run& run) const;
  bool reads_unapplied(const Run& run, const plan::Value& value) const;
  std::optional<Instead> nothing_to_take_back(const Run& run) const;  // way_back_step.cc
  std::optional<Instead> condition(const Run& run, const plan::Column& when,
                                   const char* whose) const;
  std::optional<Instead> phase_condition(const Run& run) const;
  std::optional<Instead> prepare(Run& run, remote::Task& task);
  void note_written(Run& run) const;
  std::optional<Instead> move_file(const Run& run, remote::Task& task) const;
  std::optional<Instead> dry_paths(Run& run, const plan::Param& param, bool named,
                                   plan::Value& value) const;
  std::string because(plan::NodeId node) const;

  // Resources of a host, in the order of readiness.
  struct Resources {
    std::set<std::string> held;
    std::deque<RunId> waiting;
  };
  bool acquire(Run& run);
  void release(Run& run);

  Context& context_;
  UndoLog& undo_;
  DryRun dry_;
  Successor successor_;
  Ahead ahead_;
  // What had begun though the run stopped short of it; counts if the run was parked then, and goes
  // on.
  std::map<std::tuple<plan::NodeId, plan::HostIndex, std::uint32_t>, events::RanAhead> ran_ahead_;
  std::deque<remote::Event> early_;
  std::unordered_map<RunId, Run> runs_;
  std::unordered_map<remote::TaskId, RunId> by_task_;
  std::vector<std::vector<RunId>> at_work_;  // by host
  std::unordered_map<plan::HostIndex, Resources> resources_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::deque<StepEnd> ended_;
  RunId last_run_ = 0;
  std::uint64_t last_timer_ = 0;
  bool retries_ = true;
  std::optional<std::string> halted_;
};

}  // namespace cnplay::run
