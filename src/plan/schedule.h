// What follows from a section's graph: which nodes run at the same time, and when each begins if
// everything takes as long as expected. No hosts, no clock: pure arithmetic on the plan.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "plan/plan.h"

namespace cnplay::plan {

// Nodes between two points that everything passes. With one node it runs alone.
struct Zone {
  std::vector<NodeId> nodes;       // in source order
  std::vector<std::size_t> lanes;  // by node: which of the branches side by side it stands in
  std::size_t lane_count = 1;
};

struct Timing {
  Duration begin{0};  // since the start of the section
  Duration end{0};
};

struct PhaseTiming {
  std::optional<Timing> time;      // none: no node of it is in this section
  Duration steps{0};               // the longest path by the lengths of its steps alone
  std::size_t without_expect = 0;  // steps in it of unknown length, also in phases within
  std::size_t unmeasured = 0;      // steps in it whose length is not a measured one
};

// How long each node is taken to take.
struct Lengths {
  std::vector<std::optional<Duration>> nodes;  // by NodeId
  std::vector<bool> measured;                  // by NodeId: not said by the play, but seen
};
// What the play says.
Lengths expected_lengths(const Plan& plan);

struct Schedule {
  std::vector<Zone> zones;
  std::vector<Timing> nodes;        // by NodeId; zero for nodes of other sections
  std::vector<PhaseTiming> phases;  // by phase
  Duration total{0};
  std::size_t without_expect = 0;
};

// Whether an edge really orders: one host by host between steps that share no host does not.
bool orders(const Plan& plan, const Edge& edge, const Node& to);

// `now`: what the waits' times are counted from; without it they take no time.
Schedule schedule(const Plan& plan, const Section& section, const std::optional<Time>& now);
// The same with other lengths. A phase whose steps are all measured takes as long as they do,
// whatever it expects itself.
Schedule schedule(const Plan& plan, const Section& section, const std::optional<Time>& now,
                  const Lengths& lengths);

}  // namespace cnplay::plan
