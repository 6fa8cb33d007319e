// Files that are written for another tool: one diagnostic for the file, instead of one for each of
// its lines.
#include <algorithm>
#include <cctype>
#include <string_view>

#include "syntax/tokens.h"

namespace cnplay::syntax {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return line;
}

// `key:` or `key: value` of YAML, at the beginning of `line`.
bool is_key(std::string_view line) {
  std::size_t i = 0;
  while (i < line.size() && (std::isalnum(static_cast<unsigned char>(line[i])) != 0 ||
                             line[i] == '_' || line[i] == '.' || line[i] == '-')) {
    ++i;
  }
  return i > 0 && i < line.size() && line[i] == ':' && (i + 1 == line.size() || line[i + 1] == ' ');
}

enum class Foreign { no, playbook, yaml_inventory, ini_inventory };

// By the first line that says something.
Foreign kind_of(std::string_view line) {
  if (line == "---" || line.starts_with("--- ")) return Foreign::playbook;
  if (line.starts_with("- ") && is_key(trimmed(line.substr(2)))) return Foreign::playbook;
  if (line.size() > 2 && line.front() == '[' && line.back() == ']') return Foreign::ini_inventory;
  if (line == "all:" || line == "hosts:" || line == "children:") return Foreign::yaml_inventory;
  return Foreign::no;
}

}  // namespace

bool is_foreign(const diag::SourceMap::Source& source, diag::Diagnostics& diags) {
  const std::string_view text = source.text;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view whole = text.substr(begin, end - begin);
    const std::string_view line = trimmed(whole);
    if (!line.empty() && line.front() != '#') {
      const Foreign kind = kind_of(line);
      if (kind == Foreign::no) return false;
      const auto at = source.base + static_cast<std::uint32_t>(line.data() - text.data());
      const diag::Span span{at, at + static_cast<std::uint32_t>(line.size())};
      if (kind == Foreign::playbook) {
        diags.error("E0028", "this file is YAML, such as a playbook of Ansible, and not a play",
                    {span, "YAML begins here"},
                    "write it as a play: `play NAME \"...\" { hosts web = group(\"web\") ... step "
                    "NAME on web { ... } }`; docs/language.md shows one");
      } else {
        diags.error(
            "E0028",
            kind == Foreign::ini_inventory
                ? "this file is an inventory in the INI form of Ansible"
                : "this file is an inventory in YAML, such as those of Ansible",
            {span, "not the form of cnplay"},
            "write it as `inventory NAME { group web { host web1 { address: \"...\" } } }`; "
            "docs/inventory.md describes it");
      }
      return true;
    }
    begin = end + 1;
  }
  return false;
}

}  // namespace cnplay::syntax
