// How scripts on hosts are given values that have more than one way to be written.
#pragma once

#include <string>

#include "base/units.h"

namespace cnplay::plan {

// Whole seconds, rounded up.
std::string script_text(Duration duration);
// In UTC, without a fraction: 2026-12-01T22:00:00Z.
std::string script_text(const Time& time);

}  // namespace cnplay::plan
