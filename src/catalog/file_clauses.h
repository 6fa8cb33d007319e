// Inside of catalog/: the clauses that name a file which goes to hosts, or comes from them: `sends
// src`, `sends_tree src, exclude`, `renders src`, `fetches src, to`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/words.h"
#include "catalog/catalog.h"
#include "diag/diagnostic.h"
#include "syntax/ast.h"

namespace cnplay::catalog {

class FileClauses {
 public:
  explicit FileClauses(diag::Diagnostics& diags) : diags_(diags) {}

  void read(const syntax::Clause& clause);
  // When all parameters are known: names them in the module.
  void check(Module& module);

 private:
  void check_name(Module& module, const syntax::Name& name, std::string_view type, std::string& to);

  diag::Diagnostics& diags_;
  std::string word_;                 // "": there is none
  std::vector<syntax::Name> names_;  // as many as it takes
};

// What the scripts of a module are given beside its parameters, in each stage.
std::vector<std::string> given_with_files(const Module& module);

}  // namespace cnplay::catalog
