#include "run/ahead.h"

#include <algorithm>
#include <utility>

namespace cnplay::run {

void Ahead::add(Sent sent) {
  hosts_.emplace(sent.task, sent.host);
  chains_[sent.host].push_back(std::move(sent));
}

const Ahead::Chain& Ahead::of(plan::HostIndex host) const {
  static const Chain kEmpty;
  const auto it = chains_.find(host);
  return it == chains_.end() ? kEmpty : it->second;
}

std::optional<Ahead::Sent> Ahead::take(const plan::Place& place, plan::HostIndex host) {
  const auto it = chains_.find(host);
  if (it == chains_.end()) return std::nullopt;
  const Sent& first = it->second.front();
  if (first.withdrawn || first.place.node != place.node || first.place.action != place.action) {
    return std::nullopt;
  }
  Sent sent = std::move(it->second.front());
  erase(sent.task);
  return sent;
}

Ahead::Sent* Ahead::find(remote::TaskId task) {
  const auto host = hosts_.find(task);
  if (host == hosts_.end()) return nullptr;
  Chain& chain = chains_.at(host->second);
  const auto it = std::ranges::find(chain, task, &Sent::task);
  return it == chain.end() ? nullptr : &*it;
}

void Ahead::erase(remote::TaskId task) {
  const auto host = hosts_.find(task);
  if (host == hosts_.end()) return;
  Chain& chain = chains_.at(host->second);
  const auto it = std::ranges::find(chain, task, &Sent::task);
  if (it->withdrawn) --withdrawn_;
  chain.erase(it);
  if (chain.empty()) chains_.erase(host->second);
  hosts_.erase(host);
}

std::size_t Ahead::keep(Sent& sent, remote::TaskOutput output) const {
  const std::size_t size = output.bytes.size();
  std::size_t kept = size;
  for (const Sent& each : of(sent.host)) kept += each.kept;
  if (kept > kMostKept) {
    sent.left_out += size;
    return 0;
  }
  sent.kept += size;
  sent.said.emplace_back(std::move(output));
  return size;
}

void Ahead::withdraw(Sent& sent) {
  if (!sent.withdrawn) ++withdrawn_;
  sent.withdrawn = true;
}

std::vector<remote::TaskId> Ahead::withdrawn() const {
  std::vector<remote::TaskId> ids;
  for (const auto& [host, chain] : chains_) {
    for (const Sent& sent : chain) {
      if (sent.withdrawn) ids.push_back(sent.task);
    }
  }
  return ids;
}

bool Ahead::any_withdrawn() const {
  if (withdrawn_ == 0) return false;
  return std::ranges::any_of(chains_, [](const auto& chain) {
    return std::ranges::any_of(chain.second,
                               [](const Sent& sent) { return sent.withdrawn && !sent.earlier; });
  });
}

std::vector<remote::TaskId> Ahead::all() const {
  std::vector<remote::TaskId> ids;
  for (const auto& [host, chain] : chains_) {
    for (const Sent& sent : chain) ids.push_back(sent.task);
  }
  return ids;
}

std::vector<remote::TaskId> Ahead::all(plan::HostIndex host) const {
  std::vector<remote::TaskId> ids;
  for (const Sent& sent : of(host)) ids.push_back(sent.task);
  return ids;
}

}  // namespace cnplay::run
