// What the parts of a section (waits, human steps, the window, deadlines, `--step`) may ask of it
// and do to it.
#pragma once

#include <cstdint>

#include "events/event.h"
#include "plan/plan.h"
#include "run/ending.h"
#include "run/graph.h"

namespace cnplay::run {

class SectionControl {
 public:
  virtual events::Part part() const = 0;
  // Nothing more of the section is started.
  virtual bool stopping() const = 0;
  // It is the main section, and it has neither failed nor stopped.
  virtual bool going_forward() const = 0;
  // All of its points have ended.
  virtual bool done() const = 0;

  // Starts a point that was deferred.
  virtual void begin(const Ready& point) = 0;
  virtual void finish(const Ready& point) = 0;
  // The section fails at this node, and stops.
  virtual void fail_at(plan::NodeId node) = 0;
  // The same because this deadline of the plan was missed.
  virtual void miss_deadline(std::uint32_t deadline) = 0;
  // The section stops, and the run ends until somebody resumes it.
  virtual void park(Parked parked) = 0;
  // As if the user had pressed Ctrl-C.
  virtual void abort() = 0;

 protected:
  ~SectionControl() = default;
};

}  // namespace cnplay::run
