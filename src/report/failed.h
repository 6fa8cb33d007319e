// What a run that failed ends with: what failed, where and why, a line each, and the message of a
// `hold`. By then all that was printed when it happened may be out of sight.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"
#include "report/format.h"

namespace cnplay::report {

class Failed {
 public:
  explicit Failed(const plan::Plan& plan) : plan_(plan) {}

  // Every event, in order, those of a recorded run as well.
  void on(const events::Event& event);
  // At most kShown failures, each on one line of at most two rows of `width` columns (0: as long as
  // it is), and the message of the `hold`. "" if nothing failed.
  std::string lines(const Options& options, std::size_t width) const;

  static constexpr std::size_t kShown = 3;

 private:
  struct Failure {
    plan::NodeId node = 0;
    events::Part part{};
    events::Outcome outcome{};
    std::vector<plan::HostIndex> hosts;  // none: it is a step of people
    std::string why;                     // one line
    std::string where;
  };
  using Key = std::tuple<plan::NodeId, plan::HostIndex, events::Part>;

  void step_ended(const events::StepEnded& e);
  void add(Failure failure);

  const plan::Plan& plan_;
  std::map<Key, events::ActionEnded> last_;  // of steps that are at work: the action that failed
  std::vector<Failure> failures_;
  std::string held_;
};

}  // namespace cnplay::report
