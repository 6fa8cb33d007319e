// Which handlers were notified on which hosts, and in which phase. Plain bookkeeping.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::run {

class Handlers {
 public:
  using Queue = std::deque<std::pair<plan::NodeId, events::Outcome>>;
  using Round = std::map<plan::HostIndex, Queue>;  // what each host runs, in source order

  explicit Handlers(const plan::Plan& plan) : plan_(plan) {}

  // An action of a node in `phase` changed (or, in a dry run, would change) something on `host`. A
  // handler that is for other hosts is notified on all of those.
  void notify(std::uint32_t phase, plan::NodeId handler, plan::HostIndex host,
              events::Outcome outcome);
  // One that could not be begun after all.
  void put_back(plan::NodeId handler, plan::HostIndex host, events::Outcome outcome);

  // Takes out what was notified in `phase`, or all of it: each handler once per host.
  Round take(std::uint32_t phase);
  Round take_all();
  bool empty() const { return pending_.empty(); }

 private:
  struct Key {
    std::uint32_t phase;
    plan::HostIndex host;
    plan::NodeId handler;
    auto operator<=>(const Key&) const = default;
  };
  void add(Key key, events::Outcome outcome);

  const plan::Plan& plan_;
  std::map<Key, events::Outcome> pending_;
};

}  // namespace cnplay::run
