// One step on one host while it is carried out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"
#include "remote/remote.h"

namespace cnplay::run {

// A step on one host, in one part of the run.
struct Unit {
  plan::NodeId node = 0;
  plan::HostIndex host = 0;
  events::Part part = events::Part::forward;
  // Dry run, a handler: how it is reported without being looked at (would_run, depends).
  std::optional<events::Outcome> instead;
  std::uint32_t round = 0;  // a handler: the round it belongs to
  std::string left_out;     // why it is not carried out; "": it is
};

struct StepEnd {
  Unit unit;
  events::Outcome outcome{};
  std::string reason;
  Duration started{};  // steady
  Duration ended{};
  // Handlers that its actions notified: what changed, or would.
  std::vector<std::pair<plan::NodeId, events::Outcome>> notified;
};

using StepRunId = std::uint64_t;

// The state machine of a step: Steps moves it on.
struct StepRun {
  enum class State { running, pausing, queueing };

  StepRunId id = 0;
  Unit unit;
  const plan::Node* node = nullptr;
  const std::vector<plan::Action>* actions = nullptr;
  std::size_t position = 0;  // of the host in node->hosts
  State state = State::running;
  std::uint32_t attempt = 1;
  std::uint32_t looks = 0;  // of these: to see what had become of an attempt that was lost
  std::uint32_t action = 0;
  events::Outcome total = events::Outcome::skipped;
  events::Outcome failure{};  // of the last attempt
  std::string reason;
  Duration started{};
  Duration action_started{};
  std::optional<Duration> deadline;  // of this attempt, steady
  std::uint64_t timer = 0;           // serial of the one that counts
  remote::TaskId task = 0;
  std::uint64_t output = 0;  // bytes that the task has said
  bool sent_ahead = false;
  bool applying = false;  // registered for undo because of this task
  bool cancelled = false;
  bool overdue = false;              // cancelled because it ran past its timeout
  bool holds = false;                // the resources of the current action
  std::vector<std::string> written;  // dry run: paths that the current action would change
  std::vector<std::pair<plan::NodeId, events::Outcome>> notified;

  const plan::Action& current() const { return (*actions)[action]; }
};

// What stands in a task's place where none is started.
struct Instead {
  events::Outcome outcome{};
  std::string reason;
};

}  // namespace cnplay::run
