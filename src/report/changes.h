// What a dry run found: each action that a run would, or might, carry out, for programs that watch
// for drift.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"
#include "report/excerpt.h"

namespace cnplay::report {

class Changes final : public events::Sink {
 public:
  explicit Changes(const plan::Plan& plan) : plan_(plan) {}

  void on(const events::Event& event) override;

  // One JSON object, ASCII, in the form that docs/dry-run.md describes. Changes are in the order of
  // the plan's steps, hosts and actions, so the same state of the hosts gives the same list.
  std::string json() const;

 private:
  struct Change {
    events::Outcome outcome{};
    events::Part part{};
    Untrusted message;   // the host's words
    std::string reason;  // ours
    Excerpt diff;
  };
  using Key = std::tuple<plan::NodeId, plan::HostIndex, std::uint32_t>;  // and the action
  struct Problem {
    std::optional<plan::HostIndex> host;
    std::optional<plan::NodeId> step;
    std::string message, help;
  };

  void action_ended(const events::ActionEnded& e);
  void step_ended(const events::StepEnded& e);

  const plan::Plan& plan_;
  std::string run_;  // its id
  std::optional<events::Verdict> verdict_;
  std::map<Key, Change> changes_;
  std::map<std::pair<plan::NodeId, plan::HostIndex>, std::string> failed_;  // the last attempt
  std::vector<Problem> problems_;
};

}  // namespace cnplay::report
