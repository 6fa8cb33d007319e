// What finding places in sources and showing them has cost in this thread, in bytes looked at: for
// tests that it does not grow with the square of the text.
#pragma once

#include <cstddef>

namespace cnplay::diag {

inline thread_local std::size_t work = 0;

}  // namespace cnplay::diag
