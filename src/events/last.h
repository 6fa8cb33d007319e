// How a record ends.
#pragma once

#include <vector>

#include "events/event.h"

namespace cnplay::events {

// The event that the run ended, or stopped, with: the last, but for what came of telling people.
// nullptr: there is none.
const Event* last_of(const std::vector<Event>& events);
// The RunEnded that it ends with; nullptr if it goes on, is parked, or was cut off.
const RunEnded* end_of(const std::vector<Event>& events);

}  // namespace cnplay::events
