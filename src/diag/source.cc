#include "diag/source.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace cnplay::diag {

Span join(Span a, Span b) {
  if (!a.known()) return b;
  if (!b.known()) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

const SourceMap::Source& SourceMap::add(std::string name, std::string text) {
  constexpr std::size_t limit = std::size_t{1} << 31;
  if (text.size() >= limit || next_ + text.size() + 1 >= limit) {
    throw std::length_error("the sources together are larger than 2 GiB");
  }
  const auto size = static_cast<std::uint32_t>(text.size());
  sources_.push_back({std::move(name), std::move(text), next_});
  next_ += size + 1;  // one beyond its end, so that the end of a file is a place of its own
  return sources_.back();
}

const SourceMap::Source* SourceMap::find(Span span) const {
  if (!span.known()) return nullptr;
  auto after = std::upper_bound(sources_.begin(), sources_.end(), span.begin,
                                [](std::uint32_t at, const Source& s) { return at < s.base; });
  if (after == sources_.begin()) return nullptr;
  const Source& source = *std::prev(after);
  return span.begin <= source.base + source.text.size() ? &source : nullptr;
}

Location SourceMap::locate(Span span) const {
  const Source* source = find(span);
  if (source == nullptr) return {};
  const std::string_view before(source->text.data(), span.begin - source->base);
  const auto line_begin = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  Location at{source->name, 1, 1};
  at.line += static_cast<std::uint32_t>(std::ranges::count(before, '\n'));
  for (const char c : before.substr(line_begin)) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++at.column;
  }
  return at;
}

std::string_view SourceMap::text(Span span) const {
  const Source* source = find(span);
  if (source == nullptr) return {};
  const std::size_t from = span.begin - source->base;
  const std::size_t to = std::min<std::size_t>(span.end - source->base, source->text.size());
  return to <= from ? std::string_view{} : std::string_view(source->text).substr(from, to - from);
}

}  // namespace cnplay::diag
