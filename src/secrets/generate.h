// New secrets, made of the system's randomness.
#pragma once

#include <cstddef>

#include "base/text.h"

namespace cnplay::secrets {

inline constexpr std::size_t kShortestGenerated = 8;
inline constexpr std::size_t kLongestGenerated = 1024;

// `length` characters, each of A-Z, a-z and 0-9 with equal chance (5.95 bits each): safe to write
// in any file and on any command line without quotes. `length` is of the range above.
Secret generate_secret(std::size_t length);

}  // namespace cnplay::secrets
