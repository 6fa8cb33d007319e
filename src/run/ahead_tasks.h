// What is sent to a host before the run comes to it, and what becomes of it: as long as all goes
// well the run finds it begun, or done, when it comes there. If the run stops short of it, it is
// withdrawn; what had begun by then is recorded, and is undone with the rest.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "run/action_results.h"
#include "run/ahead.h"
#include "run/context.h"
#include "run/step_run.h"
#include "run/task_builder.h"
#include "run/undo_log.h"

namespace cnplay::run {

class AheadTasks {
 public:
  AheadTasks(Context& context, UndoLog& undo, const TaskBuilder& tasks, ActionResults& results)
      : context_(context), undo_(undo), tasks_(tasks), results_(results) {}

  // Which step alone follows on the host once it has been through these, in order; nullopt: none,
  // or more than one. Unset: nothing is sent ahead.
  using Successor =
      std::function<std::optional<plan::NodeId>(const std::vector<plan::NodeId>&, plan::HostIndex)>;
  void set_successor(Successor successor) { successor_ = std::move(successor); }

  // Sends what follows the action that has just been started, or the last one that was sent ahead.
  // `run`: the one step that is at work on its host.
  void send_after(const StepRun& run);
  // The run comes to this action: takes what was sent ahead of it, if it is still wanted.
  std::optional<Ahead::Sent> take(const StepRun& run);
  // What its task has said before the run came to it: to be taken like events of the hosts.
  void push_early(std::deque<remote::Event> said);
  std::optional<remote::Event> take_early();
  // The action had begun though the run stopped short of it, and the run comes to it after all.
  std::optional<events::RanAhead> take_ran(const StepRun& run);

  bool contains(remote::TaskId task) const { return ahead_.contains(task); }
  // Returns how many bytes are kept until the run comes to the task; nullopt: it was not sent
  // ahead.
  std::optional<std::size_t> output(remote::TaskOutput& output);
  void ended(remote::TaskEnded ended);

  // The run does not come to it; what had begun all the same is recorded.
  void withdraw(plan::HostIndex host) { withdraw_these(ahead_.all(host)); }
  void withdraw_all() { withdraw_these(ahead_.all()); }
  bool any_withdrawn() const { return ahead_.any_withdrawn(); }
  void cancel_withdrawn();
  // Does not wait for what is withdrawn any more: unknown.
  void give_up_withdrawn();

  // Of a record that is about to be replayed: what it leaves sent ahead.
  void expect(const events::SentAhead& sent);
  // It has been replayed. What an earlier controller had sent ahead is known to the hosts from now
  // on: they wait for whether the run comes to it.
  void hand_over(const std::vector<HostState>& reached);

 private:
  std::optional<remote::Task> task_of(StepRun& run) const;
  StepRun run_of(const Ahead::Sent& sent) const;
  void ran(const Ahead::Sent& sent, const remote::TaskResult& result);
  void withdraw_these(const std::vector<remote::TaskId>& ids);

  Context& context_;
  UndoLog& undo_;
  const TaskBuilder& tasks_;
  ActionResults& results_;
  Successor successor_;
  Ahead ahead_;
  std::deque<remote::Event> early_;
  // What had begun though the run stopped short of it; counts if the run was parked then, and
  // continues.
  std::map<std::tuple<plan::NodeId, plan::HostIndex, std::uint32_t>, events::RanAhead> ran_;
};

}  // namespace cnplay::run
