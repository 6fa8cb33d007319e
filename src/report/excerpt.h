// Text of which only the beginning and the end are kept: what hosts say has no bound, a report has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cnplay::report {

class Excerpt {
 public:
  // Bytes that are kept of the beginning and of the end.
  static constexpr std::size_t kHead = std::size_t{16} << 10;
  static constexpr std::size_t kTail = std::size_t{48} << 10;

  void add(std::string_view bytes);

  std::uint64_t total() const { return total_; }
  bool empty() const { return total_ == 0; }
  // The whole text if `left_out` is 0. Else head and tail end and begin with whole lines, where
  // there are any, so that neither a character nor an escape sequence is torn.
  std::string_view head() const;
  std::string_view tail() const;
  std::uint64_t left_out() const { return total_ - head().size() - tail().size(); }

 private:
  bool whole() const { return total_ <= kHead + kTail; }

  std::uint64_t total_ = 0;
  std::string head_;
  std::string tail_;  // the last kTail bytes and up to as many before them
};

// The same of a text that is at hand.
Excerpt excerpt(std::string_view text);

}  // namespace cnplay::report
