#include <array>
#include <cstdint>

#include "plan/eval.h"
#include "plan/operators.h"

namespace cnplay::plan {
namespace {

using Arguments = std::span<const Value>;

// Strings may grow by replace() and join(): what a runbook has no use for is refused before it
// takes the machine's memory.
constexpr std::size_t kLongestString = 16U << 20;

Error too_long(const char* function) {
  return fail(std::string("the result of ") + function + "() is longer than 16 MiB");
}

const std::string& text(const Value& v) { return *v.as<std::string>(); }

std::string map_ascii(std::string s, char first, char last, int shift) {
  for (char& c : s) {
    if (c >= first && c <= last) c = static_cast<char>(c + shift);
  }
  return s;
}

// Code points, not bytes: what a person counts.
std::int64_t length_of(const std::string& s) {
  std::int64_t n = 0;
  for (const char c : s) n += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return n;
}

Result<Value> len(Arguments a) {
  if (const auto* list = a[0].as<List>()) return Value(static_cast<std::int64_t>(list->size()));
  return Value(length_of(text(a[0])));
}

Result<Value> join(Arguments a) {
  std::string out;
  for (const Value& item : *a[0].as<List>()) {
    const auto item_text = text_of(item);
    if (!item_text) return fail("join() of a list with " + std::string(type_name(item)));
    if (&item != a[0].as<List>()->data()) out += text(a[1]);
    out += *item_text;
    if (out.size() > kLongestString) return too_long("join");
  }
  return Value(std::move(out));
}

Result<Value> lower(Arguments a) { return Value(map_ascii(text(a[0]), 'A', 'Z', 'a' - 'A')); }
Result<Value> upper(Arguments a) { return Value(map_ascii(text(a[0]), 'a', 'z', 'A' - 'a')); }

Result<Value> replace(Arguments a) {
  const std::string& s = text(a[0]);
  const std::string& from = text(a[1]);
  if (from.empty()) return fail("replace() of an empty string", "name what is to be replaced");
  std::string out;
  std::size_t at = 0;
  for (std::size_t hit; (hit = s.find(from, at)) != std::string::npos; at = hit + from.size()) {
    out.append(s, at, hit - at).append(text(a[2]));
    if (out.size() > kLongestString) return too_long("replace");
  }
  return Value(out.append(s, at));
}

Result<Value> split(Arguments a) {
  const std::string& s = text(a[0]);
  const std::string& separator = text(a[1]);
  if (separator.empty()) return fail("split() at an empty string", "name the separator");
  List out;
  if (s.empty()) return Value(std::move(out));
  std::size_t at = 0;
  for (std::size_t hit; (hit = s.find(separator, at)) != std::string::npos;
       at = hit + separator.size()) {
    out.emplace_back(s.substr(at, hit - at));
  }
  out.emplace_back(s.substr(at));
  return Value(std::move(out));
}

// As the commands of POSIX do it: trailing slashes do not count.
std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Result<Value> basename(Arguments a) {
  const std::string path = without_trailing_slashes(text(a[0]));
  if (path == "/") return Value(path);
  return Value(path.substr(path.rfind('/') + 1));
}

Result<Value> dirname(Arguments a) {
  const std::string path = without_trailing_slashes(text(a[0]));
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return Value(std::string("."));
  return Value(slash == 0 ? std::string("/") : without_trailing_slashes(path.substr(0, slash)));
}

Result<Value> starts_with(Arguments a) { return Value(text(a[0]).starts_with(text(a[1]))); }
Result<Value> ends_with(Arguments a) { return Value(text(a[0]).ends_with(text(a[1]))); }

Result<Value> format_time_in(Arguments a) {
  const std::string& zone = text(a[1]);
  // An unknown zone is found by reading back what was written.
  const std::string out = format_time(Time{a[0].as<Time>()->at, zone});
  if (zone.empty() || !parse_time("2026-01-01 12:00 " + zone)) {
    return fail("no such time zone: `" + zone + "`", "use an IANA name, such as \"Europe/Berlin\"");
  }
  return Value(out);
}

struct Implementation {
  Builtin builtin;
  // One letter an argument: s string, l list, t time, * list or string.
  std::string_view arguments;
  Result<Value> (*function)(Arguments);
};

constexpr std::array<Implementation, 11> kBuiltins{{
    {{"len", "(list|string) -> int"}, "*", len},
    {{"join", "(list, string) -> string"}, "ls", join},
    {{"lower", "(string) -> string"}, "s", lower},
    {{"upper", "(string) -> string"}, "s", upper},
    {{"replace", "(string, string, string) -> string"}, "sss", replace},
    {{"split", "(string, string) -> list<string>"}, "ss", split},
    {{"basename", "(path) -> string"}, "s", basename},
    {{"dirname", "(path) -> path"}, "s", dirname},
    {{"starts_with", "(string, string) -> bool"}, "ss", starts_with},
    {{"ends_with", "(string, string) -> bool"}, "ss", ends_with},
    {{"format_time", "(time, string) -> string"}, "ts", format_time_in},
}};

bool fits(char wanted, const Value& v) {
  switch (wanted) {
    case 's':
      return v.as<std::string>() != nullptr;
    case 'l':
      return v.as<List>() != nullptr;
    case 't':
      return v.as<Time>() != nullptr;
    default:
      return v.as<List>() != nullptr || v.as<std::string>() != nullptr;
  }
}

constexpr std::array<Builtin, kBuiltins.size()> faces() {
  std::array<Builtin, kBuiltins.size()> out{};
  for (std::size_t i = 0; i < kBuiltins.size(); ++i) out[i] = kBuiltins[i].builtin;
  return out;
}
constexpr auto kFaces = faces();

}  // namespace

std::span<const Builtin> builtins() { return kFaces; }

Result<Value> call_builtin(const std::string& name, Arguments arguments) {
  for (const Implementation& candidate : kBuiltins) {
    if (candidate.builtin.name != name) continue;
    bool fit = arguments.size() == candidate.arguments.size();
    std::string got;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      fit = fit && fits(candidate.arguments[i], arguments[i]);
      got += (i != 0 ? ", " : "") + std::string(type_name(arguments[i]));
    }
    if (fit) return candidate.function(arguments);
    return fail(name + std::string(candidate.builtin.signature) + " was called with (" + got + ")");
  }
  return fail("no such function: " + name + "()");
}

}  // namespace cnplay::plan
