// The clock as an interface, so that tests own time.
#pragma once

#include "base/units.h"

namespace cnplay {

class Clock {
 public:
  virtual ~Clock() = default;
  // The wall clock; it may jump.
  virtual Instant now() const = 0;
  // A clock that never goes back, from an arbitrary beginning. Measure with this one.
  virtual Duration steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  Duration steady() const override;
};

}  // namespace cnplay
