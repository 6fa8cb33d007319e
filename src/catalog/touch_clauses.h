// Inside of catalog/: the clauses that name what a module looks at and changes: `writes dir`,
// `reads requirements`, `touches "service:${name}"`, `reads "package:*"`.
#pragma once

#include <string>
#include <vector>

#include "base/words.h"
#include "catalog/catalog.h"
#include "diag/diagnostic.h"
#include "syntax/ast.h"

namespace cnplay::catalog {

class TouchClauses {
 public:
  explicit TouchClauses(diag::Diagnostics& diags) : diags_(diags) {}

  void read(const syntax::Clause& clause);
  // When all else is known: names the parameters and things in the module.
  void check(Module& module);

 private:
  struct Named {
    syntax::Name name;
    bool writes = false;
  };
  struct Said {
    const syntax::StringLit* thing = nullptr;
    diag::Span span;
    bool touches = false;
  };
  void check_path(Module& module, const Named& named);
  void check_thing(Module& module, const Said& said);

  diag::Diagnostics& diags_;
  std::vector<Named> paths_;
  std::vector<Said> things_;
};

}  // namespace cnplay::catalog
