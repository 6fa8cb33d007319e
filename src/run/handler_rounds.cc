#include "run/handler_rounds.h"

#include <utility>
#include <vector>

namespace cnplay::run {

std::optional<HandlerRounds::Over> HandlerRounds::begin(Handlers::Round queues,
                                                        std::optional<Ready> after) {
  const std::uint32_t id = ++last_;
  State& round = rounds_[id];
  round.queues = std::move(queues);
  round.hosts_left = round.queues.size();
  round.after = after;
  if (round.queues.empty()) return over(id);
  std::vector<plan::HostIndex> hosts;
  for (const auto& [host, queue] : round.queues) hosts.push_back(host);
  std::optional<Over> ended;
  for (const plan::HostIndex host : hosts) ended = next(id, host);
  return ended;
}

std::optional<HandlerRounds::Over> HandlerRounds::next(std::uint32_t id, plan::HostIndex host) {
  const auto it = rounds_.find(id);
  if (it == rounds_.end()) return std::nullopt;  // the run has stopped meanwhile
  State& round = it->second;
  Handlers::Queue& queue = round.queues[host];
  if (!context_.hosts[host].connected) {
    for (const auto& [handler, outcome] : queue) {
      context_.emit.notice("the handler `" + context_.plan.node(handler).title +
                           "` cannot run on " + context_.name(host) + ": there is no connection");
    }
    queue.clear();
  }
  if (queue.empty()) return --round.hosts_left == 0 ? over(id) : std::nullopt;
  const auto [handler, outcome] = queue.front();
  queue.pop_front();
  Unit unit;
  unit.node = handler;
  unit.host = host;
  unit.part = events::Part::handler;
  unit.round = id;
  if (context_.dry()) {
    unit.instead = outcome == events::Outcome::depends ? outcome : events::Outcome::would_run;
  }
  ready_.push_back(unit);
  return std::nullopt;
}

std::optional<HandlerRounds::Over> HandlerRounds::over(std::uint32_t id) {
  const Over ended{rounds_.at(id).after};
  rounds_.erase(id);
  return ended;
}

void HandlerRounds::drop(std::uint32_t id, plan::HostIndex host) {
  if (const auto it = rounds_.find(id); it != rounds_.end()) it->second.queues[host].clear();
}

void HandlerRounds::stop(Handlers& handlers) {
  for (const auto& [id, round] : rounds_) {
    for (const auto& [host, queue] : round.queues) {
      for (const auto& [handler, outcome] : queue) handlers.put_back(handler, host, outcome);
    }
  }
  rounds_.clear();
}

}  // namespace cnplay::run
