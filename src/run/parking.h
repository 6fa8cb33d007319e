// What a parked run tells the person who is to resume it.
#pragma once

#include "events/event.h"
#include "run/context.h"
#include "run/ending.h"

namespace cnplay::run {

// `in_outage`: an outage has begun, and lasts until the run is resumed.
events::RunParked parked_event(const Context& context, const Parked& parked, bool in_outage);

}  // namespace cnplay::run
