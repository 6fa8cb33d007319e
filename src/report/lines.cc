#include "report/lines.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "plan/choice.h"
#include "report/excerpt_json.h"
#include "report/format.h"

namespace cnplay::report {
namespace {

using json = nlohmann::ordered_json;

class Lines {
 public:
  void add(const char* type, const json& fields) {
    json line{{"v", 1}, {"type", type}};
    line.update(fields);
    // ASCII: what a host says cannot steer the terminal that the file is looked at with.
    out_ += dump_json(line, -1, JsonCharacters::ascii) + "\n";
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

json ms(const std::optional<Duration>& d) { return d ? json(d->count()) : json(nullptr); }
json at(const std::optional<Instant>& t) { return t ? json(format_rfc3339(*t)) : json(nullptr); }

void run_line(Lines& out, const Account& a) {
  const events::RunStarted& run = *a.started;
  json line{{"run", run.run},
            {"state", name(a.state)},
            {"verdict", a.ended != nullptr ? json(events::name(a.ended->verdict)) : json(nullptr)},
            {"play", run.play},
            {"title", run.title},
            {"inventory", run.inventory},
            {"mode", events::name(run.mode)},
            {"incident", run.incident ? json(*run.incident) : json(nullptr)},
            {"reviewed", run.reviewed ? json(*run.reviewed) : json(nullptr)},
            {"part", plan::chosen_part(*a.plan)},
            {"user", run.user},
            {"controller", run.controller},
            {"began", format_rfc3339(a.began)},
            {"ended", at(a.ended != nullptr ? std::optional(a.until) : std::nullopt)},
            {"took_ms", (a.ended != nullptr ? a.ended->took : took(a, a.began, a.until)).count()},
            {"written", format_rfc3339(a.about.written)},
            {"plan_hash", run.plan_hash},
            {"program_hash", run.program_hash},
            {"plan_matches", !a.other_plan},
            {"advice", a.ended != nullptr ? a.ended->advice : ""}};
  out.add("run", line);
  for (const auto& [when, resume] : a.resumes) {
    const auto& from = resume->from;
    out.add("resume", {{"at", format_rfc3339(when)},
                       {"user", resume->user},
                       {"controller", resume->controller},
                       {"from", from ? json(a.plan->node(*from).path) : json(nullptr)},
                       {"changed", resume->changed ? json(*resume->changed) : json::array()}});
  }
  for (const auto& [when, taken] : a.taken) {
    out.add("taken_up", {{"at", format_rfc3339(when)},
                         {"user", taken->user},
                         {"controller", taken->controller},
                         {"plan_before", taken->before},
                         {"plan_after", taken->after},
                         {"changes", taken->changes}});
  }
  for (const auto& [when, answer] : a.answers) {
    json values = json::object();
    for (const auto& [name, value] : answer->values) values[name] = value.raw();
    out.add("answer", {{"step", a.plan->node(answer->node).path},
                       {"at", format_rfc3339(when)},
                       {"user", answer->user},
                       {"controller", answer->controller},
                       {"by", answer->by},
                       {"yes", answer->yes},
                       {"values", values},
                       {"remark", answer->remark.raw()}});
  }
  for (const auto& [when, closed] : a.closed_windows) {
    const events::WindowAnswered* said =
        a.window_answers.empty() ? nullptr : a.window_answers.front().second;
    out.add("window_closed", {{"at", format_rfc3339(when)},
                              {"until", format_rfc3339(closed->until.at)},
                              {"past_pivot", closed->past_pivot},
                              {"choice", said ? json(events::name(said->choice)) : json(nullptr)},
                              {"user", said ? json(said->user) : json(nullptr)}});
  }
  for (const auto& [when, told] : a.not_told) {
    out.add("not_told", {{"at", format_rfc3339(when)},
                         {"way", told->way},
                         {"where", told->where},
                         {"message", told->message},
                         {"help", told->help}});
  }
  for (const events::PreflightProblem* problem : a.problems) {
    const json host = problem->host ? json(a.plan->hosts[*problem->host].name) : json(nullptr);
    out.add("problem", {{"host", host}, {"message", problem->message}, {"help", problem->help}});
  }
  if (!a.outage) return;
  out.add("outage", {{"took_ms", a.outage->total.count()},
                     {"excluding_testing_ms", a.outage->excluding_testing.count()},
                     {"expect_ms", ms(a.outage->expect)},
                     {"expect_excluding_testing_ms", ms(a.outage->expect_excluding_testing)},
                     {"past_median_ms", ms(a.outage->median)},
                     {"past_worst_ms", ms(a.outage->worst)},
                     {"open", a.outage->open}});
}

json action_json(const Account& a, const Step& step, const ActionRun& action) {
  json out{{"action", action_name(*a.plan, step.node, action.action, step.part)},
           {"where", action_of(*a.plan, step.node, action.action, step.part).where},
           {"began", format_rfc3339(action.from)}};
  if (const events::ActionEnded* end = action.end) {
    out["outcome"] = events::name(end->outcome);
    out["took_ms"] = end->took.count();
    if (end->exit_code) out["exit_code"] = *end->exit_code;
    put(out, "message", excerpt(end->message.raw()));
    if (!end->reason.empty()) out["reason"] = end->reason;
    if (!end->diff.empty()) put(out, "diff", excerpt(end->diff.raw()));
    if (is_bad(end->outcome) && action.output.empty()) put(out, "tail", excerpt(end->tail.raw()));
  } else {
    out["outcome"] = nullptr;
  }
  for (const StageOutput& part : action.output) {
    json one{{"stage", events::name(part.stage)}};
    put(one, "text", part.text);
    out["output"].push_back(std::move(one));
  }
  return out;
}

void step_lines(Lines& out, const Account& a, const Step& step) {
  const std::string& path = a.plan->node(step.node).path;
  out.add("step", {{"step", path},
                   {"title", a.plan->node(step.node).title},
                   {"part", events::name(step.part)},
                   {"test", step.test},
                   {"hosts", step.runs.size()},
                   {"began", format_rfc3339(step.from)},
                   {"ended", at(step.to)},
                   {"expect_ms", ms(step.expect)},
                   {"past_runs", step.past == nullptr ? 0 : step.past->runs},
                   {"past_median_ms", step.past == nullptr ? json() : ms(step.past->median)},
                   {"past_worst_ms", step.past == nullptr ? json() : ms(step.past->worst)},
                   {"took_ms", took(a, step.from, step.to).count()}});
  for (const StepRun& run : step.runs) {
    json actions = json::array();
    for (const ActionRun& action : run.actions) actions.push_back(action_json(a, step, action));
    out.add("result", {{"step", path},
                       {"part", events::name(step.part)},
                       {"host", a.plan->hosts[run.host].name},
                       {"outcome", run.outcome ? json(events::name(*run.outcome)) : json(nullptr)},
                       {"attempts", run.attempts},
                       {"began", format_rfc3339(run.from)},
                       {"ended", at(run.to)},
                       {"took_ms", took(a, run.from, run.to).count()},
                       {"reason", run.reason},
                       {"actions", std::move(actions)}});
  }
}

void host_lines(Lines& out, const Account& a) {
  if (a.ended == nullptr) return;
  for (const events::HostSummary& h : a.ended->hosts) {
    out.add("host", {{"host", a.plan->hosts[h.host].name},
                     {"remote_user", a.hosts[h.host].remote_user},
                     {"reconnects", a.hosts[h.host].reconnects},
                     {"ok", h.ok},
                     {"changed", h.changed},
                     {"skipped", h.skipped},
                     {"failed", h.failed},
                     {"unknown", h.unknown},
                     {"would_change", h.would_change},
                     {"depends", h.depends},
                     {"unreachable", h.unreachable}});
  }
}

}  // namespace

std::string json_lines(const Account& a) {
  Lines out;
  run_line(out, a);
  for (const PhaseRun& phase : a.phases) {
    const plan::Phase& p = a.plan->phases[phase.phase];
    out.add("phase", {{"phase", p.path},
                      {"title", p.title},
                      {"outage", p.outage},
                      {"began", format_rfc3339(phase.from)},
                      {"ended", at(phase.to)},
                      {"complete", phase.complete},
                      {"expect_ms", ms(expected_of(a, p.expect))},
                      {"budget_ms", ms(expected_of(a, p.budget))},
                      {"took_ms", took(a, phase.from, phase.to).count()}});
  }
  for (const Step& step : a.steps) step_lines(out, a, step);
  for (const plan::NodeId node : a.not_begun) {
    json hosts = json::array();
    for (const plan::HostIndex h : a.plan->node(node).hosts) hosts.push_back(a.plan->hosts[h].name);
    out.add("not_begun", {{"step", a.plan->node(node).path},
                          {"expect_ms", ms(expected_of(a, a.plan->node(node).expect))},
                          {"hosts", std::move(hosts)}});
  }
  host_lines(out, a);
  return out.take();
}

}  // namespace cnplay::report
