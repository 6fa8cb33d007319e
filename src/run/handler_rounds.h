// Rounds of handlers: each host runs the handlers that were notified on it, one after the other,
// and a point of the section may wait until all hosts have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "run/context.h"
#include "run/graph.h"
#include "run/handlers.h"
#include "run/step.h"

namespace cnplay::run {

class HandlerRounds {
 public:
  // What is to run goes to the end of `ready`.
  HandlerRounds(Context& context, std::deque<Unit>& ready) : context_(context), ready_(ready) {}

  // A round that is over.
  struct Over {
    std::optional<Ready> after;  // the point that waited for it
  };
  // Begins a round. nullopt: it is not over yet.
  std::optional<Over> begin(Handlers::Round queues, std::optional<Ready> after);
  // A handler of the round has ended on the host: its next one is ready, if there is one.
  std::optional<Over> next(std::uint32_t round, plan::HostIndex host);
  // The host runs no further handlers of the round: one has failed. next() follows.
  void drop(std::uint32_t round, plan::HostIndex host);
  // Ends all rounds: handlers that have not begun count as notified again.
  void stop(Handlers& handlers);

 private:
  struct State {
    Handlers::Round queues;
    std::size_t hosts_left = 0;
    std::optional<Ready> after;
  };
  std::optional<Over> over(std::uint32_t id);

  Context& context_;
  std::deque<Unit>& ready_;
  std::map<std::uint32_t, State> rounds_;
  std::uint32_t last_ = 0;
};

}  // namespace cnplay::run
