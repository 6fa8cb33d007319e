// What `env { NAME: "value" }` and `path [...]` of an inventory, a group or a host say.
#pragma once

#include <optional>
#include <vector>

#include "diag/diagnostic.h"
#include "inventory/evaluate.h"
#include "inventory/native.h"

namespace cnplay::inventory {

// Checks them (E0541: a name or a folder that is not allowed; E0606: set twice; E0610: not a value;
// E0618: of a wrong type, or a secret), and keeps what is good. `context`: of one host that they
// are for; types do not depend on which.
void read_environment(const std::vector<syntax::Environment>& variables,
                      const std::vector<syntax::SearchPath>& folders, const HostContext& context,
                      Definition& into, diag::Diagnostics& diags);

}  // namespace cnplay::inventory
