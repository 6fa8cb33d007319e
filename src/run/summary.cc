#include "run/summary.h"

#include <algorithm>

#include "base/lines.h"
#include "run/decide.h"

namespace cnplay::run {

using events::Outcome;
using events::Verdict;

Summary::Summary(Context& context)
    : context_(context),
      started_(context.clock.steady()),
      hosts_(context.plan.hosts.size()),
      opened_(context.plan.phases.size()) {
  for (plan::HostIndex h = 0; h < hosts_.size(); ++h) hosts_[h].host = h;
  if (context.options.record == nullptr) return;
  for (const events::Event& event : *context.options.record) {
    if (std::holds_alternative<events::RunResumed>(event.what))
      taken_up(context.clock.steady_at(event.at));
  }
}

void Summary::step_ended(const StepEnd& e) {
  events::HostSummary& host = hosts_[e.unit.host];
  const bool undo = e.unit.part == events::Part::undo;
  switch (e.outcome) {
    // An undo that went well is told by UndoEnded: here it would look like progress.
    case Outcome::ok:
      host.ok += undo ? 0 : 1;
      break;
    case Outcome::changed:
      host.changed += undo ? 0 : 1;
      break;
    case Outcome::skipped:
      host.skipped += undo ? 0 : 1;
      break;
    case Outcome::failed:
      ++host.failed;
      any_failed_ = true;
      if (!undo) failed_.insert({e.unit.node, e.unit.host});
      break;
    case Outcome::unreachable:
      host.unreachable = any_unreachable_ = true;
      break;
    case Outcome::unknown:
      ++host.unknown;
      unknown_.push_back({e.unit.node, e.unit.host});
      if (!undo) failed_.insert({e.unit.node, e.unit.host});
      break;
    case Outcome::aborted:
      aborted_.push_back({e.unit.node, e.unit.host});
      if (!undo) failed_.insert({e.unit.node, e.unit.host});
      break;
    case Outcome::would_change:
    case Outcome::would_run:
      ++host.would_change;
      any_unapplied_ = true;
      break;
    case Outcome::depends:
      ++host.depends;
      any_unapplied_ = true;
      break;
  }
  if (undo) return;
  const auto [it, fresh] = timings_.try_emplace(e.unit.node, Timing{e.started, e.ended, e.outcome});
  if (!fresh) {
    // Hosts on which it was skipped say nothing of how it went on the others.
    it->second.outcome = it->second.outcome == Outcome::skipped ? e.outcome
                         : e.outcome == Outcome::skipped        ? it->second.outcome
                                                         : worst(it->second.outcome, e.outcome);
    it->second.from = std::min(it->second.from, e.started);
    it->second.to = std::max(it->second.to, e.ended);
  }
}

// --- phases and the outage

void Summary::outage_began(Duration now) {
  outage_any_ = true;
  if (outages_++ == 0) outage_since_ = now;
}

// Outage phases may overlap: what counts is the time in which at least one is open.
void Summary::outage_ended(Duration now) {
  if (--outages_ == 0) outage_total_ += now - outage_since_;
}

void Summary::enter(std::uint32_t phase) {
  std::vector<std::uint32_t> fresh;
  for (; phase != plan::kNone && !opened_[phase]; phase = context_.plan.phases[phase].parent) {
    // Where nothing is done in it, it does not begin.
    const plan::NodeId end = context_.plan.phases[phase].end;
    if (end == plan::kNone || context_.plan.node(end).left_out.empty()) fresh.push_back(phase);
  }
  const Duration now = context_.clock.steady();
  for (auto it = fresh.rbegin(); it != fresh.rend(); ++it) {
    opened_[*it] = now;
    open_.push_back(*it);
    context_.emit(events::PhaseStarted{*it});
    if (context_.plan.phases[*it].outage) outage_began(now);
  }
}

void Summary::phase_ended(std::uint32_t phase) {
  if (!opened_[phase]) return;  // left out
  const Duration now = context_.clock.steady();
  std::erase(open_, phase);
  if (context_.plan.phases[phase].outage) outage_ended(now);
  context_.emit(events::PhaseEnded{phase, now - *opened_[phase], true});
}

void Summary::close_phases(bool undone) {
  const Duration now = context_.clock.steady();
  for (; !open_.empty(); open_.pop_back()) {
    const std::uint32_t phase = open_.back();
    if (context_.plan.phases[phase].outage) {
      outage_ended(now);
      outage_open_ = outage_open_ || !undone;
    }
    context_.emit(events::PhaseEnded{phase, now - *opened_[phase], false});
  }
}

bool Summary::outermost_outage(std::uint32_t phase) const {
  if (!context_.plan.phases[phase].outage) return false;
  const plan::NodeId end = context_.plan.phases[phase].end;
  if (end != plan::kNone && !context_.plan.node(end).left_out.empty()) return false;
  for (auto p = context_.plan.phases[phase].parent; p != plan::kNone;
       p = context_.plan.phases[p].parent) {
    if (context_.plan.phases[p].outage) return false;
  }
  return true;
}

// --- the end

Verdict Summary::verdict(const Ending& ending) const {
  if (ending.aborted) return Verdict::aborted;
  if (ending.sick) return Verdict::failed;
  if (ending.preflight) return *ending.preflight;
  if (!unknown_.empty()) return Verdict::unknown;
  if (any_failed_ || !aborted_.empty()) return Verdict::failed;
  if (any_unreachable_ ||
      std::any_of(hosts_.begin(), hosts_.end(), [](const auto& h) { return h.unreachable; })) {
    return Verdict::unreachable;
  }
  if (!ending.rolled_back.empty() && !ending.rollback_complete) return Verdict::failed;
  if (context_.options.way_back != nullptr && ending.undo_ran && !ending.undo_complete) {
    return Verdict::failed;
  }
  return ending.failed_at ? Verdict::failed : Verdict::success;
}

std::string Summary::place(plan::NodeId id, const std::vector<plan::HostIndex>& hosts) const {
  const plan::Node& node = context_.plan.node(id);
  return "`" + one_line(node.title) + "` (" + node.where + ") on " + context_.names(hosts);
}

std::vector<Summary::Change> Summary::changes_of(const UndoLog& undo) const {
  std::vector<Change> out;
  for (const auto& [place, fate] : undo.changes()) {
    const auto& [node, host] = place;
    const bool half = failed_.contains(place);
    const auto same = std::ranges::find_if(out, [&, node = node, fate = fate](const Change& c) {
      return c.node == node && c.fate == fate && c.half == half;
    });
    if (same != out.end()) {
      same->hosts.push_back(host);
    } else {
      out.push_back({node, {host}, fate, half});
    }
  }
  return out;
}

// What the run undid, and, just as clearly, what it changed and did not undo.
void Summary::say_changes(const std::vector<Change>& changes,
                          const std::function<void(const std::string&)>& say) const {
  constexpr std::size_t kShown = 6;
  const auto tell = [&](Fate fate, bool half, const std::string& lead, const std::string& why) {
    std::size_t shown = 0;
    std::size_t more = 0;
    for (const Change& change : changes) {
      if (change.fate != fate || change.half != half) continue;
      if (++shown > kShown) {
        ++more;
        continue;
      }
      say(lead + " " + place(change.node, change.hosts) + why);
    }
    if (more > 0) {
      say(lead + " " + std::to_string(more) + " more steps: cnplay report " +
          context_.options.run_id);
    }
  };
  for (const bool half : {false, true}) tell(Fate::undone, half, "Undone:", ".");
  for (const bool half : {false, true}) {
    const std::string what(half ? events::kFailedAnd : events::kChangedAnd);
    tell(Fate::undo_failed, half, what + " its undo failed:", ": look at that host.");
    tell(Fate::not_undone, half, what + " not undone:", ": its undo was not run.");
    tell(Fate::no_undo, half, what + " not undone:", ": it has no `undo`.");
  }
}

std::string Summary::advice(const Ending& ending, Verdict verdict, const UndoLog& undo) const {
  std::string text;
  const auto say = [&](const std::string& line) { text += (text.empty() ? "" : "\n") + line; };
  const auto places = [&](const std::vector<Unknown>& list, const std::string& lead) {
    std::map<plan::NodeId, std::vector<plan::HostIndex>> by_node;
    for (const Unknown& u : list) by_node[u.node].push_back(u.host);
    for (const auto& [node, hosts] : by_node) say(lead + " " + place(node, hosts) + ".");
  };
  if (ending.preflight) {
    if (*ending.preflight == Verdict::aborted)
      return "Aborted in the preflight: nothing was changed.";
    return "Nothing was changed. Fix what is listed above, then run the same command again.";
  }
  if (ending.only_preflight) return "";
  places(unknown_, std::string(events::kUnknownWhether) + ": look at what became of");
  places(aborted_, std::string(events::kInterrupted));
  if (ending.sick) {
    say("The run could not be recorded any more, so it was stopped: " + ending.sick->what + "; " +
        ending.sick->help);
  }
  if (context_.dry()) {
    if (verdict == Verdict::success && any_unapplied_) {
      say("This was a dry run: nothing was changed. Without --check the run makes these changes.");
      if (std::ranges::any_of(hosts_, [](const auto& host) { return host.depends > 0; })) {
        say("Whether an action that `depends` would change something is known only after the "
            "changes before it.");
      }
    }
    return text;
  }
  std::vector<plan::HostIndex> left;
  for (const auto& h : hosts_) {
    if (h.failed > 0 || h.unknown > 0 || h.unreachable) left.push_back(h.host);
  }
  if (verdict == Verdict::success) return text;
  // A rollback takes back by steps of its own.
  const std::vector<Change> changes = changes_of(undo);
  if (ending.rolled_back.empty()) say_changes(changes, say);
  const bool all_undone = ending.undo_complete && !undo.left_some();
  say_ways_back(ending, say);
  if (outage_open_) say("The outage continues.");
  if (context_.options.way_back != nullptr) return text;
  if (!ending.rolled_back.empty()) return text;  // neither run again nor resume repairs a rollback
  const bool undoable = std::ranges::any_of(changes, [](const Change& change) {
    return change.fate == Fate::not_undone || change.fate == Fate::undo_failed;
  });
  say_next(ending, all_undone, undoable, context_.names(left), say);
  return text;
}

// The command to type next. Steps that have run are not to be run again where a rerun would
// announce, wait or stop the site once more: a resumed run continues behind them.
void Summary::say_next(const Ending& ending, bool all_undone, bool undoable,
                       const std::string& left,
                       const std::function<void(const std::string&)>& say) const {
  const std::string cause = "Fix the cause" + (left.empty() ? "" : " on " + left) + ", then ";
  const std::string& run = context_.options.run_id;
  if (ending.aborted) {
    say("Steps that had ended stay as they are: nothing was undone.");
    say("To continue: cnplay resume " + run);
  } else if (all_undone && ending.undo_ran && !ending.held) {
    say(cause + "run the same command again.");
    return;
  } else {
    say(cause + "continue: cnplay resume " + run);
  }
  if (undoable) say("To undo what has an `undo`: cnplay undo " + run);
}

void Summary::say_ways_back(const Ending& ending,
                            const std::function<void(const std::string&)>& say) const {
  const WayBack* back = context_.options.way_back;
  const std::string& run = back != nullptr ? back->of : context_.options.run_id;
  if (ending.rolled_back.empty()) {
    std::vector<std::string> ways = ending.offered;
    const bool undone = ending.undo_ran && ending.undo_complete;
    if (undone) ways.clear();
    if (ways.empty() && back == nullptr && !undone) {
      for (const plan::Rollback& way : context_.plan.rollbacks) ways.push_back(way.name);
    }
    for (const std::string& way : ways) say("To roll back: cnplay rollback " + run + " " + way);
  } else if (ending.rollback_complete) {
    say("The rollback `" + ending.rolled_back + "` is complete.");
  } else {
    say("The rollback `" + ending.rolled_back +
        "` is not complete. Fix what stopped it, then run it again: cnplay rollback " + run + " " +
        ending.rolled_back);
  }
}

// Of the phases that the run was to go through: those of the way forward, and of a rollback that it
// took. nullopt: one of them does not say.
std::optional<Duration> Summary::outage_expected(const Ending& ending) const {
  const plan::Plan& plan = context_.plan;
  std::set<std::uint32_t> sections;
  if (context_.options.way_back == nullptr) sections.insert(0);
  if (const plan::Rollback* way = plan::find_rollback(plan, ending.rolled_back)) {
    sections.insert(way->section);
  }
  const auto section_of = [&](plan::NodeId node) {
    const auto at = std::ranges::find_if(plan.sections, [&](const plan::Section& section) {
      return std::ranges::find(section.nodes, node) != section.nodes.end();
    });
    return static_cast<std::uint32_t>(at - plan.sections.begin());
  };
  Duration sum{0};
  for (std::uint32_t p = 0; p < plan.phases.size(); ++p) {
    const plan::Phase& phase = plan.phases[p];
    if (!outermost_outage(p) || !sections.contains(section_of(phase.end))) continue;
    if (!phase.expect) return std::nullopt;
    sum += *phase.expect;
  }
  return sum;
}

events::RunEnded Summary::build(const Ending& ending, const UndoLog& undo) const {
  events::RunEnded e;
  e.verdict = verdict(ending);
  e.took = context_.clock.steady() - started_;
  e.hosts = hosts_;
  for (const auto& [node, timing] : timings_) {
    // A dry run's times are those of checks: there is nothing to compare them with.
    const auto expect = context_.dry() ? std::nullopt : context_.plan.node(node).expect;
    events::StepTiming step{node, expect, timing.to - timing.from, timing.outcome};
    const auto& past = context_.options.past;
    if (const auto* known = context_.dry() ? nullptr : plan::past_of(past ? &*past : nullptr, node))
      step.usual = known->median;
    const bool cut = std::ranges::any_of(
        gaps_, [&timing = timing](Duration at) { return timing.from < at && at <= timing.to; });
    if (cut) step.interrupted = true;
    e.steps.push_back(std::move(step));
  }
  if (!context_.dry() && outage_any_) {
    e.outage = outage_total_;
    e.outage_open = outage_open_;
    e.outage_expect = outage_expected(ending);
  }
  e.advice = advice(ending, e.verdict, undo);
  return e;
}

}  // namespace cnplay::run
