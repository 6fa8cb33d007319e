// Durations, points in time, sizes and percents, as values, and how they are written.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cnplay {

using Duration = std::chrono::milliseconds;
using Instant = std::chrono::sys_time<Duration>;  // UTC, milliseconds since 1970

// A point in time together with the zone it was written in. Compared by the instant alone.
struct Time {
  Instant at{};
  std::string zone = "UTC";  // an IANA name or "UTC"

  friend bool operator==(const Time& a, const Time& b) { return a.at == b.at; }
  friend std::strong_ordering operator<=>(const Time& a, const Time& b) {
    return a.at.time_since_epoch().count() <=> b.at.time_since_epoch().count();
  }
};

struct Size {
  std::int64_t bytes = 0;
  auto operator<=>(const Size&) const = default;
};

struct Percent {
  std::int64_t value = 0;  // 25 means 25 %
  auto operator<=>(const Percent&) const = default;
};

// `90s`, `1h30m`, `250ms`, `7d`: exactly what the language accepts, shortest form. Zero is `0s`.
std::string format_duration(Duration d);
// The inverse: units d h m s ms, each at most once, largest first. nullopt if it is no duration
// or does not fit.
std::optional<Duration> parse_duration(std::string_view text);

// For people: `850 ms`, `2.4 s`, `1 min 30 s`, `2 h 05 min`.
std::string human_duration(Duration d);

// `512MiB`, `4KiB`, `17B`: the largest binary unit that divides it.
std::string format_size(Size s);
std::optional<Size> parse_size(std::string_view text);

// `2026-12-01 22:00:00 America/Los_Angeles`; milliseconds only when not zero.
std::string format_time(const Time& t);
// `2026-12-01 22:00[:SS] ZONE`, `2026-12-01T22:00[:SS]Z`, `...+01:00`. A zone is required.
// nullopt if it is none of these, the zone is unknown, or the local time does not exist there.
std::optional<Time> parse_time(std::string_view text);
// `2026-12-01T22:00:00.000Z`, for records.
std::string format_rfc3339(Instant t);
std::optional<Instant> parse_rfc3339(std::string_view text);
// `22:00:05` in the given zone ("" means the machine's).
std::string format_clock(Instant t, const std::string& zone = {});

}  // namespace cnplay
