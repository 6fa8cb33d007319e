// A step of a rollback where the way forward has not come by: there is nothing to roll back.
#include "run/recall.h"
#include "run/step.h"

namespace cnplay::run {

// The step is skipped if it reads a fact of a step of the way forward that has changed nothing on
// the host, and has told no such fact there. Where something was, or may have been, changed and the
// fact is not on record, the step goes on, and fails for want of it.
std::optional<Steps::Instead> Steps::nothing_to_take_back(const Run& run) const {
  if (run.unit.part != events::Part::rollback) return std::nullopt;
  const plan::Environment known = environment(run);
  std::optional<plan::NodeId> missing;
  const auto look = [&](const plan::Column& column) -> std::optional<plan::Value> {
    if (column.empty()) return std::nullopt;
    const plan::Value& value = column.at(run.position);
    if (auto resolved = plan::resolve(value, run.unit.host, known)) return *std::move(resolved);
    // Which one it is.
    plan::reads_fact(value, [&](const plan::FactRef& ref) {
      if (!missing && of_the_way_forward(context_, ref) && !known.fact(ref, run.unit.host) &&
          !context_.facts.touched(ref, run.unit.host)) {
        missing = ref.node;
      }
      return false;
    });
    return std::nullopt;
  };
  const auto is_false = [](const std::optional<plan::Value>& value) {
    const bool* holds = value ? value->as<bool>() : nullptr;
    return holds != nullptr && !*holds;
  };
  if (is_false(look(run.node->when))) return std::nullopt;
  for (const plan::Action& a : run.node->actions) {
    if (is_false(look(a.when))) continue;
    for (const plan::Param& param : a.params) look(param.value);
  }
  if (!missing) return std::nullopt;
  return Instead{events::Outcome::skipped, "`" + context_.plan.node(*missing).title +
                                               "` has done nothing that could be undone"};
}

}  // namespace cnplay::run
