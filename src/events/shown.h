// Events as they are shown to people.
#pragma once

#include "events/event.h"

namespace cnplay::events {

// The event with all its texts continued() (base/lines.h): a newline in them, from a host or a
// project, begins no line that looks like one of ours. Advice keeps its lines, and the bytes that a
// host has printed (message, diff, tail) are as they came.
Event shown(Event event);

}  // namespace cnplay::events
