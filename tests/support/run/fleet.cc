#include "support/run/fleet.h"

#include <algorithm>
#include <utility>

namespace cnplay::run::test {

using remote::Ended;
using remote::HostIndex;
using remote::TaskId;
using remote::TaskResult;

namespace {

// Whether the host makes a claim for it: it may change the host.
bool claims(const remote::Task& task) {
  return task.mode == remote::Mode::apply && !task.apply.empty();
}

TaskResult unknown(std::string why) {
  TaskResult result;
  result.ended = Ended::lost;
  result.apply_possible = true;
  result.error = std::move(why);
  return result;
}

}  // namespace

bool Fleet::claim(TaskId task, HostIndex host) {
  if (!claims_.try_emplace(task, Claim{.host = host, .result = std::nullopt}).second) return false;
  ++starts_[task];
  return true;
}

void Fleet::withdraw(TaskId task, HostIndex host) {
  claims_.try_emplace(task, Claim{.host = host, .withdrawn = true, .result = std::nullopt});
}

void Fleet::ended(TaskId task, const TaskResult& result, Duration at) {
  const auto found = claims_.find(task);
  if (found == claims_.end() || found->second.result) return;
  found->second.result = result;
  found->second.over = at;
}

void Fleet::never_came(TaskId task) {
  if (claims_.erase(task) > 0) --starts_[task];
}

const Fleet::Claim* Fleet::find(TaskId task) const {
  const auto found = claims_.find(task);
  return found == claims_.end() ? nullptr : &found->second;
}

void Fleet::forget(HostIndex host) {
  std::erase_if(claims_, [&](const auto& claim) { return claim.second.host == host; });
}

void Fleet::reboot(HostIndex host, Duration now, std::mt19937_64& random) {
  ++boots_.at(host);
  for (auto& [task, claim] : claims_) {
    const bool ran = !claim.result || claim.over > now;
    if (claim.host != host || claim.withdrawn || !ran) continue;
    claim.result = unknown("the host was rebooted");
    claim.over = now;
  }
  std::erase_if(claims_,
                [&](const auto& claim) { return claim.second.host == host && random() % 2 == 0; });
}

std::string Fleet::boot_id(HostIndex host) const {
  return "boot-" + std::to_string(boots_.at(host));
}

int Fleet::starts(TaskId task) const {
  const auto found = starts_.find(task);
  return found == starts_.end() ? 0 : found->second;
}

int Fleet::most_starts() const {
  int most = 0;
  for (const auto& [task, count] : starts_) most = std::max(most, count);
  return most;
}

void FleetHosts::connect_within(HostIndex host, Duration within) {
  doom_.call();
  inner_.connect_within(host, within);
}

void FleetHosts::start(remote::Task task) {
  doom_.call();
  // The kernel may hold it for a while; what follows it waits behind it.
  if (!on_the_way_.empty() || random_() % 4 == 0) return on_the_way_.push_back(std::move(task));
  deliver(std::move(task));
}

void FleetHosts::deliver(remote::Task task) {
  const bool known = claims(task) && fleet_.find(task.id) != nullptr;
  const bool rebooted =
      claims(task) && !task.sent_under.empty() && task.sent_under != fleet_.boot_id(task.host);
  if (rebooted || known) {
    if (task.after != 0) {
      held_.emplace(task.id, std::move(task));
    } else {
      follow(task);
    }
    return;
  }
  if (task.after != 0) ahead_.emplace(task.id, task);
  inner_.start(std::move(task));
  note_starts();
}

// It was claimed before: what became of it is told, once it is over.
void FleetHosts::follow(const remote::Task& task) {
  const Fleet::Claim* claim = fleet_.find(task.id);
  const bool rebooted = !task.sent_under.empty() && task.sent_under != fleet_.boot_id(task.host);
  remote::TaskEnded ended;
  ended.task = task.id;
  ended.host = task.host;
  Duration in{1};
  if (rebooted || claim == nullptr) {
    ended.result = unknown("the host was rebooted");
  } else if (claim->withdrawn) {
    ended.result.ended = Ended::not_started;
  } else if (!claim->result) {
    followed_.emplace(task.id, task);
    return;
  } else {
    ended.result = *claim->result;
    in = std::max(in, claim->over - clock_.steady());
  }
  inner_.tell(in, std::move(ended));
}

// What hosts have begun since the last look.
void FleetHosts::note_starts() {
  for (; noted_ < inner_.started().size(); ++noted_) {
    const remote::Task& task = inner_.started()[noted_].task;
    ahead_.erase(task.id);
    if (!claims(task)) continue;
    fleet_.claim(task.id, task.host);
    at_work_[task.id] = task.host;
  }
}

std::optional<remote::Event> FleetHosts::take(std::optional<remote::Event> event) {
  note_starts();
  if (!event) return event;
  if (auto* ready = std::get_if<remote::HostReady>(&*event)) {
    ready->boot_id = fleet_.boot_id(ready->host);
    connected_.push_back(ready->host);
  } else if (const auto* ended = std::get_if<remote::TaskEnded>(&*event)) {
    if (at_work_.erase(ended->task) > 0) {
      if (ended->result.ended == Ended::not_started) {
        fleet_.never_came(ended->task);
      } else {
        fleet_.ended(ended->task, ended->result, clock_.steady());
      }
    }
    followed_.erase(ended->task);
  } else if (const auto* lost = std::get_if<remote::HostLost>(&*event)) {
    std::erase(connected_, lost->host);
  }
  return event;
}

void FleetHosts::on_record(HostIndex host, TaskId task) {
  doom_.call();
  inner_.on_record(host, task);
}

void FleetHosts::adopt(TaskId task) {
  doom_.call();
  if (const auto held = held_.extract(task)) return follow(held.mapped());
  for (remote::Task& sent : on_the_way_) {
    if (sent.id == task) sent.after = 0;
  }
  inner_.adopt(task);
  note_starts();
}

void FleetHosts::withdraw(TaskId task) {
  doom_.call();
  for (remote::Task& sent : std::exchange(on_the_way_, {})) deliver(std::move(sent));
  if (const auto held = held_.extract(task)) return follow(held.mapped());
  if (const auto ahead = ahead_.extract(task)) {
    if (claims(ahead.mapped())) fleet_.withdraw(task, ahead.mapped().host);
  }
  inner_.withdraw(task);
}

void FleetHosts::cancel(TaskId task) {
  doom_.call();
  if (const auto followed = followed_.extract(task)) {
    remote::TaskEnded ended;
    ended.task = task;
    ended.host = followed.mapped().host;
    ended.result.ended = Ended::cancelled;
    ended.result.apply_possible = true;
    fleet_.ended(task, ended.result, clock_.steady());
    return inner_.tell(Duration{1}, std::move(ended));
  }
  inner_.cancel(task);
}

void FleetHosts::lock(HostIndex host, std::string name, std::string owner) {
  doom_.call();
  inner_.lock(host, std::move(name), std::move(owner));
}

std::optional<remote::Event> FleetHosts::next(Duration wait) {
  doom_.call();
  for (remote::Task& task : std::exchange(on_the_way_, {})) deliver(std::move(task));
  return take(inner_.next(wait));
}

bool FleetHosts::close(Duration within, remote::Traces traces) {
  doom_.call();
  if (traces == remote::Traces::remove) {
    for (const HostIndex host : connected_) fleet_.forget(host);
  }
  return inner_.close(within, traces);
}

void FleetHosts::leave() {
  for (remote::Task& task : std::exchange(on_the_way_, {})) {
    if (task.after == 0 && random_() % 2 == 0) deliver(std::move(task));
  }
  // The host begins nothing more that was sent ahead: its connection is gone.
  for (const auto& [id, task] : std::exchange(ahead_, {})) inner_.withdraw(id);
  constexpr Duration kLong{60'000};
  for (int i = 0; i < 1000 && !at_work_.empty(); ++i) {
    if (!take(inner_.next(kLong))) break;
  }
}

}  // namespace cnplay::run::test
