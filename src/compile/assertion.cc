// `assert CONDITION, "message"`: decided now if it can be, else a point that the run must pass.
#include "compile/builder.h"

namespace cnplay::compile {

void Builder::assertion(const syntax::Assert& node, const syntax::Item& item,
                        const Position& position) {
  const auto message =
      evaluator_.single(node.message, simple(Kind::string), {"the message of an `assert`", ""});
  const auto holds =
      evaluator_.single(node.condition, simple(Kind::bool_), {"the condition of an `assert`", ""});
  if (!holds || !message) return;
  if (const bool* known = holds->as<bool>()) {
    if (*known || discarded_ > 0) return;
    const auto* text = message->as<std::string>();
    context_.error("E0544", "an assertion does not hold" + (text ? ": " + *text : std::string()),
                   node.condition.span, "is false", "see to it that it holds, then run again");
    return;
  }
  const auto* text = message->as<std::string>();
  barrier(plan::NodeKind::assertion, "(assert)", item.keyword, position,
          text != nullptr ? *text : context_.text(node.condition.span));
  plan::Node& made = context_.plan.nodes.back();
  made.holds = *holds;
  made.if_not = *message;
}

}  // namespace cnplay::compile
