// Edges: what a node of the graph waits for. A Flow is the end of the graph as built so far, on
// one branch: for each host the nodes that it must have passed before the next one may begin.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.h"

namespace cnplay::compile {

// A set of hosts as bits.
class HostMask {
 public:
  HostMask() = default;
  HostMask(std::size_t hosts, bool all) : words_((hosts + 63) / 64, all ? ~std::uint64_t{0} : 0) {}
  static HostMask of(std::size_t hosts, const std::vector<plan::HostIndex>& members);

  bool any() const;
  bool meets(const HostMask& other) const;
  void remove(const HostMask& other);
  void keep(const HostMask& other);

 private:
  std::vector<std::uint64_t> words_;
};

class Flow {
 public:
  explicit Flow(std::size_t hosts) : hosts_(hosts) {}

  // The edges of a step on `node.hosts`, which becomes the end for them. A `once` step is a
  // barrier on both sides.
  void add_step(plan::Node& node);
  // The edges of a barrier, pivot, wait, phase end or flush.
  void add_barrier(plan::Node& node);
  // Whether nothing stands behind the last barrier (or behind the beginning).
  bool at_barrier() const;
  // This flow went apart in `branches`, which come together again.
  void join(const std::vector<Flow>& branches);

 private:
  struct End {
    plan::NodeId node = 0;
    bool barrier = false;   // holds for all hosts at once
    HostMask open;          // hosts that nothing behind it has taken over yet
    bool followed = false;  // something behind it has taken it over for some host
  };

  void all_edges(plan::Node& node) const;

  std::size_t hosts_;
  std::vector<End> ends_;
};

}  // namespace cnplay::compile
