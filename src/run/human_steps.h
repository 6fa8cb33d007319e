// Human steps: asks the person who is there, judges the answers, and parks the run where nobody may
// answer. A human step is a barrier: there is at most one at a time.
#pragma once

#include <optional>
#include <string>

#include "events/event.h"
#include "run/context.h"
#include "run/graph.h"
#include "run/people.h"
#include "run/section_control.h"
#include "run/summary.h"

namespace cnplay::run {

class HumanSteps {
 public:
  HumanSteps(Context& context, Summary& summary, SectionControl& section)
      : context_(context), summary_(summary), section_(section) {}

  // `skipped`: why nobody is asked, because of the hosts that the step is about; "": people are.
  void begin(const Ready& point, const std::string& skipped);
  // Takes what people have answered meanwhile, and ends the step if that or the time says so.
  void check();
  // A human step is open.
  bool open() const { return open_.has_value(); }
  // Nobody is asked any more.
  void stop();
  // How long until the step's time to answer is over; Duration::max(): there is no limit.
  Duration until_timeout() const;

  // How the last human step ended, since forget_last().
  std::optional<events::HumanEnd> last_end() const { return last_end_; }
  void forget_last() { last_end_.reset(); }

 private:
  struct Open {
    Ready point;
    Asked asked;
    Duration since{};
    bool prompting = false;  // the prompter asks
  };
  void skip(const Ready& point);
  void ask();
  void take(events::HumanAnswered answer);
  void end(events::HumanEnd how);
  void park(std::string reason);

  Context& context_;
  Summary& summary_;
  SectionControl& section_;
  std::optional<Open> open_;
  std::optional<events::HumanEnd> last_end_;
};

}  // namespace cnplay::run
