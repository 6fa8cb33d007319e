// Where a host stands in a node's host set, and so in its columns.
#pragma once

#include <cstddef>

#include "plan/plan.h"

namespace cnplay::run {

// The place of `host` in the node's sorted hosts; it must be there.
std::size_t position_of(const plan::Node& node, plan::HostIndex host);

}  // namespace cnplay::run
