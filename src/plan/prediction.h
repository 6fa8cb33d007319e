// How long a plan takes: by `expect`, and by what past runs took. Plain data and arithmetic: who
// reads the past runs' records is journal/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "plan/schedule.h"

namespace cnplay::plan {

// What past runs took for one step, all of its hosts together, from the first that began it to the
// last that ended it.
struct PastStep {
  NodeId node = 0;
  std::uint32_t runs = 0;  // at least 1
  Duration median{0};
  Duration worst{0};
};

// Of the newest real runs of a play on one inventory.
struct Past {
  std::string inventory;
  std::uint32_t runs = 0;       // that were looked at
  std::vector<PastStep> steps;  // by node, those with a figure
};

// nullptr: nothing is known of it. `past` may be null, too.
const PastStep* past_of(const Past* past, NodeId node);
// `5 runs: median 1 min 10 s, worst 2 min`; of one run `1 run: 1 min 10 s`.
std::string text_of(const PastStep& step);

enum class Basis { expect, median, worst };
// What the schedule counts with: past runs' figure for the steps that have one, else `expect`.
Lengths lengths(const Plan& plan, const Past* past, Basis basis);

// One row of the table of timings. Each figure is unset if nothing says how long it takes.
struct Forecast {
  std::optional<Duration> expect, median, worst;
  // Steps in it of which nothing tells, nor a phase around them: then it takes longer than that.
  std::size_t unknown = 0;
};
struct Outlook {
  std::vector<std::optional<Forecast>> phases;  // by phase; none: it is not of the way forward
  // What the site is down for; none: the plan has no outage.
  std::optional<Forecast> outage, outage_excluding_testing;
  Forecast total;
};
// `past` null: median and worst are all unset. Along the longest path, as the schedule has it.
Outlook outlook(const Plan& plan, const std::optional<Time>& now, const Past* past);

}  // namespace cnplay::plan
