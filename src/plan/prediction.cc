#include "plan/prediction.h"

#include <algorithm>

#include "base/intervals.h"

namespace cnplay::plan {
namespace {

Interval interval(const Timing& time) { return {Instant{time.begin}, Instant{time.end}}; }

Duration span(const Timing& time) { return time.end - time.begin; }

bool works(const Node& node) {
  return node.left_out.empty() && (node.kind == NodeKind::step || node.kind == NodeKind::human);
}

// Nothing is done in it.
bool left_out(const Plan& plan, std::uint32_t phase) {
  const NodeId end = plan.phases[phase].end;
  return end != kNone && !plan.node(end).left_out.empty();
}

// When the site is down, as a schedule has it.
Intervals outages(const Plan& plan, const Schedule& schedule) {
  Intervals out;
  for (std::uint32_t p = 0; p < plan.phases.size(); ++p) {
    const auto& time = schedule.phases[p].time;
    if (plan.phases[p].outage && time && !left_out(plan, p)) out.push_back(interval(*time));
  }
  return merged(std::move(out));
}

// The time in which nothing but tests is at work.
Duration testing(const Plan& plan, const Schedule& schedule, const Intervals& within) {
  Intervals tests;
  Intervals others;
  for (const NodeId id : plan.sections.front().nodes) {
    const Node& node = plan.node(id);
    if (node.kind == NodeKind::handler) continue;
    (node.testing ? tests : others).push_back(interval(schedule.nodes[id]));
  }
  return length(common(without(merged(std::move(tests)), merged(std::move(others))), within));
}

// One column of the table.
class Figures {
 public:
  Figures(const Plan& plan, const std::optional<Time>& now, const Lengths& lengths)
      : plan_(plan),
        schedule_(schedule(plan, plan.sections.front(), now, lengths)),
        down_(outages(plan, schedule_)) {}

  void fill(Outlook& out, std::optional<Duration> Forecast::*field) const {
    for (std::uint32_t p = 0; p < plan_.phases.size(); ++p) {
      const PhaseTiming& timing = schedule_.phases[p];
      if (!timing.time || left_out(plan_, p)) continue;
      if (!out.phases[p]) out.phases[p].emplace();
      put(*out.phases[p], span(*timing.time), field);
    }
    put(out.total, schedule_.total, field);
    if (down_.empty() && !out.outage) return;
    if (!out.outage) out.outage.emplace(), out.outage_excluding_testing.emplace();
    put(*out.outage, length(down_), field);
  }
  void fill_excluding_testing(Outlook& out, std::optional<Duration> Forecast::*field) const {
    if (!out.outage) return;
    put(*out.outage_excluding_testing, length(down_) - testing(plan_, schedule_, down_), field);
  }

 private:
  static void put(Forecast& row, Duration length, std::optional<Duration> Forecast::*field) {
    if (length.count() > 0) row.*field = length;
  }

  const Plan& plan_;
  Schedule schedule_;
  Intervals down_;
};

// Steps of unknown length that count for a row: nothing says how long they take, nor does a phase
// around them, up to and with `within` (kNone: the play).
class Unknown {
 public:
  Unknown(const Plan& plan, const Lengths& lengths) : plan_(plan) {
    for (const NodeId id : plan.sections.front().nodes) {
      if (works(plan.node(id)) && !lengths.nodes[id]) nodes_.push_back(id);
    }
  }
  std::size_t of_phase(std::uint32_t within) const {
    return count([&](const Node& n) { return !said(n, within) && stands_in(n, within); });
  }
  std::size_t of_all() const {
    return count([&](const Node& n) { return !said(n, kNone); });
  }
  std::size_t of_outage() const {
    return count([&](const Node& n) { return !said(n, kNone) && is_down(n); });
  }
  std::size_t tests_of_outage() const {
    return count([&](const Node& n) { return n.testing && is_down(n); });
  }

 private:
  template <class Holds>
  std::size_t count(Holds holds) const {
    return static_cast<std::size_t>(std::count_if(
        nodes_.begin(), nodes_.end(), [&](NodeId id) { return holds(plan_.node(id)); }));
  }
  bool said(const Node& node, std::uint32_t within) const {
    for (auto p = node.phase; p != kNone; p = plan_.phases[p].parent) {
      if (plan_.phases[p].expect) return true;
      if (p == within) break;
    }
    return false;
  }
  bool stands_in(const Node& node, std::uint32_t phase) const {
    auto p = node.phase;
    while (p != kNone && p != phase) p = plan_.phases[p].parent;
    return p == phase;
  }
  bool is_down(const Node& node) const {
    for (auto p = node.phase; p != kNone; p = plan_.phases[p].parent) {
      if (plan_.phases[p].outage) return true;
    }
    return false;
  }

  const Plan& plan_;
  std::vector<NodeId> nodes_;
};

}  // namespace

const PastStep* past_of(const Past* past, NodeId node) {
  if (past == nullptr) return nullptr;
  const auto at = std::lower_bound(past->steps.begin(), past->steps.end(), node,
                                   [](const PastStep& s, NodeId id) { return s.node < id; });
  return at != past->steps.end() && at->node == node ? &*at : nullptr;
}

std::string text_of(const PastStep& step) {
  if (step.runs == 1) return "1 run: " + human_duration(step.median);
  return std::to_string(step.runs) + " runs: median " + human_duration(step.median) + ", worst " +
         human_duration(step.worst);
}

Lengths lengths(const Plan& plan, const Past* past, Basis basis) {
  Lengths out = expected_lengths(plan);
  if (past == nullptr || basis == Basis::expect) return out;
  for (const PastStep& step : past->steps) {
    out.nodes.at(step.node) = basis == Basis::median ? step.median : step.worst;
    out.measured.at(step.node) = true;
  }
  return out;
}

Outlook outlook(const Plan& plan, const std::optional<Time>& now, const Past* past) {
  Outlook out;
  out.phases.resize(plan.phases.size());
  const bool seen = past != nullptr && !past->steps.empty();
  const auto fill_both = [&](const Lengths& lengths, std::optional<Duration> Forecast::*field) {
    const Figures figures(plan, now, lengths);
    figures.fill(out, field);
    figures.fill_excluding_testing(out, field);
  };
  fill_both(lengths(plan, past, Basis::expect), &Forecast::expect);
  if (seen) {
    const Lengths likely = lengths(plan, past, Basis::median);
    Lengths worst = lengths(plan, past, Basis::worst);
    Figures(plan, now, worst).fill(out, &Forecast::worst);
    // A longer test hides more of the other work: only with tests of the same length is the worst
    // time without them not below the median.
    for (const Node& node : plan.nodes) {
      if (node.testing) worst.nodes[node.id] = likely.nodes[node.id];
    }
    Figures(plan, now, worst).fill_excluding_testing(out, &Forecast::worst);
    fill_both(likely, &Forecast::median);
  }
  const Unknown unknown(plan, lengths(plan, seen ? past : nullptr, Basis::median));
  for (std::uint32_t p = 0; p < plan.phases.size(); ++p) {
    if (out.phases[p]) out.phases[p]->unknown = unknown.of_phase(p);
  }
  out.total.unknown = unknown.of_all();
  if (out.outage) {
    out.outage->unknown = unknown.of_outage();
    // Nobody knows what is left without a test of which nobody knows how long it takes.
    if (unknown.tests_of_outage() != 0) out.outage_excluding_testing = Forecast{};
    out.outage_excluding_testing->unknown = out.outage->unknown;
  }
  return out;
}

}  // namespace cnplay::plan
