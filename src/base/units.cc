#include "base/units.h"

#include <date/date.h>
#include <date/tz.h>

#include <array>
#include <charconv>
#include <ctime>
#include <limits>
#include <utility>

namespace cnplay {
namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kDurationUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kSizeUnits{
    {{"TiB", 1LL << 40}, {"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}, {"B", 1}}};

// Digits at the front of `text`, taken off it.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || text.empty() || text[0] == '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return n;
}

std::string two(std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

std::optional<int> digits(std::string_view text) {
  int n = 0;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    n = n * 10 + (c - '0');
  }
  return n;
}

const date::time_zone* find_zone(const std::string& name) {
  try {
    return name.empty() ? date::current_zone() : date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

struct LocalParts {
  date::local_time<Duration> local;
  std::string_view rest;  // what follows the clock time
};

// `YYYY-MM-DD[ T]HH:MM[:SS[.mmm]]` at the front of `text`.
std::optional<LocalParts> parse_local(std::string_view text) {
  if (text.size() < 16 || text[4] != '-' || text[7] != '-' ||
      (text[10] != ' ' && text[10] != 'T') || text[13] != ':') {
    return std::nullopt;
  }
  const auto year = digits(text.substr(0, 4));
  const auto month = digits(text.substr(5, 2));
  const auto day = digits(text.substr(8, 2));
  const auto hour = digits(text.substr(11, 2));
  const auto minute = digits(text.substr(14, 2));
  if (!year || !month || !day || !hour || !minute) return std::nullopt;
  const auto ymd = date::year{*year} / *month / *day;
  if (!ymd.ok() || *hour > 23 || *minute > 59) return std::nullopt;
  text.remove_prefix(16);
  Duration seconds{0};
  if (text.size() >= 3 && text[0] == ':') {
    const auto s = digits(text.substr(1, 2));
    if (!s || *s > 59) return std::nullopt;
    seconds = std::chrono::seconds{*s};
    text.remove_prefix(3);
    if (text.size() >= 4 && text[0] == '.') {
      const auto ms = digits(text.substr(1, 3));
      if (!ms) return std::nullopt;
      seconds += Duration{*ms};
      text.remove_prefix(4);
    }
  }
  return LocalParts{
      date::local_days{ymd} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} + seconds,
      text};
}

std::string format_local(date::local_time<Duration> local, char separator) {
  const auto day = date::floor<date::days>(local);
  const date::year_month_day ymd{day};
  const date::hh_mm_ss<Duration> clock{local - day};
  std::string out = date::format("%Y-%m-%d", ymd);
  out += separator;
  out += two(clock.hours().count()) + ":" + two(clock.minutes().count()) + ":" +
         two(clock.seconds().count());
  return out;
}

std::string milliseconds_of(Instant t) {
  const auto ms =
      (t.time_since_epoch() - date::floor<std::chrono::seconds>(t.time_since_epoch())).count();
  std::string out = std::to_string(ms);
  return "." + std::string(3 - out.size(), '0') + out;
}

}  // namespace

std::string format_duration(Duration d) {
  std::int64_t left = d.count();
  if (left == 0) return "0s";
  std::string out = left < 0 ? "-" : "";
  if (left < 0) left = -left;
  for (const auto& [unit, ms] : kDurationUnits) {
    if (left >= ms) {
      out += std::to_string(left / ms);
      out += unit;
      left %= ms;
    }
  }
  return out;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const auto n = take_number(text);
    if (!n) return std::nullopt;
    std::size_t letters = 0;
    while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z') ++letters;
    const std::string_view unit = text.substr(0, letters);
    text.remove_prefix(letters);
    std::size_t i = next_unit;
    while (i < kDurationUnits.size() && kDurationUnits[i].first != unit) ++i;
    if (i == kDurationUnits.size()) return std::nullopt;
    next_unit = i + 1;
    std::int64_t part = 0;
    if (__builtin_mul_overflow(*n, kDurationUnits[i].second, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return std::nullopt;
    }
  }
  return Duration{total};
}

std::string human_duration(Duration d) {
  const std::int64_t ms = d.count();
  if (ms < 0) return "-" + human_duration(-d);
  if (ms < 1000) return std::to_string(ms) + " ms";
  if (ms < 60'000) {
    const std::int64_t tenths = ms / 100;
    if (tenths % 10 == 0) return std::to_string(tenths / 10) + " s";
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
  }
  const std::int64_t seconds = ms / 1000;
  if (seconds < 3600) {
    const std::int64_t rest = seconds % 60;
    return std::to_string(seconds / 60) + " min" + (rest != 0 ? " " + two(rest) + " s" : "");
  }
  const std::int64_t minutes = seconds / 60;
  const std::int64_t rest = minutes % 60;
  return std::to_string(minutes / 60) + " h" + (rest != 0 ? " " + two(rest) + " min" : "");
}

std::string format_size(Size s) {
  for (const auto& [unit, bytes] : kSizeUnits) {
    if (s.bytes != 0 && s.bytes % bytes == 0)
      return std::to_string(s.bytes / bytes) + std::string(unit);
  }
  return "0B";
}

std::optional<Size> parse_size(std::string_view text) {
  const auto n = take_number(text);
  if (!n) return std::nullopt;
  for (const auto& [unit, bytes] : kSizeUnits) {
    if (text == unit) {
      std::int64_t total = 0;
      if (__builtin_mul_overflow(*n, bytes, &total)) return std::nullopt;
      return Size{total};
    }
  }
  return std::nullopt;
}

std::string format_time(const Time& t) {
  const date::time_zone* zone = find_zone(t.zone.empty() ? "UTC" : t.zone);
  if (zone == nullptr) return format_rfc3339(t.at);
  std::string out = format_local(zone->to_local(t.at), ' ');
  if (t.at.time_since_epoch() % std::chrono::seconds{1} != Duration{0})
    out += milliseconds_of(t.at);
  return out + " " + (t.zone.empty() ? "UTC" : t.zone);
}

std::optional<Time> parse_time(std::string_view text) {
  const auto parts = parse_local(text);
  if (!parts) return std::nullopt;
  std::string_view rest = parts->rest;
  if (rest == "Z") return Time{Instant{parts->local.time_since_epoch()}, "UTC"};
  if (rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':') {
    const auto hours = digits(rest.substr(1, 2));
    const auto minutes = digits(rest.substr(4, 2));
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    Duration offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
    if (rest[0] == '-') offset = -offset;
    return Time{Instant{parts->local.time_since_epoch() - offset}, "UTC"};
  }
  if (rest.size() < 2 || rest[0] != ' ') return std::nullopt;
  const std::string name(rest.substr(1));
  const date::time_zone* zone = find_zone(name);
  if (zone == nullptr) return std::nullopt;
  try {
    return Time{zone->to_sys(parts->local), name};
  } catch (const std::runtime_error&) {  // the hour that is left out or comes twice
    return std::nullopt;
  }
}

std::string format_rfc3339(Instant t) {
  return format_local(date::local_time<Duration>{t.time_since_epoch()}, 'T') + milliseconds_of(t) +
         "Z";
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
  const auto time = parse_time(text);
  if (!time) return std::nullopt;
  return time->at;
}

std::string format_clock(Instant t, const std::string& zone_name) {
  // Every line of a run begins with this. The zone of the machine is libc's to know: to find it the
  // library of zones lists all that there are (2 ms), and follows /etc/localtime each time anew.
  if (zone_name == "UTC") return format_rfc3339(t).substr(11, 8);
  if (zone_name.empty()) {
    const std::time_t seconds =
        std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(t));
    std::tm local{};
    char text[16];
    if (::localtime_r(&seconds, &local) != nullptr &&
        std::strftime(text, sizeof text, "%H:%M:%S", &local) == 8)
      return text;
  }
  const date::time_zone* zone = find_zone(zone_name);
  if (zone == nullptr) zone = find_zone("UTC");
  if (zone == nullptr) return format_rfc3339(t).substr(11, 8);
  return format_local(zone->to_local(t), ' ').substr(11, 8);
}

}  // namespace cnplay
