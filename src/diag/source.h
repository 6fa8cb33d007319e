// Sources and positions. A position is four bytes: an offset into all sources laid end to
// end; line and column are found only when a diagnostic is printed.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace cnplay::diag {

// Half-open range of bytes [begin, end) in the SourceMap's address space. {0, 0} is "nowhere":
// the first source begins at 1.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool known() const { return begin != 0; }
  friend bool operator==(const Span&, const Span&) = default;
};

// From the beginning of `a` to the end of `b`; an unknown one yields the other.
Span join(Span a, Span b);

struct Location {
  std::string_view file;
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1, in characters (code points)
};

// Owns the texts that were read. References stay valid as long as the map lives.
class SourceMap {
 public:
  struct Source {
    std::string name;  // as a person should see it: the path they gave, or "modules/git.play"
    std::string text;
    std::uint32_t base = 0;              // the global offset of its first byte
    std::vector<std::uint32_t> lines{};  // where each line begins, in bytes of `text`
    // Code points before each multiple of kStride bytes. With it and `lines` a place in the text
    // is found without reading what comes before it.
    std::vector<std::uint32_t> points{};
    static constexpr std::size_t kStride = 256;

    std::size_t line_of(std::size_t at) const;  // from 0; `at` is at most text.size()
    std::size_t points_before(std::size_t at) const;
  };

  // Adds a text and returns it. All sources together are at most 2 GiB (a larger one throws
  // std::length_error: the readers cap files far below it).
  const Source& add(std::string name, std::string text);

  // The source that holds `span`, or nullptr for an unknown one.
  const Source* find(Span span) const;
  // Where `span` begins. An unknown span gives an empty file name.
  Location locate(Span span) const;
  std::string_view text(Span span) const;

 private:
  std::deque<Source> sources_;
  std::uint32_t next_ = 1;
};

}  // namespace cnplay::diag
