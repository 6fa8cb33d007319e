#include "compile/holes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace cnplay::compile {
namespace {

// Complaints that something is missing: it may stand in what was left out.
bool is_about_absence(std::string_view code) {
  static constexpr std::array<std::string_view, 9> codes{
      "E0110", "E0501", "E0508", "E0515", "E0517", "E0518", "E0519", "E0527", "E0529"};
  return std::ranges::find(codes, code) != codes.end();
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

Holes::Holes(const diag::Diagnostics& before) {
  if (!before.has_errors()) return;
  for (const diag::Diagnostic& d : before.sorted()) {
    any_ = any_ || d.code.starts_with("E00");
  }
}

void Holes::add(const syntax::File& file) {
  any_ = any_ || file.broken;
  words_.insert(file.broken_words.begin(), file.broken_words.end());
  spans_.insert(spans_.end(), file.broken_spans.begin(), file.broken_spans.end());
}

bool Holes::explain(const diag::Diagnostic& d, const diag::SourceMap& sources) const {
  if (!any_ || d.code.starts_with("E00")) return false;
  if (is_about_absence(d.code)) return true;
  const diag::Span at = d.subject.span;
  if (std::ranges::any_of(spans_,
                          [&](diag::Span s) { return s.begin <= at.begin && at.begin < s.end; })) {
    return true;
  }
  // A module of a file that could not be read.
  if (d.code == "E0401" && words_.empty()) return true;
  const std::string_view text = sources.text(at);
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > i && words_.contains(std::string(text.substr(i, end - i)))) return true;
    i = end + 1;
  }
  return false;
}

}  // namespace cnplay::compile
