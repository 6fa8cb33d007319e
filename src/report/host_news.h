// What is printed about a host where something that was printed or begun before changes it: a host
// that a step restarts is expected to go away, and a problem is printed once.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "events/event.h"
#include "plan/plan.h"
#include "report/format.h"

namespace cnplay::report {

class HostNews {
 public:
  explicit HostNews(const plan::Plan& plan) : plan_(plan) {}

  // Every event, in order.
  void on(const events::Event& event);
  // Of what happened before a run was resumed: its problems are printed again.
  void recall(const events::Event& event);
  // As event_lines() (format.h), of the event that on() was called for last.
  std::string lines(const events::Event& event, const Options& options,
                    std::size_t host_width) const;

 private:
  bool restarts(plan::HostIndex host) const;

  const plan::Plan& plan_;
  std::map<std::uint64_t, plan::HostIndex> restarting_;  // by task
  std::set<std::pair<plan::HostIndex, std::string>> problems_;
};

}  // namespace cnplay::report
