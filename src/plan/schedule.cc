#include "plan/schedule.h"

#include <algorithm>

#include "plan/eval.h"

namespace cnplay::plan {
namespace {

// Which of a section's nodes come before which, as rows of bits.
class Order {
 public:
  Order(const Plan& plan, const std::vector<NodeId>& nodes)
      : words_((nodes.size() + 63) / 64), rows_(nodes.size()), position_(plan.nodes.size(), kNone) {
    for (std::uint32_t i = 0; i < nodes.size(); ++i) position_[nodes[i]] = i;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      rows_[i].assign(words_, 0);
      const Node& node = plan.nodes[nodes[i]];
      for (const Edge& edge : node.after) {
        const std::uint32_t from = position_[edge.from];
        // Source order puts predecessors first; an edge of another section does not count.
        if (from >= i || !orders(plan, edge, node)) continue;
        rows_[i][from / 64] |= std::uint64_t{1} << (from % 64);
        for (std::size_t w = 0; w < words_; ++w) rows_[i][w] |= rows_[from][w];
      }
    }
  }

  bool before(std::size_t a, std::size_t b) const {
    return (rows_[b][a / 64] >> (a % 64) & 1) != 0;
  }

  // How many of the first nodes come, without a gap, before node i.
  std::size_t prefix(std::size_t i) const {
    std::size_t n = 0;
    while (n < i && before(n, i)) ++n;
    return n;
  }

 private:
  std::size_t words_;
  std::vector<std::vector<std::uint64_t>> rows_;
  std::vector<std::uint32_t> position_;
};

// Puts each node behind the last one of a branch that comes before it, or opens a branch.
void assign_lanes(Zone& zone, const Order& order, std::size_t first) {
  std::vector<std::size_t> last;  // by lane: position in the zone
  for (std::size_t i = 0; i < zone.nodes.size(); ++i) {
    std::size_t lane = last.size();
    // The branch with the latest such node: what was written last goes on.
    for (std::size_t l = 0; l < last.size(); ++l) {
      if (order.before(first + last[l], first + i) &&
          (lane == last.size() || last[l] > last[lane])) {
        lane = l;
      }
    }
    if (lane == last.size()) last.push_back(0);
    last[lane] = i;
    zone.lanes.push_back(lane);
  }
  zone.lane_count = last.size();
}

std::vector<Zone> zones_of(const std::vector<NodeId>& nodes, const Order& order) {
  // cut[i]: everything before position i comes before everything from i on.
  const std::size_t n = nodes.size();
  std::vector<std::size_t> smallest(n + 1, n);
  for (std::size_t i = n; i-- > 0;) smallest[i] = std::min(smallest[i + 1], order.prefix(i));
  std::vector<Zone> zones;
  std::size_t first = 0;
  for (std::size_t i = 1; i <= n; ++i) {
    if (i < n && smallest[i] < i) continue;
    Zone zone;
    zone.nodes.assign(nodes.begin() + static_cast<std::ptrdiff_t>(first),
                      nodes.begin() + static_cast<std::ptrdiff_t>(i));
    assign_lanes(zone, order, first);
    zones.push_back(std::move(zone));
    first = i;
  }
  return zones;
}

std::optional<Duration> wait_end(const Node& node, const std::optional<Time>& now) {
  if (node.kind != NodeKind::wait || !now) return std::nullopt;
  Environment environment;
  environment.now = now;
  const auto until = resolve(node.until, 0, environment);
  if (!until || until->as<Time>() == nullptr) return std::nullopt;
  return until->as<Time>()->at - now->at;
}

}  // namespace

bool orders(const Plan& plan, const Edge& edge, const Node& to) {
  const Node& from = plan.nodes[edge.from];
  if (edge.kind == EdgeKind::all_hosts || from.hosts.empty() || to.hosts.empty()) return true;
  for (auto a = from.hosts.begin(), b = to.hosts.begin();
       a != from.hosts.end() && b != to.hosts.end();) {
    if (*a == *b) return true;
    *a < *b ? ++a : ++b;
  }
  return false;
}

Lengths expected_lengths(const Plan& plan) {
  Lengths out;
  out.measured.resize(plan.nodes.size(), false);
  out.nodes.reserve(plan.nodes.size());
  for (const Node& node : plan.nodes) out.nodes.push_back(node.expect);
  return out;
}

Schedule schedule(const Plan& plan, const Section& section, const std::optional<Time>& now) {
  return schedule(plan, section, now, expected_lengths(plan));
}

Schedule schedule(const Plan& plan, const Section& section, const std::optional<Time>& now,
                  const Lengths& lengths) {
  Schedule out;
  out.nodes.resize(plan.nodes.size());
  out.phases.resize(plan.phases.size());
  // Handlers have no place in the order.
  std::vector<NodeId> nodes;
  for (const NodeId id : section.nodes) {
    if (plan.nodes[id].kind != NodeKind::handler) nodes.push_back(id);
  }
  if (nodes.empty()) return out;
  out.zones = zones_of(nodes, Order(plan, nodes));

  for (const NodeId id : nodes) {
    const Node& node = plan.nodes[id];
    Timing& time = out.nodes[id];
    for (const Edge& edge : node.after) {
      if (orders(plan, edge, node)) time.begin = std::max(time.begin, out.nodes[edge.from].end);
    }
    const bool done = node.left_out.empty();
    const std::optional<Duration> takes = done ? lengths.nodes[id] : Duration{0};
    time.end = time.begin + takes.value_or(Duration{0});
    if (const auto until = done ? wait_end(node, now) : std::nullopt) {
      time.end = std::max(time.end, *until);
    }
    const bool works = done && (node.kind == NodeKind::step || node.kind == NodeKind::human);
    const bool unknown = works && !takes;
    if (unknown) ++out.without_expect;
    for (std::uint32_t p = node.phase; p != kNone; p = plan.phases[p].parent) {
      PhaseTiming& phase = out.phases[p];
      if (!phase.time) phase.time = Timing{time.begin, time.begin};
      phase.time->begin = std::min(phase.time->begin, time.begin);
      phase.time->end = std::max(phase.time->end, time.end);
      phase.steps = phase.time->end - phase.time->begin;
      if (unknown) ++phase.without_expect;
      if (works && !lengths.measured[id]) ++phase.unmeasured;
    }
    // A phase that says how long it takes is not over before.
    for (std::uint32_t p = 0; p < plan.phases.size(); ++p) {
      PhaseTiming& phase = out.phases[p];
      if (plan.phases[p].end != id || !phase.time) continue;
      const bool seen = phase.unmeasured == 0 && phase.steps.count() > 0;
      if (seen || !done) continue;
      const Duration said = phase.time->begin + plan.phases[p].expect.value_or(Duration{0});
      phase.time->end = std::max(phase.time->end, said);
      time.end = std::max(time.end, phase.time->end);
    }
    out.total = std::max(out.total, time.end);
  }
  return out;
}

std::optional<HostIndex> find_local(const Plan& plan) {
  // The compiler puts it last; behind it may stand what a changed play has lost (journal/plans.h).
  for (std::size_t h = plan.hosts.size(); h-- > 0;) {
    if (plan.hosts[h].local) return static_cast<HostIndex>(h);
  }
  return std::nullopt;
}

const Rollback* find_rollback(const Plan& plan, std::string_view name) {
  for (const Rollback& way : plan.rollbacks) {
    if (way.name == name) return &way;
  }
  return nullptr;
}

}  // namespace cnplay::plan
