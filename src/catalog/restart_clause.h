// Inside of catalog/: the clause of a module whose `apply` restarts the host, `reboots timeout`.
#pragma once

#include <optional>

#include "catalog/catalog.h"
#include "diag/diagnostic.h"
#include "syntax/ast.h"

namespace cnplay::catalog {

class RestartClause {
 public:
  explicit RestartClause(diag::Diagnostics& diags) : diags_(diags) {}

  void read(const syntax::Clause& clause);
  // When all else is known: names the parameter in the module.
  void check(Module& module);

 private:
  diag::Diagnostics& diags_;
  std::optional<syntax::Name> name_;
};

}  // namespace cnplay::catalog
