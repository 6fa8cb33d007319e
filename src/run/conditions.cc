#include "run/conditions.h"

#include "events/about.h"

namespace cnplay::run {

using Kind = Condition::Kind;
using events::Outcome;

std::optional<Outcome> outcome_of(const Condition& condition) {
  switch (condition.kind) {
    case Kind::holds:
      return std::nullopt;
    case Kind::fails:
      return Outcome::skipped;
    case Kind::depends:
      return Outcome::depends;
    case Kind::unknown:
      return Outcome::failed;
  }
  return std::nullopt;
}

Condition condition_of(const plan::Value& when, bool depends, plan::HostIndex host,
                       const plan::Environment& environment) {
  if (depends) return {Kind::depends, " reads a fact of a change that was not made"};
  const auto value = plan::resolve(when, host, environment);
  if (!value) return {Kind::unknown, ": " + value.error().what};
  const bool* holds = value->as<bool>();
  if (holds == nullptr) return {Kind::unknown, " is not a bool"};
  if (*holds) return {};
  return {Kind::fails, " does not hold"};
}

Condition condition_of(const Context& context, const plan::Value& when) {
  if (when.is_none()) return {};
  const bool depends = context.dry() && plan::reads_fact(when, [&](const plan::FactRef& ref) {
                         return context.facts.unapplied(ref, ref.host.value_or(0));
                       });
  return condition_of(when, depends, 0, context.environment());
}

Condition condition_of_phases(const Context& context, std::uint32_t phase) {
  if (phase == plan::kNone) return {};
  const plan::Phase& p = context.plan.phases[phase];
  Condition around = condition_of_phases(context, p.parent);
  if (around.kind != Kind::holds) return around;
  Condition own = condition_of(context, p.when);
  if (own.kind != Kind::holds) {
    own.why = std::string(events::kPhaseIsSkipped) + " `" + p.title + "`" + own.why;
  }
  return own;
}

}  // namespace cnplay::run
