// Text files with values in them. Only the expressions are the language's: so a configuration file
// keeps its own quotes, backslashes and dollars.
#include <string_view>

#include "syntax/parse.h"

namespace cnplay::syntax {
namespace {

// The offset of the `}` that ends the expression which begins at `from`; npos if it does not end on
// its line. Strings in it may hold braces.
std::size_t end_of(std::string_view text, std::size_t from) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = from; i < text.size() && text[i] != '\n'; ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == '{') {
      ++depth;
    } else if (!quoted && c == '}' && depth-- == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

ExprPtr parse_template(const diag::SourceMap::Source& source, diag::Diagnostics& diags) {
  const std::string_view text = source.text;
  const auto at = [&](std::size_t offset) {
    return source.base + static_cast<std::uint32_t>(offset);
  };
  const std::size_t before = diags.errors();
  StringLit out;
  std::string plain;
  std::size_t plain_from = 0;
  const auto end_plain = [&](std::size_t to) {
    if (!plain.empty()) {
      out.parts.push_back({std::move(plain), nullptr, {at(plain_from), at(to)}});
    }
    plain.clear();
  };
  // The expressions alone, each at its own offset, so that what is said of them has its place.
  diag::SourceMap::Source alone{source.name, {}, source.base};
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t dollar = text.find("${", i);
    plain += text.substr(i, dollar - i);
    if (dollar == std::string_view::npos) break;
    if (!plain.empty() && plain.back() == '$' && dollar > 0 && text[dollar - 1] == '$') {
      plain += '{';
      i = dollar + 2;
      continue;
    }
    const std::size_t end = end_of(text, dollar + 2);
    if (end == std::string_view::npos) {
      diags.error("E0006", "an interpolation is never closed",
                  {{at(dollar), at(dollar + 2)}, "opened here"},
                  "it ends on its line with `}`; a `${` of the file's own is written `$${`");
      break;
    }
    const std::string_view inside = text.substr(dollar + 2, end - dollar - 2);
    if (inside.find_first_not_of(" \t") == std::string_view::npos) {
      diags.error("E0007", "an interpolation without a value", {{at(dollar), at(end + 1)}, "empty"},
                  "write a value; a `${` of the file's own is written `$${`");
    } else {
      alone.base = at(dollar + 2);
      alone.text = inside;
      if (auto expr = parse_expression(alone, diags)) {
        end_plain(dollar);
        out.parts.push_back({{}, std::move(expr), {at(dollar), at(end + 1)}});
      }
    }
    i = plain_from = end + 1;
  }
  end_plain(text.size());
  if (diags.errors() != before) return nullptr;
  return std::make_unique<Expr>(Expr{std::move(out), {at(0), at(text.size())}});
}

}  // namespace cnplay::syntax
