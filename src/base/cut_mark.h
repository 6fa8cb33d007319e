// What stands for bytes that were left out of a text. Whoever cuts a text that may hold a secret
// says so by this mark, so that redaction takes out what the cut has left of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cnplay {

// "... (N bytes more)".
std::string cut_mark(std::uint64_t left_out);

// The first such mark in a text; `size` is 0, and `at` its end, if there is none.
struct CutMark {
  std::size_t at = 0;
  std::size_t size = 0;
};
CutMark find_cut_mark(std::string_view text);

}  // namespace cnplay
