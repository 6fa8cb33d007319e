#include "plan/pipeline.h"

#include <algorithm>

#include "plan/eval.h"
#include "plan/host_text.h"

namespace cnplay::plan {
namespace {

bool any(const Column& column, std::optional<std::size_t> host, const auto& predicate) {
  if (column.empty()) return false;
  if (host) return predicate(column.at(*host));
  return std::ranges::any_of(column.values(), predicate);
}

bool is_fact(const Value& value) {
  return reads_fact(value, [](const FactRef&) { return true; });
}
bool not_always(const Value& value) { return value.as<bool>() == nullptr || !*value.as<bool>(); }

bool moves_file(const Action& action) {
  return !action.sends.empty() || !action.sends_tree.empty() || !action.fetches.empty();
}

}  // namespace

std::string decision_between(const Plan& plan, const Place& before, const Place& next,
                             std::optional<std::size_t> host) {
  const Node& node = plan.node(next.node);
  const Action& done = plan.node(before.node).actions[before.action];
  const Action& action = node.actions[next.action];
  if (!node.left_out.empty()) return "the step is left out";
  if (next.action == 0 && !node.made_from.empty()) {
    return "the run checks whether " + hosts_text(plan, node.made_from) + " is still in the run";
  }
  if (action.alone) return "a `check` decides whether there is anything to do";
  if (!done.returns.empty()) return "the facts of `" + done.module + "` are read";
  if (moves_file(done) || moves_file(action)) return "a file is moved";
  if (!done.reboots.empty() || !action.reboots.empty()) return "the host is rebooted";
  if (done.become != action.become) {
    return "it runs as " + (action.become.empty() ? "the login user" : action.become);
  }
  if (next.action == 0 && any(node.when, host, not_always)) return "the step has a `when`";
  if (any(action.when, host, not_always)) return "the action has a `when`";
  if (next.action > 0 && node.timeout) return "the run checks the timeout of the step";
  for (const Param& param : action.params) {
    if (any(param.value, host, is_fact)) return "`" + param.name + "` is a fact";
  }
  return "";
}

}  // namespace cnplay::plan
