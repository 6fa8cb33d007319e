// `assert`: what must hold before the run continues.
#pragma once

#include "run/context.h"
#include "run/graph.h"
#include "run/section_control.h"

namespace cnplay::run {

// Looks at the assertion, records what was found, and finishes the point or fails the section.
void check_assertion(Context& context, SectionControl& section, const Ready& point);

}  // namespace cnplay::run
