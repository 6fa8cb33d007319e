#include "report/copying.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace cnplay::report {
namespace {

// Long enough that the rate stands still to be read, short enough to follow the line.
constexpr Duration kWindow{8000};
constexpr std::size_t kMostSeen = 64;

struct Unit {
  const char* name;
  double bytes;
};

Unit unit_of(double bytes) {
  constexpr std::array<Unit, 3> kUnits{
      {{"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}}};
  Unit unit = kUnits.front();
  // From 1000 on, so that there are never four digits.
  for (const Unit& larger : kUnits) {
    if (bytes >= larger.bytes * 1000 / 1024) unit = larger;
  }
  return unit;
}

// "0.4", "9.9", "120": never more than it takes to see that it moves.
std::string in(const Unit& unit, double bytes) {
  const double n = bytes / unit.bytes;
  char text[32];
  std::snprintf(text, sizeof text, n < 9.95 ? "%.1f" : "%.0f", n);
  return text;
}

std::string left(double seconds) {
  const auto s = static_cast<std::int64_t>(std::ceil(seconds));
  if (s < 60) return std::to_string(s) + " s left";
  if (s < 3600) return std::to_string((s + 59) / 60) + " min left";
  if (s < 100 * 3600) return std::to_string((s + 3599) / 3600) + " h left";
  return "days left";
}

std::string said(std::uint64_t done, std::uint64_t size, std::optional<double> rate) {
  const Unit unit = unit_of(static_cast<double>(size));
  std::string text = "copying " + in(unit, static_cast<double>(done)) + " of " +
                     in(unit, static_cast<double>(size)) + " " + unit.name;
  if (!rate) return text;
  if (*rate < 1) return text + ", stalled";
  const Unit per_second = unit_of(*rate);
  return text + ", " + in(per_second, *rate) + " " + per_second.name + "/s, " +
         left(static_cast<double>(size - done) / *rate);
}

}  // namespace

void Copying::moved(std::uint64_t done, std::uint64_t size, Instant now) {
  done = std::min(done, size);
  if (size != size_ || (!seen_.empty() && done < seen_.back().second)) seen_.clear();
  size_ = size;
  seen_.emplace_back(now, done);
  // What left the window last is kept: the rate is measured from there.
  while (seen_.size() > 2 && (now - seen_[1].first >= kWindow || seen_.size() > kMostSeen)) {
    seen_.pop_front();
  }
}

std::optional<double> Copying::rate(Instant now) const {
  if (seen_.size() < 2 && now - seen_.front().first <= kWindow) return std::nullopt;
  if (now - seen_.back().first > kWindow) return 0;
  // A line that stands still makes it fall: the time since counts, too.
  const double ms =
      static_cast<double>(std::max(now, seen_.back().first).time_since_epoch().count() -
                          seen_.front().first.time_since_epoch().count());
  return ms <= 0 ? 0 : static_cast<double>(done() - seen_.front().second) * 1000.0 / ms;
}

std::string Copying::text(Instant now) const { return said(done(), size_, rate(now)); }

std::string copying_together(const std::vector<const Copying*>& all, Instant now) {
  std::uint64_t done = 0;
  std::uint64_t size = 0;
  std::optional<double> rate;
  for (const Copying* one : all) {
    done += one->done();
    size += one->size();
    if (const auto its = one->rate(now)) rate = rate.value_or(0) + *its;
  }
  return said(done, size, rate);
}

}  // namespace cnplay::report
