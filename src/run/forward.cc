// Going forward: points of the graph as they become ready, handlers, waits, hosts that drop out.
#include <algorithm>
#include <cassert>

#include "plan/host_text.h"
#include "run/conditions.h"
#include "run/runner.h"

namespace cnplay::run {

using events::Part;
using plan::HostIndex;
using plan::NodeId;
using plan::NodeKind;

std::vector<bool> Runner::live_hosts(bool failed_too) const {
  std::vector<bool> live(context_.hosts.size());
  for (HostIndex h = 0; h < live.size(); ++h) {
    live[h] = context_.hosts[h].connected && (failed_too || !context_.hosts[h].failed);
  }
  return live;
}

void Runner::go_forward() {
  part_ = Part::forward;
  live_ = live_hosts(false);
  walk_.emplace(context_.plan, context_.plan.sections.front(), live_);
  say_deadlines();
  steps_.set_successor([this](const std::vector<NodeId>& through, HostIndex host) {
    // Before each step somebody is asked, or it is the run that decides; or it is to be decided as
    // soon as the window has closed: a host would begin what was sent ahead all the same. On a host
    // that has dropped out a step is left only to be declared failed.
    const bool windowed = window_end() && window_.state != WindowState::decided;
    const bool free = walk_ && live_[host] && !stopping_ && !context_.options.stepwise && !windowed;
    return free ? walk_->only_next(through, host) : std::nullopt;
  });
  drive();
  steps_.set_successor(nullptr);
  if (!stopping_ && !walk_->done()) {
    // The plan's invariants rule it out; never call it a success.
    context_.emit.notice("a bug in cnplay: steps were left that never became ready");
    ending_.failed_at = 0;
  }
  if (!stopping_ && !handlers_.empty()) {
    begin_round(handlers_.take_all(), std::nullopt);
    drive();
  }
}

void Runner::run_section(const plan::Section& section, Part part) {
  part_ = part;
  live_ = live_hosts(true);
  for (const NodeId id : section.nodes) {
    const plan::Node& node = context_.plan.node(id);
    for (const HostIndex h : node.hosts) {
      if (!live_[h]) {
        context_.emit.notice("`" + node.title + "` cannot run on " + context_.name(h) +
                             ": there is no connection");
        summary_.host_unreachable(h);
      }
    }
  }
  walk_.emplace(context_.plan, section, live_);
  drive();
  if (!stopping_ && !handlers_.empty()) {
    begin_round(handlers_.take_all(), std::nullopt);
    drive();
  }
  walk_.reset();
}

void Runner::start_ready() {
  while (!stopping_) {
    // A record that has just ended: hosts and deadlines first, as they are now.
    if (context_.replay.at_seam()) break;
    if (context_.replay.window_closed() != nullptr) break;
    if (!ready_.empty()) {
      const Unit unit = ready_.front();
      ready_.pop_front();
      begin_unit(unit);
    } else if (auto ready = walk_ ? walk_->pop() : std::nullopt) {
      begin(*ready);
    } else if (auto unit = next_in_place()) {
      start_unit(*unit);
    } else {
      break;
    }
  }
}

// With `--forks` a host keeps its place until it has nothing to do and another one wants it: what
// was sent ahead may have begun there. So which unit is next does not depend on how many events
// have been taken at once.
std::optional<Unit> Runner::next_in_place() {
  if (placed_.empty() && !parked_.empty()) {
    // A step that has just ended may lead to the next one of its host.
    if (steps_.any_ended()) return std::nullopt;
    const HostIndex host = parked_.front().host;
    // One that has dropped out takes nobody's place, whenever its turn comes.
    if (is_gone(parked_.front())) {
      const Unit gone = parked_.front();
      parked_.pop_front();
      return gone;
    }
    const auto idle = std::ranges::find_if(
        places_, [&](const HostIndex h) { return h == host || steps_.count(h) == 0; });
    if (places_.size() < context_.options.forks) {
      places_.push_back(host);
    } else if (idle != places_.end()) {
      *idle = host;
    } else {
      return std::nullopt;
    }
    placed_.push_back(parked_.front());
    parked_.pop_front();
  }
  if (placed_.empty()) return std::nullopt;
  const Unit unit = placed_.front();
  placed_.pop_front();
  return unit;
}

void Runner::begin(const Ready& ready) {
  if (held_back(ready) || behind_window(ready)) return;
  const plan::Node& node = context_.plan.node(ready.node);
  const bool skipped = condition_of_phases(context_, node.phase).kind == Condition::Kind::fails;
  if (skipped) {
    say_skipped(node.phase);
    if (!ready.host) return pass_skipped(ready);
  } else if (!ready.host) {
    summary_.enter(node.phase);
    return pass(ready);
  }
  if (!live_[*ready.host]) {
    return step_is_gone(ready, skipped || !node.left_out.empty());
  }
  if (!skipped) {
    summary_.enter(node.phase);
    if (kept_back(ready)) return;
  }
  Unit unit;
  unit.node = ready.node;
  unit.host = *ready.host;
  unit.part = part_;
  unit.left_out = node.left_out.empty() ? skipped_by_choice(node.id) : node.left_out;
  begin_unit(unit);
}

// The outermost phase whose `when` does not hold is reported once.
void Runner::say_skipped(std::uint32_t phase) {
  std::uint32_t outermost = phase;
  for (std::uint32_t p = phase; p != plan::kNone; p = context_.plan.phases[p].parent) {
    if (condition_of(context_, context_.plan.phases[p].when).kind == Condition::Kind::fails) {
      outermost = p;
    }
  }
  if (!skipped_phases_.insert(outermost).second) return;
  const plan::Phase& p = context_.plan.phases[outermost];
  context_.emit.notice("the phase `" + p.title + "` is skipped: `when " +
                       plan::describe(p.when, context_.plan) + "` does not hold");
}

// Of a phase that is skipped: what is for no host does nothing.
void Runner::pass_skipped(const Ready& point) {
  if (context_.plan.node(point.node).kind == NodeKind::human) {
    context_.emit(events::HumanEnded{point.node, events::HumanEnd::skipped, Duration{0}});
  }
  walk_->finish(point);
}

// Why a step is skipped that is about hosts of a batch: "" if all of them are in the run.
std::string Runner::out_of(const plan::Node& node) const {
  for (const HostIndex h : node.made_from) {
    if (!live_[h]) return context_.name(h) + " is out of the run";
  }
  return {};
}

// True: no host of the batch is left, so its phase has failed: steps below rely on the batch.
bool Runner::fails_without_hosts(const plan::Node& end) {
  if (std::ranges::any_of(end.made_from, [&](HostIndex h) { return live_[h]; })) return false;
  const bool matters = end.tolerate < context_.plan.hosts.size();
  if (!matters || (part_ != Part::forward && part_ != Part::rollback)) return false;
  context_.emit.notice("no host of the batch `" +
                       plan::short_name(end.path.substr(0, end.path.rfind('/'))) + "` is left");
  fail_at(end.id);
  return true;
}

void Runner::end_batch(const Ready& point) {
  const plan::Node& node = context_.plan.node(point.node);
  if (fails_without_hosts(node)) return;
  // Recorded, so that a replay looks at the hosts at the same moment.
  context_.emit(events::BarrierPassed{node.id});
  begin_round(handlers_.take(node.phase), point);
}

void Runner::begin_unit(const Unit& unit) {
  if (context_.options.forks == 0) return start_unit(unit);
  (std::ranges::find(places_, unit.host) != places_.end() ? placed_ : parked_).push_back(unit);
}

bool Runner::is_gone(const Unit& unit) const {
  return !context_.hosts[unit.host].connected || (unit.part == part_ && walk_ && !live_[unit.host]);
}

void Runner::start_unit(const Unit& unit) {
  // Since its unit became ready.
  if (is_gone(unit)) {
    if (unit.part == Part::handler) return next_of_round(unit.round, unit.host);
    if (unit.part == Part::undo) {
      ending_.undo_complete = false;
      return;
    }
    const Ready ready{unit.node, unit.host};
    return step_is_gone(ready, !unit.left_out.empty());
  }
  Unit now = unit;
  const bool of_section = unit.part != Part::handler && unit.part != Part::undo;
  if (of_section && now.left_out.empty()) now.left_out = out_of(context_.plan.node(unit.node));
  steps_.start(now);
}

// The host dropped out before it came to the step. A step that none of its hosts can do has failed,
// unless it says that all of them may: what stands below relies on it. Another host is never tried.
void Runner::step_is_gone(const Ready& ready, bool left_out) {
  const plan::Node& node = context_.plan.node(ready.node);
  const bool never =
      !node.when.empty() && std::ranges::all_of(node.when.values(), [](const plan::Value& value) {
        return value == plan::Value(false);
      });
  if (left_out || never || !walk_->is_last_chance(ready)) return walk_->pass_over(ready);
  context_.emit.notice(node.once
                           ? "`" + node.title + "` runs once, on " + context_.name(*ready.host) +
                                 ", which has dropped out"
                           : "`" + node.title + "` cannot run: all of its hosts have dropped out");
  const bool matters = node.tolerate < context_.plan.hosts.size();
  if (part_ == Part::forward && matters) return declare(ready.node);
  if (part_ == Part::rollback && matters) return fail_at(ready.node);
  walk_->pass_over(ready);
}

// A point that is for no host: a barrier of one kind or another.
void Runner::pass(const Ready& point) {
  const plan::Node& node = context_.plan.node(point.node);
  switch (node.kind) {
    case NodeKind::barrier:
      context_.emit(events::BarrierPassed{node.id});
      break;
    case NodeKind::pivot:
      if (!node.left_out.empty()) {
        context_.emit.notice("the point of no return `" + node.title +
                             "` is left out: " + node.left_out);
        break;
      }
      // A dry run comes past it as well: there is nothing to undo on either side.
      context_.emit(events::Pivoted{node.id, node.title});
      undo_.clear();
      pivots_[node.id] = true;
      break;
    case NodeKind::wait:
      return begin_wait(point);
    case NodeKind::human:
      return begin_human(point);
    case NodeKind::phase_end:
      return begin_round(handlers_.take(phase_ended_by(node.id)), point);
    case NodeKind::batch_end:
      return end_batch(point);
    case NodeKind::flush:
      // What is notified from here on waits for the next flush: a replay must know where this was.
      context_.emit(events::BarrierPassed{node.id});
      return begin_round(handlers_.take_all(), point);
    case NodeKind::step:
    case NodeKind::handler:
      assert(false && "a step is for hosts");
      break;
  }
  walk_->finish(point);
}

// --- waits

void Runner::begin_wait(const Ready& point) {
  const plan::Node& node = context_.plan.node(point.node);
  if (!node.left_out.empty()) {
    context_.emit.notice("a time to wait for is left out: " + node.left_out);
    return walk_->finish(point);
  }
  if (!node.when.empty()) {
    const Condition when = condition_of(context_, node.when.at(0));
    if (when.kind == Condition::Kind::unknown) {
      context_.emit.notice(node.where + ": whether a time is waited for is not known: its `when`" +
                           when.why);
      return fail_at(point.node);
    }
    if (when.kind == Condition::Kind::fails) {
      context_.emit.notice("there is no wait: `when " +
                           plan::describe(node.when.at(0), context_.plan) + "` does not hold");
      return walk_->finish(point);
    }
  }
  if (context_.dry() && plan::reads_fact(node.until, [&](const plan::FactRef& ref) {
        return context_.facts.unapplied(ref, ref.host.value_or(0));
      })) {
    context_.emit.notice("a run would wait here, until a time that depends on a change");
    return walk_->finish(point);
  }
  const plan::Environment environment = context_.environment();
  const auto value = plan::resolve(node.until, 0, environment);
  const Time* until = value ? value->as<Time>() : nullptr;
  if (until == nullptr) {
    context_.emit.notice(node.where + ": the time to wait for is not known" +
                         (value ? "" : ": " + value.error().what));
    return fail_at(point.node);
  }
  if (context_.dry()) {
    context_.emit.notice("a run would wait until " + format_time(*until));
    return walk_->finish(point);
  }
  context_.emit(events::WaitStarted{point.node, *until});
  waits_.push_back({point, *until, context_.clock.now() > until->at});
  look_at_waits();
}

void Runner::look_at_waits() {
  // The record ends here: first the hosts are what they are now.
  if (context_.replay.at_seam()) return;
  const Instant now = context_.clock.now();
  const bool recorded = context_.replay.active();  // then the record decides, not the clock
  // Answering one may stop the run and clear the list: walk over a copy of what is due.
  std::vector<Wait> due;
  std::erase_if(waits_, [&](const Wait& wait) {
    const bool over =
        recorded ? context_.replay.wait_ended(wait.point.node) != nullptr : now >= wait.until.at;
    if (over) due.push_back(wait);
    return over;
  });
  for (const Wait& wait : due) {
    const plan::Node& node = context_.plan.node(wait.point.node);
    const Duration behind = now - wait.until.at;
    bool too_late = node.late_by && behind > *node.late_by;
    const bool by_its_time = too_late;
    if (recorded) too_late = node.late_by && context_.replay.wait_ended(wait.point.node)->late;
    context_.emit(events::WaitEnded{wait.point.node, too_late || wait.late_at_start});
    // The event is also late where the time was past as the wait began. What follows in the record
    // tells which; where nothing follows, the time does.
    if (recorded && !context_.replay.active()) too_late = too_late && by_its_time;
    if (stopping_) continue;
    if (too_late) {
      const std::string what = "it was to continue at " + format_time(wait.until) + ", at most " +
                               human_duration(*node.late_by) + " late; it is " +
                               human_duration(behind) + " late";
      const bool go =
          context_.replay.active()
              ? !context_.replay.fails_at(wait.point.node)
              : context_.options.ask && context_.options.ask(what + ". Continue all the same?");
      if (!go) {
        context_.emit.notice(node.where + ": " + what + ", so the run stops here");
        fail_at(wait.point.node);
        continue;
      }
    }
    walk_->finish(wait.point);
  }
}

// --- handlers

void Runner::begin_round(Handlers::Round queues, std::optional<Ready> after) {
  const std::uint32_t id = ++last_round_;
  RoundState& round = rounds_[id];
  round.queues = std::move(queues);
  round.hosts_left = round.queues.size();
  round.after = after;
  if (round.queues.empty()) return round_over(id);
  std::vector<HostIndex> hosts;
  for (const auto& [host, queue] : round.queues) hosts.push_back(host);
  for (const HostIndex host : hosts) next_of_round(id, host);
}

void Runner::next_of_round(std::uint32_t id, HostIndex host) {
  const auto it = rounds_.find(id);
  if (it == rounds_.end()) return;  // the run has stopped meanwhile
  RoundState& round = it->second;
  Handlers::Queue& queue = round.queues[host];
  if (!context_.hosts[host].connected) {
    for (const auto& [handler, outcome] : queue) {
      context_.emit.notice("the handler `" + context_.plan.node(handler).title +
                           "` cannot run on " + context_.name(host) + ": there is no connection");
    }
    queue.clear();
  }
  if (queue.empty()) {
    if (--round.hosts_left == 0) round_over(id);
    return;
  }
  const auto [handler, outcome] = queue.front();
  queue.pop_front();
  Unit unit;
  unit.node = handler;
  unit.host = host;
  unit.part = Part::handler;
  unit.round = id;
  if (context_.dry()) {
    unit.instead = outcome == events::Outcome::depends ? outcome : events::Outcome::would_run;
  }
  ready_.push_back(unit);
}

// kNone: it ends none.
std::uint32_t Runner::phase_ended_by(NodeId node) const {
  std::uint32_t phase = context_.plan.node(node).phase;
  while (phase != plan::kNone && context_.plan.phases[phase].end != node) {
    phase = context_.plan.phases[phase].parent;
  }
  if (phase != plan::kNone) return phase;
  // An end may be written as standing outside of what it ends.
  for (std::uint32_t p = 0; p < context_.plan.phases.size(); ++p) {
    if (context_.plan.phases[p].end == node) return p;
  }
  return plan::kNone;
}

void Runner::round_over(std::uint32_t id) {
  const std::optional<Ready> after = rounds_.at(id).after;
  rounds_.erase(id);
  if (!after || !walk_) return;
  const plan::Node& end = context_.plan.node(after->node);
  if (end.kind == NodeKind::batch_end && fails_without_hosts(end)) return;
  const std::uint32_t phase = phase_ended_by(after->node);
  if (phase != plan::kNone) {
    summary_.enter(phase);  // it may have had nothing in it
    summary_.phase_ended(phase);
  }
  walk_->finish(*after);
}

// --- what has ended

void Runner::step_ended(StepEnd ended) {
  const Unit& unit = ended.unit;
  const bool failed = is_failure(ended.outcome);
  summary_.step_ended(ended);
  for (const auto& [handler, outcome] : ended.notified) {
    handlers_.notify(context_.plan.node(unit.node).phase, handler, unit.host, outcome);
  }
  switch (unit.part) {
    case Part::undo:
      if (failed) ending_.undo_complete = false;
      undo_.undone(unit.node, unit.host, !failed);
      return;
    case Part::handler:
      if (failed) {
        if (const auto it = rounds_.find(unit.round); it != rounds_.end()) {
          it->second.queues[unit.host].clear();
        }
        host_failed(unit.node, unit.host);
      }
      return next_of_round(unit.round, unit.host);
    case Part::forward:
    case Part::on_failure:
    case Part::always:
    case Part::rollback:
      if (failed) host_failed(unit.node, unit.host);
      // Once the run has stopped nobody may be set free by this.
      if (!stopping_ && walk_) walk_->finish({unit.node, unit.host});
      return;
  }
}

// The host drops out; whether the run goes on without it is for the node to say.
void Runner::host_failed(NodeId node, HostIndex host) {
  if (part_ == Part::rollback) return host_failed_on_the_way_back(node, host);
  if (!context_.hosts[host].failed) {
    context_.hosts[host].failed = true;
    ++failed_hosts_;
  }
  live_[host] = false;
  steps_.withdraw(host);
  const plan::Node& at = context_.plan.node(node);
  if (part_ != Part::forward || ending_.failed_at) {
    if (walk_ && !stopping_) walk_->drop(host);
    return;
  }
  if (failed_hosts_ > tolerance(context_.plan, at)) return declare(node);
  context_.emit.notice(context_.name(host) + " drops out; " + std::to_string(failed_hosts_) +
                       " of at most " + std::to_string(at.tolerate) + " failed hosts");
  if (walk_ && !stopping_) walk_->drop(host);
}

void Runner::host_lost(const remote::HostLost& lost) {
  HostState& state = context_.hosts[lost.host];
  if (!state.connected) return;
  state.connected = false;
  state.why = lost.message;
  context_.emit(events::HostLost{lost.host, lost.message});
  steps_.host_lost(lost.host);
  take_ended_steps();
  if (!live_[lost.host] || !walk_ || stopping_) return;
  // It was between two steps: the next one is where it is missed, if there is one.
  if (const auto next = walk_->next_of(lost.host)) {
    summary_.host_unreachable(lost.host);
    host_failed(*next, lost.host);
  } else {
    live_[lost.host] = false;
  }
}

// The run stops going forward. Hosts in flight finish their current step.
void Runner::declare(NodeId node) {
  if (ending_.failed_at) return;
  ending_.failed_at = node;
  std::vector<HostIndex> hosts;
  for (HostIndex h = 0; h < context_.hosts.size(); ++h) {
    if (context_.hosts[h].failed) hosts.push_back(h);
  }
  const std::uint32_t phase = context_.plan.node(node).phase;
  context_.emit(events::FailureDeclared{node, std::move(hosts), past_pivot(phase)});
  stop();
}

}  // namespace cnplay::run
