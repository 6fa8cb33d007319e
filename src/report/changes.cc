#include "report/changes.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "events/about.h"
#include "report/excerpt_json.h"
#include "report/format.h"

namespace cnplay::report {

using namespace events;

namespace {

using Json = nlohmann::ordered_json;

bool is_change(Outcome outcome) {
  return outcome == Outcome::would_change || outcome == Outcome::would_run ||
         outcome == Outcome::depends;
}

bool is_failure(Outcome outcome) {
  return outcome == Outcome::failed || outcome == Outcome::unknown ||
         outcome == Outcome::unreachable || outcome == Outcome::aborted;
}

}  // namespace

void Changes::on(const Event& event) {
  if (const auto* started = std::get_if<RunStarted>(&event.what)) {
    run_ = started->run;
  } else if (const auto* action = std::get_if<ActionEnded>(&event.what)) {
    action_ended(*action);
  } else if (const auto* step = std::get_if<StepEnded>(&event.what)) {
    step_ended(*step);
  } else if (const auto* host = std::get_if<HostUnreachable>(&event.what)) {
    problems_.push_back({host->host, std::nullopt, host->message, host->help});
  } else if (const auto* lost = std::get_if<HostLost>(&event.what)) {
    problems_.push_back({lost->host, std::nullopt, lost->message, ""});
  } else if (const auto* problem = std::get_if<PreflightProblem>(&event.what)) {
    problems_.push_back({problem->host, std::nullopt, problem->message, problem->help});
  } else if (const auto* ended = std::get_if<RunEnded>(&event.what)) {
    verdict_ = ended->verdict;
  }
}

void Changes::action_ended(const ActionEnded& e) {
  if (is_change(e.outcome)) {
    changes_[{e.node, e.host, e.action}] = {e.outcome, e.part, e.message, e.reason,
                                            excerpt(e.diff.raw())};
  } else if (is_failure(e.outcome)) {
    failed_[{e.node, e.host}] = e.message.empty() ? e.reason : e.message.raw();
  }
}

void Changes::step_ended(const StepEnded& e) {
  if (e.outcome == Outcome::depends) {
    // Its `when` depends: no action was looked at, and each of them might change something.
    const auto first = changes_.lower_bound({e.node, e.host, 0});
    if (first != changes_.end() && std::get<0>(first->first) == e.node &&
        std::get<1>(first->first) == e.host) {
      return;
    }
    const auto actions = actions_of(plan_.node(e.node), e.part).size();
    for (std::uint32_t action = 0; action < actions; ++action) {
      changes_[{e.node, e.host, action}] = {e.outcome, e.part, Untrusted(), e.reason, Excerpt()};
    }
  } else if (is_failure(e.outcome)) {
    const auto found = failed_.find({e.node, e.host});
    problems_.push_back(
        {e.host, e.node, found != failed_.end() ? found->second : e.reason, std::string()});
  }
}

std::string Changes::json() const {
  Json changes = Json::array();
  for (const auto& [key, change] : changes_) {
    const auto& [node, host, action] = key;
    Json one{{"host", plan_.hosts[host].name},
             {"step", plan_.node(node).path},
             {"part", name(change.part)},
             {"action", action_name(plan_, node, action, change.part)},
             {"module", action_of(plan_, node, action, change.part).module},
             {"where", action_of(plan_, node, action, change.part).where},
             {"outcome", name(change.outcome)},
             {"change", change.message.raw()},
             {"reason", change.reason},
             {"diff", nullptr}};
    if (!change.diff.empty()) put(one, "diff", change.diff);
    changes.push_back(std::move(one));
  }
  Json problems = Json::array();
  for (const Problem& problem : problems_) {
    problems.push_back(
        {{"host", problem.host ? Json(plan_.hosts[*problem.host].name) : Json(nullptr)},
         {"step", problem.step ? Json(plan_.node(*problem.step).path) : Json(nullptr)},
         {"message", problem.message},
         {"help", problem.help}});
  }
  const Json all{{"version", 1},
                 {"run", run_},
                 {"play", plan_.play},
                 {"inventory", plan_.inventory},
                 {"verdict", verdict_ ? Json(name(*verdict_)) : Json(nullptr)},
                 {"changes", std::move(changes)},
                 {"problems", std::move(problems)}};
  return dump_json(all, 1, JsonCharacters::ascii);
}

}  // namespace cnplay::report
