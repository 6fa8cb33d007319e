// What in a text looks like a value and is none: `{{ name }}` and `$name`.
#include <algorithm>
#include <cctype>
#include <string_view>

#include "syntax/builder.h"

namespace cnplay::syntax {
namespace {

bool begins_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool continues_name(char c) {
  return begins_name(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

std::size_t name_length(std::string_view s) {
  if (s.empty() || !begins_name(s[0])) return 0;
  return static_cast<std::size_t>(std::ranges::find_if_not(s, continues_name) - s.begin());
}

// `{{ name }}`, `{{ a.b }}` or `{{ name | filter }}` at the beginning of `s`: its length and the
// name. `{{ .Names }}` and `{{ json .X }}` of Go's templates are none.
struct Braces {
  std::size_t length = 0;
  std::string_view name;
  bool plain = false;  // nothing but a name
};
Braces braces(std::string_view s) {
  const std::size_t close = s.find("}}");
  if (!s.starts_with("{{") || close == std::string_view::npos || close > 200) return {};
  std::string_view inside = s.substr(2, close - 2);
  if (inside.find('\n') != std::string_view::npos) return {};
  while (inside.starts_with(' ')) inside.remove_prefix(1);
  while (inside.ends_with(' ')) inside.remove_suffix(1);
  std::size_t end = name_length(inside);
  if (end == 0) return {};
  while (end + 1 < inside.size() && inside[end] == '.' && begins_name(inside[end + 1])) {
    end += 1 + name_length(inside.substr(end + 1));
  }
  std::string_view rest = inside.substr(end);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (!rest.empty() && rest[0] != '|' && rest[0] != '[') return {};
  return {close + 2, inside.substr(0, end), rest.empty()};
}

}  // namespace

void Builder::look_for_habits(const std::string& written, std::uint32_t at, bool script) {
  const std::string_view s = written;
  for (std::size_t i = 0; i < s.size();) {
    const std::string_view rest = s.substr(i);
    const auto place = at + static_cast<std::uint32_t>(i);
    if (rest[0] == '\\') {
      i += 2;
    } else if (rest.starts_with("${")) {
      i += 2;  // its `}` means nothing to what follows
    } else if (const Braces found = braces(rest); found.length != 0) {
      const std::string name(found.name);
      diag::Diagnostic d;
      d.severity = diag::Severity::warning;
      d.code = "E0703";
      d.summary = "`{{ " + name + " }}` is Jinja, and stays as it is written";
      d.subject = {{place, place + static_cast<std::uint32_t>(found.length)}, "not a value here"};
      if (script) {
        d.help = "pass the value, and let the shell read it: `sh(" +
                 name.substr(name.rfind('.') + 1) + ": " + name + ") \"\"\"... \"$" +
                 name.substr(name.rfind('.') + 1) + "\" ...\"\"\"`";
      } else {
        d.help = "write `${" + name + "}`";
        if (found.plain) d.edits = {{d.subject.span, "${" + name + "}"}};
      }
      diags_.add(std::move(d));
      i += found.length;
    } else if (!script && rest[0] == '$') {
      const std::size_t length = name_length(rest.substr(1));
      if (length != 0) {
        dollar_names_.push_back({std::string(rest.substr(1, length)),
                                 {place, place + 1 + static_cast<std::uint32_t>(length)}});
      }
      i += 1 + length;
    } else {
      ++i;
    }
  }
}

}  // namespace cnplay::syntax
