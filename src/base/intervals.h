// Stretches of time as sets: what is left of an outage once testing is taken out of it.
#pragma once

#include <vector>

#include "base/units.h"

namespace cnplay {

struct Interval {
  Instant from{};
  Instant to{};
  friend bool operator==(const Interval&, const Interval&) = default;
};
// Sorted and apart: what `merged` makes.
using Intervals = std::vector<Interval>;

Intervals merged(Intervals any);
Intervals without(const Intervals& from, const Intervals& what);
Intervals common(const Intervals& a, const Intervals& b);
Duration length(const Intervals& all);

}  // namespace cnplay
