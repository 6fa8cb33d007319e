#include "diag/source.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "diag/work.h"

namespace cnplay::diag {

Span join(Span a, Span b) {
  if (!a.known()) return b;
  if (!b.known()) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

namespace {

bool begins_point(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

std::size_t SourceMap::Source::line_of(std::size_t at) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(lines, at) - lines.begin()) - 1;
}

std::size_t SourceMap::Source::points_before(std::size_t at) const {
  const std::size_t mark = at / kStride;
  const std::string_view rest(text.data() + mark * kStride, at - mark * kStride);
  work += rest.size() + 1;
  return points[mark] + static_cast<std::size_t>(std::ranges::count_if(rest, begins_point));
}

const SourceMap::Source& SourceMap::add(std::string name, std::string text) {
  constexpr std::size_t limit = std::size_t{1} << 31;
  if (text.size() >= limit || next_ + text.size() + 1 >= limit) {
    throw std::length_error("the sources together are larger than 2 GiB");
  }
  const auto size = static_cast<std::uint32_t>(text.size());
  sources_.push_back({std::move(name), std::move(text), next_});
  next_ += size + 1;  // one beyond its end, so that the end of a file is a place of its own
  Source& source = sources_.back();
  source.lines.push_back(0);
  std::uint32_t points = 0;
  for (std::uint32_t i = 0; i < size; ++i) {
    if (i % Source::kStride == 0) source.points.push_back(points);
    if (source.text[i] == '\n') source.lines.push_back(i + 1);
    if (begins_point(source.text[i])) ++points;
  }
  if (size % Source::kStride == 0) source.points.push_back(points);
  return source;
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
  const std::size_t offset = span.begin - source->base;
  const std::size_t line = source->line_of(offset);
  const std::size_t begin = source->lines[line];
  Location at{source->name, static_cast<std::uint32_t>(line + 1), 1};
  at.column +=
      static_cast<std::uint32_t>(source->points_before(offset) - source->points_before(begin));
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
