// A plan, and the one that takes its place in the middle of a run: what of the first stands in the
// second, and whether it is still the same. Steps are known by their paths, hosts by their names.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "plan/plan.h"

namespace cnplay::plan {

// All that one action is on one host, and all that one node is: what may not change once it is
// done. Left out is what does not touch what was done: order, titles, retries, timeouts, tolerance.
// `host_position`: in node.hosts; of a node that is for no host anything.
std::string whole_hash(const Plan& plan, const Action& action, std::size_t host_position);
std::string hash(const Plan& plan, const Node& node, std::size_t host_position);

class Succession {
 public:
  // Both must outlive it.
  Succession(const Plan& before, const Plan& after);

  // Where a node, host or phase of the first plan stands in the second; kNone: it is gone, or a
  // node of another kind.
  NodeId node(NodeId before) const { return nodes_[before]; }
  HostIndex host(HostIndex before) const { return hosts_[before]; }
  std::uint32_t phase(std::uint32_t before) const { return phases_[before]; }

  // Whether the node is there, for this host, and the same. A node for no host: any host.
  bool same(NodeId before, HostIndex host) const;
  // Whether what leads back from it is.
  bool same_undo(NodeId before, HostIndex host) const;
  // How many of its first actions are the same on this host.
  std::uint32_t common(NodeId before, HostIndex host) const;

 private:
  struct Looked {
    bool same = false;
    bool same_undo = false;
    std::uint32_t common = 0;
  };
  const Looked& look(NodeId before, HostIndex host) const;

  const Plan& before_;
  const Plan& after_;
  std::vector<NodeId> nodes_;
  std::vector<HostIndex> hosts_;
  std::vector<std::uint32_t> phases_;
  mutable std::map<std::pair<NodeId, HostIndex>, Looked> looked_;
};

}  // namespace cnplay::plan
