#include "remote/host_traces.h"

#include "remote/request.h"

namespace cnplay::remote {

void HostTraces::claimed(const std::string& name, const std::string& user, TaskId task) {
  users_.insert(user);
  Spool& spool = spools_[name];
  spool.user = user;
  spool.tasks.insert(task);
}

void HostTraces::recorded(const std::vector<TaskId>& tasks) {
  for (const TaskId id : tasks) {
    for (auto& [name, spool] : spools_) spool.tasks.erase(id);
  }
}

void HostTraces::shell_gone(const std::string& name) {
  if (const auto spool = spools_.find(name); spool != spools_.end()) spool->second.closed = true;
}

void HostTraces::all_shells_gone() {
  for (auto& [name, spool] : spools_) spool.closed = true;
}

std::string HostTraces::remove_old(const std::string& user) {
  std::string lines;
  std::erase_if(spools_, [&](const auto& entry) {
    const Spool& spool = entry.second;
    if (!spool.closed || !spool.tasks.empty() || spool.user != user) return false;
    lines += make_removal(entry.first);
    return true;
  });
  return lines;
}

std::optional<std::string> HostTraces::next_user() {
  std::erase_if(users_, [&](const std::string& user) { return kept_.contains(user); });
  return users_.empty() ? std::nullopt : std::optional(*users_.begin());
}

}  // namespace cnplay::remote
