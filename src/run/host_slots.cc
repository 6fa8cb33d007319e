#include "run/host_slots.h"

namespace cnplay::run {

void HostSlots::add(const Unit& unit) {
  (std::ranges::find(places_, unit.host) != places_.end() ? placed_ : queued_).push_back(unit);
}

// A host keeps its place until it has nothing to do and another one wants it: what was sent ahead
// may have begun there. So which unit is next does not depend on how many events have been taken at
// once.
std::optional<Unit> HostSlots::next(const Steps& steps,
                                    const std::function<bool(const Unit&)>& is_gone) {
  if (placed_.empty() && !queued_.empty()) {
    // A step that has just ended may lead to the next one of its host.
    if (steps.any_ended()) return std::nullopt;
    const plan::HostIndex host = queued_.front().host;
    // A host that has dropped out takes nobody's place, whenever its turn comes.
    if (is_gone(queued_.front())) {
      const Unit gone = queued_.front();
      queued_.pop_front();
      return gone;
    }
    const auto idle = std::ranges::find_if(
        places_, [&](const plan::HostIndex h) { return h == host || steps.count(h) == 0; });
    if (places_.size() < forks_) {
      places_.push_back(host);
    } else if (idle != places_.end()) {
      *idle = host;
    } else {
      return std::nullopt;
    }
    placed_.push_back(queued_.front());
    queued_.pop_front();
  }
  if (placed_.empty()) return std::nullopt;
  const Unit unit = placed_.front();
  placed_.pop_front();
  return unit;
}

}  // namespace cnplay::run
