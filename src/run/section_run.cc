#include "run/section_run.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "plan/choice.h"
#include "plan/host_text.h"
#include "run/assertion.h"
#include "run/conditions.h"
#include "run/preflight.h"

namespace cnplay::run {

using events::Part;
using plan::HostIndex;
using plan::NodeId;
using plan::NodeKind;

SectionRun::SectionRun(Context& context, Steps& steps, UndoLog& undo, Summary& summary,
                       Ending& ending, std::function<void()> abort)
    : context_(context),
      steps_(steps),
      undo_(undo),
      summary_(summary),
      ending_(ending),
      abort_(std::move(abort)),
      pivots_(context.plan),
      handlers_(context.plan),
      rounds_(context, ready_),
      slots_(context.options.forks),
      waits_(context, *this),
      human_steps_(context, summary, *this),
      confirmation_(context, *this),
      reruns_(context, undo, *this),
      window_(context, *this),
      deadlines_(context, summary, *this) {}

std::vector<bool> SectionRun::live_hosts(bool failed_too) const {
  std::vector<bool> live(context_.hosts.size());
  for (HostIndex h = 0; h < live.size(); ++h) {
    live[h] = context_.hosts[h].connected && (failed_too || !context_.hosts[h].failed);
  }
  return live;
}

void SectionRun::open_main() {
  part_ = Part::forward;
  live_ = live_hosts(false);
  walk_.emplace(context_.plan, context_.plan.sections.front(), live_);
  deadlines_.announce();
  steps_.set_successor([this](const std::vector<NodeId>& through, HostIndex host) {
    // Before each step somebody is asked, or it is the run that decides; or it is to be decided as
    // soon as the window has closed: a host would begin what was sent ahead all the same. On a host
    // that has dropped out a step is left only to be declared failed.
    const bool free =
        walk_ && live_[host] && !stopping_ && !context_.options.stepwise && !window_.undecided();
    return free ? walk_->only_next(through, host) : std::nullopt;
  });
}

void SectionRun::close_main() {
  steps_.set_successor(nullptr);
  if (!stopping_ && !walk_->done()) {
    // The plan's invariants rule it out; never call it a success.
    context_.emit.notice("a bug in cnplay: steps were left that never became ready");
    ending_.failed_at = 0;
  }
}

void SectionRun::open(const plan::Section& section, Part part) {
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
}

bool SectionRun::begin_handlers() {
  if (stopping_ || handlers_.empty()) return false;
  begin_round(handlers_.take_all(), std::nullopt);
  return true;
}

void SectionRun::reset() {
  stopping_ = false;
  walk_.reset();
  steps_.allow_retries();
}

void SectionRun::stop() {
  stopping_ = true;
  const auto drop = [&](const Unit& unit) {
    if (unit.part == Part::handler) {
      handlers_.put_back(unit.node, unit.host, unit.instead.value_or(events::Outcome::changed));
    }
    if (unit.part == Part::undo) ending_.undo_complete = false;
    return true;
  };
  std::erase_if(ready_, drop);
  slots_.remove_if(drop);
  waits_.clear();
  human_steps_.stop();
  confirmation_.stop();
  reruns_.stop();
  window_.stop();
  rounds_.stop(handlers_);
  steps_.withdraw_all();
  // Resuming a run that is only parked continues as if it had never been: what is at work has all
  // its attempts.
  const bool only_parked = ending_.parked && !ending_.aborted && !ending_.failed_at;
  if (!only_parked) steps_.stop_retries();
}

// --- the loop's calls

void SectionRun::check_window() {
  if (window_.close_if_over(pivots_.any_passed())) {
    // With `--forks`: what is ready, and has not begun.
    slots_.remove_if([&](const Unit& unit) {
      return unit.part == Part::forward && window_.defer({unit.node, unit.host});
    });
  }
  const bool idle = !human_steps_.open() && steps_.count() == 0 && !steps_.withdrawing();
  if (idle && nothing_ready()) window_.decide();
}

void SectionRun::start_ready() {
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
    } else if (auto unit = slots_.next(steps_, [&](const Unit& u) { return is_gone(u); })) {
      start_unit(*unit);
    } else {
      break;
    }
  }
}

void SectionRun::check_people_and_time() {
  waits_.check();
  human_steps_.check();
  confirmation_.check();
}

Duration SectionRun::until_next() const {
  return std::min({waits_.until_next(), human_steps_.until_timeout(), deadlines_.until_next(),
                   window_.until_end()});
}

bool SectionRun::waits() const {
  return !waits_.empty() || human_steps_.open() || confirmation_.defers() || reruns_.defers() ||
         window_.defers();
}

// --- what begins

void SectionRun::begin(const Ready& ready) {
  if (reruns_.defer(ready, ready.host && live_[*ready.host]) || window_.defer(ready)) return;
  const plan::Node& node = context_.plan.node(ready.node);
  const bool skipped = condition_of_phases(context_, node.phase).kind == Condition::Kind::fails;
  if (skipped) {
    report_skipped(node.phase);
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
    if (confirmation_.defer(ready)) return;
  }
  Unit unit;
  unit.node = ready.node;
  unit.host = *ready.host;
  unit.part = part_;
  unit.left_out = node.left_out.empty() ? confirmation_.skipped(node.id) : node.left_out;
  begin_unit(unit);
}

// The outermost phase whose `when` does not hold is reported once.
void SectionRun::report_skipped(std::uint32_t phase) {
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
void SectionRun::pass_skipped(const Ready& point) {
  if (context_.plan.node(point.node).kind == NodeKind::human) {
    context_.emit(events::HumanEnded{point.node, events::HumanEnd::skipped, Duration{0}});
  }
  finish(point);
}

// Why a step is skipped that is about hosts of a batch: "" if all of them are in the run.
std::string SectionRun::out_of_run(const plan::Node& node) const {
  for (const HostIndex h : node.made_from) {
    if (!live_[h]) return context_.name(h) + " is out of the run";
  }
  return {};
}

// True: no host of the batch is left, so its phase has failed: steps below rely on the batch.
bool SectionRun::fails_without_hosts(const plan::Node& end) {
  if (std::ranges::any_of(end.made_from, [&](HostIndex h) { return live_[h]; })) return false;
  const bool matters = end.tolerate < context_.plan.hosts.size();
  if (!matters || (part_ != Part::forward && part_ != Part::rollback)) return false;
  context_.emit.notice("no host of the batch `" +
                       plan::short_name(end.path.substr(0, end.path.rfind('/'))) + "` is left");
  fail_at(end.id);
  return true;
}

void SectionRun::end_batch(const Ready& point) {
  const plan::Node& node = context_.plan.node(point.node);
  if (fails_without_hosts(node)) return;
  // Recorded, so that a replay looks at the hosts at the same moment.
  context_.emit(events::BarrierPassed{node.id});
  begin_round(handlers_.take(node.phase), point);
}

void SectionRun::begin_unit(const Unit& unit) {
  if (context_.options.forks == 0) return start_unit(unit);
  slots_.add(unit);
}

// Whether the host of the unit has dropped out since the unit became ready.
bool SectionRun::is_gone(const Unit& unit) const {
  return !context_.hosts[unit.host].connected || (unit.part == part_ && walk_ && !live_[unit.host]);
}

void SectionRun::start_unit(const Unit& unit) {
  if (is_gone(unit)) {
    if (unit.part == Part::handler) {
      if (const auto over = rounds_.next(unit.round, unit.host)) round_over(*over);
      return;
    }
    if (unit.part == Part::undo) {
      ending_.undo_complete = false;
      return;
    }
    const Ready ready{unit.node, unit.host};
    return step_is_gone(ready, !unit.left_out.empty());
  }
  Unit now = unit;
  const bool of_section = unit.part != Part::handler && unit.part != Part::undo;
  if (of_section && now.left_out.empty()) now.left_out = out_of_run(context_.plan.node(unit.node));
  steps_.start(now);
}

// The host dropped out before it came to the step. A step that none of its hosts can do has failed,
// unless it says that all of them may: what stands below relies on it. Another host is never tried.
void SectionRun::step_is_gone(const Ready& ready, bool left_out) {
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
void SectionRun::pass(const Ready& point) {
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
      pivots_.pass(node.id);
      break;
    case NodeKind::wait:
      return waits_.begin(point);
    case NodeKind::human:
      return human_steps_.begin(point, out_of_run(node));
    case NodeKind::assertion:
      return check_assertion(context_, *this, point);
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
  finish(point);
}

// --- handlers

void SectionRun::begin_round(Handlers::Round queues, std::optional<Ready> after) {
  if (const auto over = rounds_.begin(std::move(queues), after)) round_over(*over);
}

// kNone: the node ends no phase.
std::uint32_t SectionRun::phase_ended_by(NodeId node) const {
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

void SectionRun::round_over(const HandlerRounds::Over& over) {
  if (!over.after || !walk_) return;
  const plan::Node& end = context_.plan.node(over.after->node);
  if (end.kind == NodeKind::batch_end && fails_without_hosts(end)) return;
  const std::uint32_t phase = phase_ended_by(over.after->node);
  if (phase != plan::kNone) {
    summary_.enter(phase);  // it may have had nothing in it
    summary_.phase_ended(phase);
  }
  finish(*over.after);
}

// --- what has ended

bool SectionRun::take_ended_steps() {
  bool any = false;
  while (const auto ended = steps_.take_ended()) {
    any = true;
    step_ended(*ended);
  }
  return any;
}

void SectionRun::step_ended(const StepEnd& ended) {
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
        rounds_.drop(unit.round, unit.host);
        host_failed(unit.node, unit.host);
      }
      if (const auto over = rounds_.next(unit.round, unit.host)) round_over(*over);
      return;
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

void SectionRun::count_missing_hosts() {
  for (HostIndex h = 0; h < context_.hosts.size(); ++h) {
    if (context_.hosts[h].failed) {
      ++failed_hosts_;
      summary_.host_unreachable(h);
    } else if (!context_.hosts[h].why.empty()) {
      summary_.host_unreachable(h);
    }
  }
}

// The host drops out; whether the run continues without it is for the node to say.
void SectionRun::host_failed(NodeId node, HostIndex host) {
  if (part_ == Part::rollback) return host_failed_in_rollback(node, host);
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

void SectionRun::host_failed_in_rollback(NodeId node, HostIndex host) {
  context_.hosts[host].failed = true;
  live_[host] = false;
  failed_in_rollback_.insert(host);
  const plan::Node& at = context_.plan.node(node);
  if (failed_in_rollback_.size() > tolerance(context_.plan, at)) return fail_at(node);
  context_.emit.notice(context_.name(host) + " drops out of the rollback; " +
                       std::to_string(failed_in_rollback_.size()) + " of at most " +
                       std::to_string(at.tolerate) + " failed hosts");
  if (walk_ && !stopping_) walk_->drop(host);
}

void SectionRun::host_lost(const remote::HostLost& lost) {
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

bool SectionRun::going_forward() const {
  return part_ == Part::forward && walk_ && !stopping_ && !ending_.failed_at;
}

// The run stops going forward. Hosts in flight finish their current step.
void SectionRun::declare(NodeId node) {
  if (ending_.failed_at) return;
  ending_.failed_at = node;
  std::vector<HostIndex> hosts;
  for (HostIndex h = 0; h < context_.hosts.size(); ++h) {
    if (context_.hosts[h].failed) hosts.push_back(h);
  }
  const std::uint32_t phase = context_.plan.node(node).phase;
  context_.emit(events::FailureDeclared{node, std::move(hosts), pivots_.is_past(phase)});
  stop();
}

// Going forward that is the run's failure; in what answers a failure, only its end.
void SectionRun::fail_at(NodeId node) {
  if (part_ == Part::rollback && !ending_.rollback_failed) ending_.rollback_failed = node;
  if (part_ == Part::rollback || ending_.failed_at) return stop();
  declare(node);
}

void SectionRun::miss_deadline(std::uint32_t index) {
  const plan::Deadline& deadline = context_.plan.deadlines[index];
  ending_.late = index;
  ending_.failed_at = deadline.phase == plan::kNone ? context_.plan.sections.front().nodes.back()
                                                    : context_.plan.phases[deadline.phase].end;
  stop();
}

void SectionRun::park(Parked parked) {
  ending_.parked = std::move(parked);
  stop();
}

bool SectionRun::only_waits() const {
  return part_ == Part::forward && !waits_.empty() && !human_steps_.open() && steps_.count() == 0 &&
         !steps_.withdrawing() && nothing_ready() && !confirmation_.defers() && !reruns_.defers() &&
         !window_.defers() && !stopping_ && !context_.replay.active();
}

void SectionRun::leave_wait() {
  park({Parked::At::wait, waits_.next_node(),
        "left while it waits until " + format_time(waits_.next_end())});
}

bool SectionRun::partial() const {
  for (const NodeId id : context_.plan.sections.front().nodes) {
    const plan::Node& node = context_.plan.node(id);
    if (plan::has_work(node) && (!node.left_out.empty() || !confirmation_.skipped(id).empty())) {
      return true;
    }
    // Where there was nothing to do, what follows was not rehearsed, and no secret was handed over.
    if (plan::is_check(node) &&
        context_.facts.get({id, 0, std::string(plan::kWouldChange), {}}, 0) == plan::Value(false)) {
      return true;
    }
  }
  return false;
}

}  // namespace cnplay::run
