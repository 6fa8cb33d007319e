// The maintenance window of a run that takes longer than its window. What has begun is left to end;
// before a point of no return nothing more begins until a person has decided.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "events/event.h"
#include "plan/plan.h"
#include "run/context.h"
#include "run/graph.h"
#include "run/section_control.h"

namespace cnplay::run {

class Window {
 public:
  Window(Context& context, SectionControl& section) : context_(context), section_(section) {}

  // Closes the window if its end has come. `past_pivot`: the run has passed a point of no return,
  // so there is nothing to decide. True: it has closed now, and defer() takes what is ready.
  bool close_if_over(bool past_pivot);
  // Whether the point waits for the decision; it is kept until then. What ends a phase does not
  // wait: its handlers belong to what was done.
  bool defer(const Ready& ready);
  // Asks for the decision if something waits for it, and acts on it. To be called when nothing is
  // at work: all that had begun has ended.
  void decide();
  // Whether points wait for the decision.
  bool defers() const { return !deferred_.empty(); }
  // Whether the end of the window may still defer points.
  bool undecided() const { return end() && state_ != State::decided; }
  // Nobody is asked any more.
  void stop();
  // How long until the window ends; Duration::max() if nothing happens then.
  Duration until_end() const;

 private:
  enum class State { open, closed, decided };

  std::optional<Time> end() const;
  Instant steady_now() const;
  void take(events::AtWindow choice);
  void park(std::string reason);

  Context& context_;
  SectionControl& section_;
  State state_ = State::open;
  std::deque<Ready> deferred_;
  std::optional<plan::Node> question_;  // that a person is being asked
  // What the two clocks said at the first look at the window.
  mutable std::optional<std::pair<Instant, Duration>> anchor_;
};

}  // namespace cnplay::run
