#include "run/deadlines.h"

#include <algorithm>
#include <optional>
#include <string>

#include "run/conditions.h"

namespace cnplay::run {
namespace {

// nullopt: not known yet. A deadline is in force as soon as all that it reads is known.
std::optional<Time> time_of(const plan::Deadline& deadline, const Context& context) {
  const plan::Environment environment = context.environment();
  const auto value = plan::resolve(deadline.at, 0, environment);
  const Time* time = value ? value->as<Time>() : nullptr;
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace

bool Deadlines::has_ended(std::uint32_t phase) const {
  if (phase == plan::kNone) return section_.done();
  return summary_.has_ended(phase) ||
         condition_of_phases(context_, phase).kind == Condition::Kind::fails;
}

void Deadlines::announce() {
  if (!context_.dry()) return;
  for (const plan::Deadline& deadline : context_.plan.deadlines) {
    const auto at = time_of(deadline, context_);
    const std::string what = deadline.phase == plan::kNone
                                 ? "it"
                                 : "`" + context_.plan.phases[deadline.phase].title + "`";
    context_.emit.notice("a run would run the rollback `" + deadline.rollback + "` if " + what +
                         " had not ended at " +
                         (at ? format_time(*at) : "a time that is not known yet"));
  }
}

void Deadlines::check() {
  if (!section_.going_forward() || context_.dry()) return;
  const auto& deadlines = context_.plan.deadlines;
  const auto path_of = [&](const plan::Deadline& d) {
    return d.phase == plan::kNone ? std::string() : context_.plan.phases[d.phase].path;
  };
  for (std::uint32_t i = 0; i < deadlines.size(); ++i) {
    const plan::Deadline& deadline = deadlines[i];
    if (context_.replay.active()) {
      const auto* passed = context_.replay.deadline_passed();
      if (passed == nullptr || passed->phase != path_of(deadline)) continue;
    } else if (!context_.replay.live()) {
      return;  // the record ends here: first the hosts are what they are now
    }
    if (has_ended(deadline.phase)) continue;
    const auto at = time_of(deadline, context_);
    if (!at || (!context_.replay.active() && context_.clock.now() < at->at)) continue;
    context_.emit(events::DeadlinePassed{path_of(deadline), *at, deadline.rollback});
    return section_.miss_deadline(i);
  }
}

Duration Deadlines::until_next() const {
  Duration wait = Duration::max();
  // During a replay the recorded event decides. In a section that stops no deadline is checked.
  if (context_.replay.active() || context_.dry() || !section_.going_forward()) return wait;
  for (const plan::Deadline& deadline : context_.plan.deadlines) {
    if (has_ended(deadline.phase)) continue;
    const auto at = time_of(deadline, context_);
    if (at) wait = std::min(wait, at->at - context_.clock.now());
  }
  return wait;
}

}  // namespace cnplay::run
