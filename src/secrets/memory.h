// Keeps the memory of secrets from swap, as far as RLIMIT_MEMLOCK allows: a failure is not
// reported, for the value is as usable as before. Secret itself overwrites its memory when it is
// destroyed.
//
// A page stays locked: other values may lie in it. Whoever keeps a value calls this once the value
// has reached the place where it stays: a copy has memory of its own.
#pragma once

#include <string>

#include "base/text.h"

namespace cnplay::secrets {

void keep_from_swap(const std::string& text);
void keep_from_swap(const Secret& value);

}  // namespace cnplay::secrets
