// What is said of attempts that fail and are made again: a service that is not up yet says the same
// twenty times.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::report {

class Attempts {
 public:
  explicit Attempts(const plan::Plan& plan) : plan_(plan) {}

  // To be told of all events, in order.
  void on(const events::Event& event);
  // Of the `details` of an action that ended, those to be shown: "" if an attempt before it at the
  // same step has said just that, and another one may follow.
  std::string fresh(const events::ActionEnded& ended, std::string details);

 private:
  using Key = std::pair<plan::NodeId, plan::HostIndex>;
  struct Told {
    std::uint32_t attempt = 1;
    std::string details;
  };

  const plan::Plan& plan_;
  std::map<Key, Told> told_;  // of steps that are at work
};

}  // namespace cnplay::report
