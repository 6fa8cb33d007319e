// Rollbacks, deadlines and the window: what follows from their times.
#include <algorithm>

#include "plan/eval.h"
#include "render/printer.h"

namespace cnplay::render {
namespace {

std::string time_text(const Plan& plan, const Value& value, const std::optional<Time>& now) {
  if (const auto time = time_of(value, now)) return format_time(*time);
  DescribeOptions how;
  how.now = now;
  how.bare = true;
  return describe(value, plan, how);
}

std::string phase_name(const Plan& plan, std::uint32_t phase) {
  return phase == kNone ? "the play" : plan.phases[phase].title;
}

std::string to_the_minute(Instant at, const std::string& zone) {
  return format_time(Time{at, zone}).substr(0, 16) + " " + zone;
}

// "12 min", and that nobody knows better.
std::string length_of(const Schedule& schedule) {
  if (schedule.total.count() == 0) return "duration unknown (no `expect`)";
  std::string text = "takes " + human_duration(schedule.total);
  if (schedule.without_expect != 0) {
    text += " and " + std::to_string(schedule.without_expect) + " steps of unknown duration";
  }
  return text;
}

}  // namespace

std::optional<Time> time_of(const Value& value, const std::optional<Time>& now) {
  const bool reads = reads_fact(value, [](const FactRef&) { return true; });
  if (reads || (value.is_deferred() && !now)) return std::nullopt;
  Environment environment;
  environment.now = now;
  const auto known = resolve(value, 0, environment);
  const Time* time = known ? known->as<Time>() : nullptr;
  return time ? std::optional(*time) : std::nullopt;
}

std::string deadline_text(const Plan& plan, const Deadline& deadline,
                          const std::optional<Time>& now) {
  return "must have ended at " + time_text(plan, deadline.at, now) + ", else the rollback " +
         deadline.rollback + " is begun";
}

std::string window_text(const Plan& plan, const std::optional<Time>& now) {
  return "from " + time_text(plan, plan.window->from, now) + " to " +
         time_text(plan, plan.window->to, now);
}

Schedule way_back(const Plan& plan, const Rollback& rollback) {
  // Its waits are for times of the clock, and nobody knows when it begins.
  return schedule(plan, plan.sections[rollback.section], std::nullopt);
}

std::vector<TimeLine> time_lines(const Plan& plan, const Schedule& main,
                                 const std::optional<Time>& now) {
  std::vector<TimeLine> lines;
  const auto from = plan.window ? time_of(plan.window->from, now) : std::nullopt;
  const auto to = plan.window ? time_of(plan.window->to, now) : std::nullopt;
  if (now && from && to) {
    const bool early = now->at < from->at;
    const Instant end = std::max(now->at, from->at) + main.total;
    const std::string begun = early ? "begun when it opens, the run " : "the run ";
    if (early) {
      lines.push_back({"window",
                       "opens in " + human_duration(from->at - now->at) +
                           ": a run that begins before is refused",
                       true});
    } else if (now->at >= to->at) {
      lines.push_back({"window", "is over: a run is refused", true});
    }
    if (end > to->at) {
      lines.push_back({"window",
                       begun + "does NOT FIT: it is expected to end " +
                           human_duration(end - to->at) + " after the window",
                       true});
    } else {
      lines.push_back(
          {"window", begun + "fits: " + human_duration(to->at - end) + " are left at its end"});
    }
  }
  for (const Deadline& deadline : plan.deadlines) {
    const auto at = time_of(deadline.at, now);
    const auto time = deadline.phase == kNone ? std::optional(Timing{Duration{0}, main.total})
                                              : main.phases[deadline.phase].time;
    const std::string what = phase_name(plan, deadline.phase);
    if (at && now && time) {
      const Instant end = now->at + time->end;
      const bool late = end > at->at;
      lines.push_back({"limit",
                       what + " is expected to end " +
                           human_duration(late ? end - at->at : at->at - end) +
                           (late ? " AFTER its deadline" : " before its deadline"),
                       late});
    }
    const Rollback* way = find_rollback(plan, deadline.rollback);
    if (!at || !to || way == nullptr) continue;
    const Instant back = at->at + way_back(plan, *way).total;
    if (back <= to->at) continue;
    lines.push_back({"limit",
                     "begun at the deadline of " + what + ", " + way->name + " ends " +
                         human_duration(back - to->at) + " after the window",
                     true});
  }
  for (const Rollback& way : plan.rollbacks) {
    const Schedule schedule = way_back(plan, way);
    std::string text = way.name + " " + length_of(schedule);
    if (to) {
      text += ": begun by " + to_the_minute(to->at - schedule.total, to->zone) +
              " it ends within the window";
    }
    lines.push_back({"back", std::move(text)});
  }
  return lines;
}

}  // namespace cnplay::render
