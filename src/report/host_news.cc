#include "report/host_news.h"

#include <algorithm>

#include "base/columns.h"
#include "events/about.h"

namespace cnplay::report {

bool HostNews::restarts(plan::HostIndex host) const {
  return std::any_of(restarting_.begin(), restarting_.end(),
                     [&](const auto& task) { return task.second == host; });
}

void HostNews::on(const events::Event& event) {
  if (const auto* started = std::get_if<events::ActionStarted>(&event.what)) {
    const auto& actions = events::actions_of(plan_.node(started->node), started->part);
    if (!actions.at(started->action).reboots.empty()) restarting_[started->task] = started->host;
  } else if (const auto* ended = std::get_if<events::ActionEnded>(&event.what)) {
    restarting_.erase(ended->task);
  } else if (const auto* gone = std::get_if<events::HostUnreachable>(&event.what)) {
    problems_.emplace(gone->host, gone->message);
  }
}

void HostNews::recall(const events::Event& event) {
  if (!std::holds_alternative<events::HostUnreachable>(event.what)) on(event);
}

std::string HostNews::lines(const events::Event& event, const Options& options,
                            std::size_t host_width) const {
  const auto name = [&](plan::HostIndex host) {
    return pad_right(plan_.hosts[host].name, host_width);
  };
  if (const auto* problem = std::get_if<events::PreflightProblem>(&event.what)) {
    if (problem->host && problems_.contains({*problem->host, problem->message})) return "";
  } else if (const auto* broken = std::get_if<events::HostReconnecting>(&event.what)) {
    if (restarts(broken->host)) {
      return name(broken->host) + "  rebooting, as the step asks; waiting for it\n";
    }
  } else if (const auto* back = std::get_if<events::HostReconnected>(&event.what)) {
    if (restarts(back->host)) return name(back->host) + "  back after its reboot\n";
  }
  return event_lines(plan_, event, options, host_width);
}

}  // namespace cnplay::report
