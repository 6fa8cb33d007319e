// The places of `--forks`: at most so many hosts work at once; what is ready on others is queued.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "run/step.h"

namespace cnplay::run {

class HostSlots {
 public:
  // `forks`: more than 0.
  explicit HostSlots(std::uint32_t forks) : forks_(forks) {}

  void add(const Unit& unit);
  // The next unit to start; nullopt: there is none, or it has to wait. `steps`: all that are at
  // work. `is_gone`: whether the unit's host has dropped out.
  std::optional<Unit> next(const Steps& steps, const std::function<bool(const Unit&)>& is_gone);
  bool empty() const { return placed_.empty() && queued_.empty(); }
  // Takes out the units for which `take` holds.
  template <class Take>
  void remove_if(const Take& take) {
    std::erase_if(placed_, take);
    std::erase_if(queued_, take);
  }

 private:
  std::uint32_t forks_;
  std::vector<plan::HostIndex> places_;  // the hosts that have one
  std::deque<Unit> placed_;              // ready, on those
  std::deque<Unit> queued_;              // ready, on others
};

}  // namespace cnplay::run
