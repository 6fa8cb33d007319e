#include "catalog/restart_clause.h"

#include <algorithm>

namespace cnplay::catalog {

void RestartClause::read(const syntax::Clause& clause) {
  const auto* ref = clause.values.size() == 1
                        ? std::get_if<syntax::NameRef>(&clause.values.front().node)
                        : nullptr;
  if (ref == nullptr || name_) {
    diags_.error("E0416", "`reboots` cannot be understood",
                 {clause.word.span, "not one of its values"},
                 "name the parameter that bounds the reboot, once: `reboots timeout`");
    return;
  }
  name_ = ref->name;
}

void RestartClause::check(Module& module) {
  if (!name_) return;
  const auto param = std::ranges::find(module.params, name_->text, &Param::name);
  const bool fits =
      param != module.params.end() &&
      (param->type == nullptr || (param->type->name.text == "duration" && !param->type->optional));
  if (!fits) {
    diags_.error("E0415", "`" + name_->text + "` is not a duration",
                 {name_->span, "`reboots` asks for it"},
                 "declare it: `param " + name_->text + ": duration = 10m`");
    return;
  }
  if (!module.apply) {
    diags_.error("E0417", "`reboots` without `apply`: nothing would reboot the host",
                 {module.span, "has no `apply`"}, "add `apply`, or take `reboots` away");
  } else if (!module.sends.empty() || !module.sends_tree.empty() || !module.returns.empty() ||
             module.preview) {
    diags_.error("E0417", "a module that reboots its host can do nothing else",
                 {module.span, "sends files, has facts, or a preview"}, "make two modules of it");
  }
  module.reboots = name_->text;
}

}  // namespace cnplay::catalog
