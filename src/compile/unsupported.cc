// What the language has and the run does not carry out yet: refused, never ignored.
#include "compile/builder.h"

namespace cnplay::compile {

bool Builder::unsupported(const syntax::Item& item, const Position&) {
  const auto& node = item.node;
  const auto refuse = [&](std::string code, std::string what, std::string help) {
    context_.error(std::move(code), what + " not supported yet", item.keyword,
                   "cannot be carried out yet", std::move(help));
    return true;
  };
  if (std::holds_alternative<syntax::Rollback>(node)) {
    return refuse("E0902", "rollback plans are",
                  "write the way back as a play of its own, and name it in a `hold \"...\"`");
  }
  if (const auto* n = std::get_if<syntax::Offer>(&node)) {
    if (!rollbacks_.contains(n->rollback.text)) {
      const std::vector<std::string> names(rollbacks_.begin(), rollbacks_.end());
      const std::string near = diag::did_you_mean(n->rollback.text, names);
      context_.error("E0521", "there is no rollback " + code(n->rollback.text), n->rollback.span,
                     "not declared",
                     near.empty() ? "write `hold \"...\"` and name the play that is the way back"
                                  : "did you mean " + code(near) + "?");
    }
    return true;  // the rollback itself was refused where it is declared
  }
  if (std::holds_alternative<syntax::Deadline>(node)) {
    return refuse("E0903", "deadlines are", "give the phase a `budget` and the steps a `timeout`");
  }
  if (std::holds_alternative<syntax::Window>(node)) {
    return refuse("E0903", "windows are", "begin the play with `wait until T, late_by D`");
  }
  return false;
}

}  // namespace cnplay::compile
