#include "run/conditions.h"

#include "events/about.h"
#include "plan/eval.h"

namespace cnplay::run {

Condition condition_of(const Context& context, const plan::Value& when) {
  using Kind = Condition::Kind;
  if (when.is_none()) return {};
  if (context.dry() && plan::reads_fact(when, [&](const plan::FactRef& ref) {
        return context.facts.unapplied(ref, ref.host.value_or(0));
      })) {
    return {Kind::depends, "reads a fact of a change that was not made"};
  }
  const auto value = plan::resolve(when, 0, context.environment());
  if (!value) return {Kind::unknown, value.error().what};
  const bool* holds = value->as<bool>();
  if (holds == nullptr) return {Kind::unknown, "is not a bool"};
  return {*holds ? Kind::holds : Kind::fails, "does not hold"};
}

Condition condition_of_phases(const Context& context, std::uint32_t phase) {
  if (phase == plan::kNone) return {};
  const plan::Phase& p = context.plan.phases[phase];
  Condition around = condition_of_phases(context, p.parent);
  if (around.kind != Condition::Kind::holds) return around;
  Condition own = condition_of(context, p.when);
  own.why = std::string(events::kPhaseIsSkipped) + " `" + p.title + "` " + own.why;
  return own;
}

}  // namespace cnplay::run
