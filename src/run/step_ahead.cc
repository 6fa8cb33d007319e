// What is sent to a host before the run comes to it, and what becomes of it: as long as all goes
// well the run finds it begun, or done, when it comes there. If the run stops short of it, it is
// withdrawn; what had begun by then is recorded, and is undone with the rest.
#include <utility>

#include "run/step.h"

namespace cnplay::run {

using events::Part;

// Goes on from the action that has just been started, or from the last one that was sent ahead.
void Steps::look_ahead(const Run& run) {
  const plan::HostIndex host = run.unit.host;
  if (!successor_ || context_.replay.active() || context_.dry() || halted_ || !retries_) return;
  if (run.unit.part != Part::forward || at_work_[host].size() != 1) return;
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
    Run probe = run_of(sent);
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
std::optional<remote::Task> Steps::task_of(Run& run) {
  remote::Task task;
  if (prepare(run, task)) return std::nullopt;
  task.host = run.unit.host;
  task.become = action(run).become;
  task.timeout = run.node->timeout;
  return task;
}

std::optional<remote::Event> Steps::take_early() {
  if (early_.empty()) return std::nullopt;
  remote::Event event = std::move(early_.front());
  early_.pop_front();
  return event;
}

void Steps::ahead_ended(remote::TaskEnded ended) {
  if (const events::RanAhead* recorded = context_.replay.ran_ahead(ended.task)) {
    const Ahead::Sent sent{.place = {recorded->node, recorded->action},
                           .host = recorded->host,
                           .task = recorded->task};
    return ran_ahead(sent, ended.result);
  }
  Ahead::Sent* sent = ahead_.find(ended.task);
  if (sent == nullptr) return;  // given up before
  if (!sent->withdrawn) {
    sent->said.emplace_back(std::move(ended));
    return;
  }
  const Ahead::Sent last = *sent;
  ahead_.erase(ended.task);
  if (ended.result.ended != remote::Ended::not_started) ran_ahead(last, ended.result);
}

// The run has stopped short of it, and it had begun: it is on record, and there is a way back.
void Steps::ran_ahead(const Ahead::Sent& sent, const remote::TaskResult& result) {
  Run run = run_of(sent);
  Decision decision = decide(shape_of(action(run)), context_.options.mode, result);
  if (const events::RanAhead* recorded = context_.replay.ran_ahead(sent.task)) {
    decision.outcome = recorded->outcome;
    decision.message = recorded->message;
    decision.reason = recorded->reason;
    decision.applied = recorded->applied;
  }
  plan::Record facts;
  judge_facts(run, result, decision, facts);
  if (decision.applied) undo_.changed(run.unit.node, run.unit.host);
  remember(run, decision, std::move(facts), result.preview);
  const events::RanAhead ran{sent.place.node, sent.host,        sent.place.action,
                             sent.task,       decision.outcome, decision.message,
                             decision.reason, result.facts,     decision.applied};
  ran_ahead_.insert_or_assign({ran.node, ran.host, ran.action}, ran);
  context_.emit(ran);
  if (!context_.replay.active()) context_.results.emplace_back(ran.host, ran.task);
}

void Steps::withdraw(plan::HostIndex host) { withdraw_these(ahead_.all(host)); }
void Steps::withdraw_all() { withdraw_these(ahead_.all()); }

// Withdrawing cannot be revoked: a resumed run must find on record why it was done. If the record
// cannot be written, the tasks stay as they are, as if the controller had died here.
void Steps::withdraw_these(const std::vector<remote::TaskId>& ids) {
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

void Steps::expect_ahead(const events::SentAhead& sent) {
  ahead_.add({.place = {sent.node, sent.action},
              .host = sent.host,
              .task = sent.task,
              .earlier = true,
              .withdrawn = false,
              .said = {}});
}

// A record has been followed to its end. What an earlier controller had sent ahead is known to the
// hosts from now on: they wait for whether the run comes to it.
void Steps::hand_over_ahead(const std::vector<HostState>& reached) {
  for (const remote::TaskId id : ahead_.all()) {
    Ahead::Sent& sent = *ahead_.find(id);
    if (!std::exchange(sent.earlier, false)) continue;
    Run run = run_of(sent);
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
    ended.result.apply_possible = action(run).apply != plan::kNone;
    ahead_ended(std::move(ended));
  }
}

// As if the run were there.
Steps::Run Steps::run_of(const Ahead::Sent& sent) const {
  const plan::Node& node = context_.plan.node(sent.place.node);
  Run run;
  run.unit.node = sent.place.node;
  run.unit.host = sent.host;
  run.node = &node;
  run.actions = &node.actions;
  run.position = position_of(node, sent.host);
  run.action = sent.place.action;
  return run;
}

}  // namespace cnplay::run
