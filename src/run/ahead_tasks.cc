#include "run/ahead_tasks.h"

#include <utility>

#include "run/position.h"

namespace cnplay::run {

using events::Part;

void AheadTasks::send_after(const StepRun& run) {
  const plan::HostIndex host = run.unit.host;
  if (!successor_ || context_.replay.active() || context_.dry()) return;
  if (run.unit.part != Part::forward) return;
  const Ahead::Chain& chain = ahead_.of(host);
  if (chain.size() > Ahead::kFew) return;
  plan::Place last{run.unit.node, run.action};
  remote::TaskId after = run.task;
  std::vector<plan::NodeId> nodes{run.unit.node};
  for (const Ahead::Sent& sent : chain) {
    if (sent.withdrawn) return;
    last = sent.place;
    after = sent.task;
    if (nodes.back() != last.node) nodes.push_back(last.node);
  }
  for (std::size_t count = chain.size(); count < Ahead::kMost; ++count) {
    plan::Place next{last.node, last.action + 1};
    if (next.action == context_.plan.node(last.node).actions.size()) {
      const auto node = successor_(nodes, host);
      if (!node || context_.plan.node(*node).actions.empty()) return;
      next = {*node, 0};
      nodes.push_back(*node);
    }
    Ahead::Sent sent{.place = next, .host = host};
    StepRun probe = run_of(sent);
    if (!plan::decision_between(context_.plan, last, next, probe.position).empty()) return;
    auto task = task_of(probe);
    if (!task) return;  // said when the run comes there
    task->id = ++context_.last_task;
    task->after = after;
    last = next;
    after = task->id;
    sent.task = task->id;
    ahead_.add(std::move(sent));
    context_.emit(events::SentAhead{next.node, host, next.action, task->id});
    context_.start(*std::move(task));
  }
}

// As it would be sent when the run comes to it, but for its id.
std::optional<remote::Task> AheadTasks::task_of(StepRun& run) const {
  remote::Task task;
  if (tasks_.prepare(run, task)) return std::nullopt;
  task.host = run.unit.host;
  task.become = run.current().become;
  task.timeout = run.node->timeout;
  return task;
}

std::optional<remote::Event> AheadTasks::take_early() {
  if (early_.empty()) return std::nullopt;
  remote::Event event = std::move(early_.front());
  early_.pop_front();
  return event;
}

void AheadTasks::ended(remote::TaskEnded ended) {
  if (const events::RanAhead* recorded = context_.replay.ran_ahead(ended.task)) {
    const Ahead::Sent sent{.place = {recorded->node, recorded->action},
                           .host = recorded->host,
                           .task = recorded->task};
    return ran(sent, ended.result);
  }
  Ahead::Sent* sent = ahead_.find(ended.task);
  if (sent == nullptr) return;  // given up before
  if (!sent->withdrawn) {
    sent->said.emplace_back(std::move(ended));
    return;
  }
  const Ahead::Sent last = *sent;
  ahead_.erase(ended.task);
  if (ended.result.ended != remote::Ended::not_started) ran(last, ended.result);
}

// The run has stopped short of it, and it had begun: it is on record, and there is a way back.
void AheadTasks::ran(const Ahead::Sent& sent, const remote::TaskResult& result) {
  StepRun run = run_of(sent);
  Decision decision = decide(shape_of(run.current()), context_.options.mode, result);
  if (const events::RanAhead* recorded = context_.replay.ran_ahead(sent.task)) {
    decision.outcome = recorded->outcome;
    decision.message = recorded->message;
    decision.reason = recorded->reason;
    decision.applied = recorded->applied;
  }
  plan::Record facts;
  results_.judge_facts(run, result, decision, facts);
  if (decision.applied) undo_.changed(run.unit.node, run.unit.host);
  results_.remember(run, decision, std::move(facts), result.preview);
  const events::RanAhead event{sent.place.node, sent.host,        sent.place.action,
                               sent.task,       decision.outcome, decision.message,
                               decision.reason, result.facts,     decision.applied};
  ran_.insert_or_assign({event.node, event.host, event.action}, event);
  context_.emit(event);
  if (!context_.replay.active()) context_.results.emplace_back(event.host, event.task);
}

// Withdrawing cannot be revoked: a resumed run must find on record why it was done. If the record
// cannot be written, the tasks stay as they are, as if the controller had died here.
void AheadTasks::withdraw_these(const std::vector<remote::TaskId>& ids) {
  if (ids.empty()) return;
  if (!context_.replay.active() && !context_.sink.commit()) return;
  for (const remote::TaskId id : ids) {
    Ahead::Sent* sent = ahead_.find(id);
    if (sent->withdrawn) continue;
    ahead_.withdraw(*sent);
    if (sent->earlier) continue;  // told once it is handed over
    if (context_.withdraw(id)) {
      ahead_.erase(id);
      continue;
    }
    sent->kept = 0;
    // In its turn, like what the hosts say.
    for (remote::Event& event : std::exchange(sent->said, {})) {
      if (std::holds_alternative<remote::TaskEnded>(event)) early_.push_back(std::move(event));
    }
  }
}

void AheadTasks::expect(const events::SentAhead& sent) {
  ahead_.add({.place = {sent.node, sent.action},
              .host = sent.host,
              .task = sent.task,
              .earlier = true,
              .withdrawn = false,
              .said = {}});
}

void AheadTasks::hand_over(const std::vector<HostState>& reached) {
  for (const remote::TaskId id : ahead_.all()) {
    Ahead::Sent& sent = *ahead_.find(id);
    if (!std::exchange(sent.earlier, false)) continue;
    StepRun run = run_of(sent);
    auto task = task_of(run);
    const bool withdrawn = sent.withdrawn;
    if (task && reached[sent.host].connected) {
      task->id = task->after = id;
      task->sent_under = context_.replay.boot_id(id);
      context_.remote.start(*std::move(task));
      if (withdrawn) context_.remote.withdraw(id);
      continue;
    }
    remote::TaskEnded ended;
    ended.task = id;
    ended.host = sent.host;
    ended.result.ended = remote::Ended::lost;
    ended.result.error = "the run continued without " + context_.name(sent.host);
    ended.result.apply_possible = run.current().apply != plan::kNone;
    this->ended(std::move(ended));
  }
}

// As if the run were there.
StepRun AheadTasks::run_of(const Ahead::Sent& sent) const {
  const plan::Node& node = context_.plan.node(sent.place.node);
  StepRun run;
  run.unit.node = sent.place.node;
  run.unit.host = sent.host;
  run.node = &node;
  run.actions = &node.actions;
  run.position = position_of(node, sent.host);
  run.action = sent.place.action;
  return run;
}

std::optional<Ahead::Sent> AheadTasks::take(const StepRun& run) {
  return ahead_.take({run.unit.node, run.action}, run.unit.host);
}

void AheadTasks::push_early(std::deque<remote::Event> said) {
  for (remote::Event& event : said) early_.push_back(std::move(event));
}

std::optional<events::RanAhead> AheadTasks::take_ran(const StepRun& run) {
  const auto found = ran_.find({run.unit.node, run.unit.host, run.action});
  if (found == ran_.end()) return std::nullopt;
  std::optional<events::RanAhead> ran = std::move(found->second);
  ran_.erase(found);
  return ran;
}

std::optional<std::size_t> AheadTasks::output(remote::TaskOutput& output) {
  Ahead::Sent* sent = ahead_.find(output.task);
  if (sent == nullptr) return std::nullopt;
  return sent->withdrawn ? 0 : ahead_.keep(*sent, std::move(output));
}

void AheadTasks::cancel_withdrawn() {
  for (const remote::TaskId id : ahead_.withdrawn()) context_.cancel(id);
}

void AheadTasks::give_up_withdrawn() {
  for (const remote::TaskId id : ahead_.withdrawn()) {
    remote::TaskEnded ended;
    ended.task = id;
    ended.result.ended = remote::Ended::lost;
    ended.result.error = "not waited for any more";
    ended.result.apply_possible = true;
    this->ended(std::move(ended));
  }
}

}  // namespace cnplay::run
