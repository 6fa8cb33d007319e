#include "run/undo_log.h"

#include <algorithm>

namespace cnplay::run {

void UndoLog::registered(plan::NodeId node, plan::HostIndex host) {
  if (plan_.node(node).undo.empty()) return;
  const auto [it, fresh] = steps_.try_emplace(node);
  if (fresh) it->second.order = order_++;
  it->second.hosts.try_emplace(host, false);
}

void UndoLog::settled(plan::NodeId node, plan::HostIndex host, bool applied) {
  if (applied) {
    changes_[{node, host}] = plan_.node(node).undo.empty() ? Fate::no_undo : Fate::not_undone;
  }
  const auto it = steps_.find(node);
  if (it == steps_.end()) return;
  const auto of_host = it->second.hosts.find(host);
  if (of_host != it->second.hosts.end()) of_host->second = of_host->second || applied;
}

void UndoLog::changed(plan::NodeId node, plan::HostIndex host) {
  registered(node, host);
  settled(node, host, true);
}

void UndoLog::forget(plan::NodeId node, plan::HostIndex host) {
  const auto it = steps_.find(node);
  if (it != steps_.end()) it->second.hosts.erase(host);
  undone(node, host, true);
}

void UndoLog::undone(plan::NodeId node, plan::HostIndex host, bool well) {
  const auto change = changes_.find({node, host});
  if (change != changes_.end()) change->second = well ? Fate::undone : Fate::undo_failed;
}

bool UndoLog::left_some() const {
  return std::ranges::any_of(changes_,
                             [](const auto& change) { return change.second != Fate::undone; });
}

bool UndoLog::left_all() const {
  return !changes_.empty() && std::ranges::none_of(changes_, [](const auto& change) {
    return change.second == Fate::undone;
  });
}

std::vector<UndoLog::Step> UndoLog::reverse() const {
  std::vector<std::pair<std::size_t, Step>> found;
  for (const auto& [node, entry] : steps_) {
    Step step;
    step.node = node;
    for (const auto& [host, applied] : entry.hosts) {
      if (applied) step.hosts.push_back(host);
    }
    if (!step.hosts.empty()) found.emplace_back(entry.order, std::move(step));
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Step> steps;
  for (auto& [order, step] : found) steps.push_back(std::move(step));
  return steps;
}

}  // namespace cnplay::run
