#include "run/handlers.h"

#include <algorithm>
#include <limits>

#include "run/decide.h"

namespace cnplay::run {

void Handlers::notify(std::uint32_t phase, plan::NodeId handler, plan::HostIndex host,
                      events::Outcome outcome) {
  const auto& hosts = plan_.node(handler).hosts;
  if (std::binary_search(hosts.begin(), hosts.end(), host)) {
    add({phase, host, handler}, outcome);
    return;
  }
  for (const plan::HostIndex h : hosts) add({phase, h, handler}, outcome);
}

void Handlers::put_back(plan::NodeId handler, plan::HostIndex host, events::Outcome outcome) {
  add({plan::kNone, host, handler}, outcome);
}

void Handlers::add(Key key, events::Outcome outcome) {
  const auto [it, fresh] = pending_.try_emplace(key, outcome);
  if (!fresh) it->second = worst(it->second, outcome);
}

Handlers::Round Handlers::take(std::uint32_t phase) {
  Round round;
  const auto from = pending_.lower_bound({phase, 0, 0});
  auto to = from;
  for (; to != pending_.end() && to->first.phase == phase; ++to) {
    round[to->first.host].emplace_back(to->first.handler, to->second);
  }
  pending_.erase(from, to);
  return round;
}

Handlers::Round Handlers::take_all() {
  std::map<std::pair<plan::HostIndex, plan::NodeId>, events::Outcome> merged;
  for (const auto& [key, outcome] : pending_) {
    const auto [it, fresh] = merged.try_emplace({key.host, key.handler}, outcome);
    if (!fresh) it->second = worst(it->second, outcome);
  }
  pending_.clear();
  Round round;
  for (const auto& [key, outcome] : merged) round[key.first].emplace_back(key.second, outcome);
  return round;
}

}  // namespace cnplay::run
