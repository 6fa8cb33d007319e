#include "render/waits.h"

#include <algorithm>

#include "base/words.h"
#include "plan/host_text.h"

namespace cnplay::render {
namespace {

std::string end_text(const Plan& plan, const Node& node) {
  if (node.kind == NodeKind::human) return backquoted(short_name(node.path));
  if (node.kind == NodeKind::phase_end && node.phase != kNone) {
    return "the end of " + backquoted(plan.phases[node.phase].title);
  }
  if (node.kind == NodeKind::batch_end) return "the batch above";
  if (node.kind == NodeKind::assertion) return "the assertion above";
  if (node.kind != NodeKind::step) return "the " + node.title + " above";
  const auto set = std::ranges::find(plan.sets, node.hosts, &HostSet::hosts);
  return backquoted(short_name(node.path)) + " on " +
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
  std::vector<std::string> texts;
  for (const NodeId end : ends) texts.push_back(end_text(plan, plan.node(end)));
  return name_some(texts, 2);
}

}  // namespace cnplay::render
