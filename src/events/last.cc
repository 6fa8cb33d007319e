#include "events/last.h"

#include <algorithm>

namespace cnplay::events {

const Event* last_of(const std::vector<Event>& events) {
  const auto last = std::find_if(events.rbegin(), events.rend(), [](const Event& event) {
    return !std::holds_alternative<NotificationFailed>(event.what);
  });
  return last == events.rend() ? nullptr : &*last;
}

const RunEnded* end_of(const std::vector<Event>& events) {
  const Event* last = last_of(events);
  return last == nullptr ? nullptr : std::get_if<RunEnded>(&last->what);
}

}  // namespace cnplay::events
