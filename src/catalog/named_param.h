// Inside of catalog/: the parameter that a clause of a module names.
#pragma once

#include "catalog/catalog.h"
#include "diag/diagnostic.h"
#include "syntax/ast.h"

namespace cnplay::catalog {

// nullptr, and E0415 with the parameters that there are: the module has none of that name.
const Param* named_param(const Module& module, const syntax::Name& name, diag::Diagnostics& diags);

}  // namespace cnplay::catalog
