#include "run/assertion.h"

#include <string>

#include "run/conditions.h"

namespace cnplay::run {

using events::AssertionEnd;

void check_assertion(Context& context, SectionControl& section, const Ready& point) {
  const plan::Node& node = context.plan.node(point.node);
  if (!node.left_out.empty()) {
    context.emit.notice("`" + node.title + "` is left out: " + node.left_out);
    return section.finish(point);
  }
  const Condition condition = condition_of(context, node.holds);
  if (condition.kind == Condition::Kind::holds) {
    context.emit(events::AssertionChecked{point.node, AssertionEnd::holds, ""});
    return section.finish(point);
  }
  const auto known = plan::resolve(node.if_not, 0, context.environment());
  std::string message = known ? plan::text_of(*known).value_or("?") : node.title;
  if (condition.kind == Condition::Kind::depends) {
    context.emit(events::AssertionChecked{point.node, AssertionEnd::depends, std::move(message)});
    return section.finish(point);
  }
  if (condition.kind == Condition::Kind::unknown) {
    message += " (it cannot be evaluated" + condition.why + ")";
  }
  context.emit(events::AssertionChecked{point.node, AssertionEnd::fails, std::move(message)});
  section.fail_at(point.node);
}

}  // namespace cnplay::run
