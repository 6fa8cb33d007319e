#include "run/host_resources.h"

#include <algorithm>

namespace cnplay::run {

bool HostResources::is_free(const Host& host, const std::vector<std::string>& uses) {
  return std::ranges::none_of(uses,
                              [&](const std::string& use) { return host.taken.contains(use); });
}

bool HostResources::acquire(StepRunId step, plan::HostIndex index,
                            const std::vector<std::string>& uses) {
  Host& host = hosts_[index];
  if (!is_free(host, uses)) {
    host.waiting.push_back({step, &uses});
    return false;
  }
  host.taken.insert(uses.begin(), uses.end());
  return true;
}

void HostResources::stop_waiting(StepRunId step, plan::HostIndex index) {
  const auto host = hosts_.find(index);
  if (host == hosts_.end()) return;
  std::erase_if(host->second.waiting, [&](const Waiting& w) { return w.step == step; });
}

std::vector<StepRunId> HostResources::release(plan::HostIndex index,
                                              const std::vector<std::string>& uses) {
  Host& host = hosts_[index];
  for (const std::string& use : uses) host.taken.erase(use);
  std::vector<StepRunId> going;
  for (auto w = host.waiting.begin(); w != host.waiting.end();) {
    if (!is_free(host, *w->uses)) {
      ++w;
      continue;
    }
    host.taken.insert(w->uses->begin(), w->uses->end());
    going.push_back(w->step);
    w = host.waiting.erase(w);
  }
  return going;
}

}  // namespace cnplay::run
