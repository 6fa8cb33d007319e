// The syntax tree as text, for golden files: one line for a statement, expressions as
// s-expressions. Also looks at every span on the way: one that does not lie in the source is
// printed as `!span`, a name that is not the text of its span (right only after a mistake) as
// `!name`.
#pragma once

#include <string>

#include "diag/source.h"
#include "syntax/ast.h"

namespace cnplay::testing {

std::string dump(const syntax::File& file, const diag::SourceMap& sources);
std::string dump(const syntax::Expr& expr, const diag::SourceMap& sources);

}  // namespace cnplay::testing
