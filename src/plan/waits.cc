#include "plan/waits.h"

#include <algorithm>

#include "plan/host_text.h"

namespace cnplay::plan {
namespace {

std::string quoted(const std::string& name) { return "`" + name + "`"; }

std::string end_text(const Plan& plan, const Node& node) {
  if (node.kind == NodeKind::human) return quoted(short_name(node.path));
  if (node.kind == NodeKind::phase_end && node.phase != kNone) {
    return "the end of " + quoted(plan.phases[node.phase].title);
  }
  if (node.kind != NodeKind::step) return "the " + node.title + " above";
  const auto set = std::ranges::find(plan.sets, node.hosts, &HostSet::hosts);
  return quoted(short_name(node.path)) + " on " +
         (set == plan.sets.end() ? hosts_text(plan, node.hosts) : set->name);
}

}  // namespace

std::vector<NodeId> waited_for(const Plan& plan, const std::vector<NodeId>& nodes, const Zone& zone,
                               bool inside) {
  std::vector<NodeId> out;
  std::vector<HostIndex> hosts;
  for (const NodeId id : nodes) {
    const Node& node = plan.node(id);
    if (node.kind != NodeKind::step) return {};
    hosts.insert(hosts.end(), node.hosts.begin(), node.hosts.end());
    for (const Edge& edge : node.after) {
      const Node& from = plan.node(edge.from);
      const bool in_zone = std::ranges::find(zone.nodes, edge.from) != zone.nodes.end();
      if (edge.kind != EdgeKind::all_hosts || in_zone != inside) continue;
      if (from.kind != NodeKind::step) continue;
      hosts.insert(hosts.end(), from.hosts.begin(), from.hosts.end());
      if (std::ranges::find(out, edge.from) == out.end()) out.push_back(edge.from);
    }
  }
  const bool one_host = std::ranges::all_of(hosts, [&](HostIndex h) { return h == hosts[0]; });
  return one_host ? std::vector<NodeId>() : out;
}

std::string ends_text(const Plan& plan, const std::vector<NodeId>& ends) {
  constexpr std::size_t kShown = 2;
  std::string out;
  for (std::size_t i = 0; i < ends.size() && i < kShown; ++i) {
    out += (i == 0 ? "" : ", ") + end_text(plan, plan.node(ends[i]));
  }
  if (ends.size() > kShown) out += " and " + std::to_string(ends.size() - kShown) + " more";
  return out;
}

}  // namespace cnplay::plan
