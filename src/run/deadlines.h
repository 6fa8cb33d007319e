// Deadlines: a phase that has not ended in time fails, and the run rolls back.
#pragma once

#include <cstdint>

#include "run/context.h"
#include "run/section_control.h"
#include "run/summary.h"

namespace cnplay::run {

class Deadlines {
 public:
  Deadlines(Context& context, const Summary& summary, SectionControl& section)
      : context_(context), summary_(summary), section_(section) {}

  // A dry run waits for nothing and is never late: it reports the deadlines that a run would have.
  void announce();
  // Fails the section at the first deadline that has passed.
  void check();
  // How long until the next deadline; Duration::max(): there is none.
  Duration until_next() const;

 private:
  bool has_ended(std::uint32_t phase) const;

  Context& context_;
  const Summary& summary_;
  SectionControl& section_;
};

}  // namespace cnplay::run
