#include "catalog/named_param.h"

#include <algorithm>

#include "base/words.h"

namespace cnplay::catalog {

const Param* named_param(const Module& module, const syntax::Name& name, diag::Diagnostics& diags) {
  const auto at = std::ranges::find(module.params, name.text, &Param::name);
  if (at != module.params.end()) return &*at;
  std::vector<std::string> names;
  std::string list;
  for (const Param& param : module.params) {
    names.push_back(param.name);
    list += (list.empty() ? "" : ", ") + param.name;
  }
  const std::string near = diag::did_you_mean(name.text, names);
  diags.error("E0415", backquoted(name.text) + " is not a parameter of this module",
              {name.span, "unknown parameter"},
              near.empty() ? "its parameters are: " + list : "did you mean `" + near + "`?");
  return nullptr;
}

}  // namespace cnplay::catalog
