// A file on its way as the live view says it: how far, how fast, for how much longer.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"

namespace cnplay::report {

class Copying {
 public:
  // So many bytes of `size` have been moved by now. Fewer than before: it has begun anew.
  void moved(std::uint64_t done, std::uint64_t size, Instant now);
  // Some of it has been moved, and not all.
  bool at_work() const { return !seen_.empty() && done() < size_; }

  std::uint64_t done() const { return seen_.empty() ? 0 : seen_.back().second; }
  std::uint64_t size() const { return size_; }
  // Bytes a second, over the last seconds; 0: nothing moves any more. Of one word nobody can tell.
  std::optional<double> rate(Instant now) const;
  // "copying 120 of 200 MiB, 35 MiB/s, 3 s left".
  std::string text(Instant now) const;

 private:
  std::uint64_t size_ = 0;
  std::deque<std::pair<Instant, std::uint64_t>> seen_;  // of the last seconds, at least the last
};

// The same of several together, which share the way out of this machine.
std::string copying_together(const std::vector<const Copying*>& all, Instant now);

}  // namespace cnplay::report
