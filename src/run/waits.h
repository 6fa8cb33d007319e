// Waits for a time of day: `wait until`.
#pragma once

#include <vector>

#include "run/context.h"
#include "run/graph.h"
#include "run/section_control.h"

namespace cnplay::run {

class Waits {
 public:
  Waits(Context& context, SectionControl& section) : context_(context), section_(section) {}

  void begin(const Ready& point);
  // Ends the waits whose time has come: their points finish, or fail for being too late.
  void check();
  bool empty() const { return waits_.empty(); }
  void clear() { waits_.clear(); }
  // The first to end. Not if empty().
  plan::NodeId next_node() const { return next().point.node; }
  Time next_end() const { return next().until; }
  // How long until then; Duration::max() if empty().
  Duration until_next() const;

 private:
  struct Wait {
    Ready point;
    Time until;
    bool late_at_start = false;
  };
  const Wait& next() const;
  void end(const Wait& wait, Instant now, bool recorded);

  Context& context_;
  SectionControl& section_;
  std::vector<Wait> waits_;
};

}  // namespace cnplay::run
