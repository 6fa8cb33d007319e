#include "compile/graph.h"

#include <algorithm>
#include <cassert>

namespace cnplay::compile {

using plan::EdgeKind;
using plan::NodeId;

void Flow::add_step(plan::Node& node, std::vector<plan::HostIndex> set) {
  assert(!is_apart());
  const bool waits = wait_ || set != set_;
  for (const NodeId end : ends_) {
    node.after.push_back({end, waits ? EdgeKind::all_hosts : EdgeKind::same_host});
  }
  if (waits) first_ = node.id;
  ends_ = {node.id};
  set_ = std::move(set);
  wait_ = false;
}

void Flow::read_across(plan::Node& node, NodeId from) {
  if (from < first_ || from >= node.id) return;  // all hosts were waited for since
  if (node.after.size() == 1 && node.after[0].from == from) {
    node.after[0].kind = EdgeKind::all_hosts;
    first_ = node.id;
    return;
  }
  const auto known = std::ranges::find(node.after, EdgeKind::all_hosts, &plan::Edge::kind);
  if (known == node.after.end()) {
    node.after.insert(node.after.begin(), {from, EdgeKind::all_hosts});
  } else {
    known->from = std::max(known->from, from);  // the later one follows the earlier one
  }
}

void Flow::add_barrier(plan::Node& node) {
  for (const NodeId end : ends_) node.after.push_back({end, EdgeKind::all_hosts});
  ends_ = {node.id};
  wait_ = true;
}

void Flow::join(const std::vector<Flow>& branches) {
  std::vector<NodeId> ends;
  for (const Flow& branch : branches) {
    if (branch.ends_ == ends_) continue;  // nothing stands in it
    ends.insert(ends.end(), branch.ends_.begin(), branch.ends_.end());
  }
  if (!ends.empty()) ends_ = std::move(ends);
  wait_ = true;
}

}  // namespace cnplay::compile
