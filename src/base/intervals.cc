#include "base/intervals.h"

#include <algorithm>

namespace cnplay {

Intervals merged(Intervals any) {
  std::erase_if(any, [](const Interval& i) { return i.to <= i.from; });
  std::sort(any.begin(), any.end(),
            [](const Interval& a, const Interval& b) { return a.from < b.from; });
  Intervals out;
  for (const Interval& i : any) {
    if (!out.empty() && i.from <= out.back().to) {
      out.back().to = std::max(out.back().to, i.to);
    } else {
      out.push_back(i);
    }
  }
  return out;
}

Intervals without(const Intervals& from, const Intervals& what) {
  Intervals out;
  for (Interval rest : from) {
    for (const Interval& hole : what) {
      if (hole.to <= rest.from || hole.from >= rest.to) continue;
      if (hole.from > rest.from) out.push_back({rest.from, hole.from});
      rest.from = hole.to;
      if (rest.from >= rest.to) break;
    }
    if (rest.from < rest.to) out.push_back(rest);
  }
  return out;
}

Intervals common(const Intervals& a, const Intervals& b) { return without(a, without(a, b)); }

Duration length(const Intervals& all) {
  Duration sum{0};
  for (const Interval& i : all) sum += i.to - i.from;
  return sum;
}

}  // namespace cnplay
