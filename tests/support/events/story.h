// Writes down what happens in a made-up run of a plan, with a clock of its own. Header-only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "events/event.h"

namespace cnplay::testing {

class Story {
 public:
  explicit Story(events::Sink& sink) : sink_(sink) {}

  Instant now = *parse_rfc3339("2026-11-20T21:30:00Z");

  void pass(double seconds) {
    now += Duration{static_cast<std::int64_t>(seconds * 1000)};
    sink_.tick(now);
  }
  template <class E>
  void tell(E e) {
    sink_.on(events::Event{++seq_, now, std::move(e)});
  }
  // Returns the task's number.
  std::uint64_t begin(plan::NodeId node, plan::HostIndex host,
                      events::Part part = events::Part::forward) {
    tell(events::StepStarted{node, host, part, 1});
    tell(events::ActionStarted{node, host, 0, part, ++task_});
    return task_;
  }
  void output(std::uint64_t task, plan::HostIndex host, std::string bytes) {
    tell(events::Output{task, host, events::Stage::apply, events::Stream::out,
                        Untrusted(std::move(bytes))});
  }
  void progress(std::uint64_t task, plan::HostIndex host, double mib, double of_mib) {
    const auto bytes = [](double n) { return static_cast<std::uint64_t>(n * 1024 * 1024); };
    sink_.progress({task, host, bytes(mib), bytes(of_mib)}, now);
  }
  void end(std::uint64_t task, plan::NodeId node, plan::HostIndex host, events::Outcome outcome,
           std::string message = {}, double seconds = 0, std::string tail = {},
           events::Part part = events::Part::forward) {
    events::ActionEnded e;
    e.node = node;
    e.host = host;
    e.part = part;
    e.task = task;
    e.outcome = outcome;
    e.message = Untrusted(std::move(message));
    e.tail = Untrusted(std::move(tail));
    e.took = Duration{static_cast<std::int64_t>(seconds * 1000)};
    tell(std::move(e));
    events::StepEnded step;
    step.node = node;
    step.host = host;
    step.part = part;
    step.outcome = outcome;
    tell(std::move(step));
  }

 private:
  events::Sink& sink_;
  std::uint64_t seq_ = 0;
  std::uint64_t task_ = 0;
};

inline events::RunStarted run_started(const plan::Plan& plan) {
  events::RunStarted e;
  e.run = "20261120-213000-update_code-4f2a";
  e.play = plan.play;
  e.title = plan.title;
  e.inventory = plan.inventory;
  e.user = "kim";
  e.controller = "desk";
  e.plan_hash = std::string(64, 'a');
  e.program_hash = plan.program_hash;
  e.now = *parse_rfc3339("2026-11-20T21:30:00Z");
  for (const auto& host : plan.hosts) e.hosts.push_back(host.name);
  return e;
}

}  // namespace cnplay::testing
