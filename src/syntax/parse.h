// Characters to syntax tree. ANTLR4 lives behind this header; nothing of it shows.
//
// NOTE, what a reader of the tree should know of the tokens (the whole is in tokens.h): a `${`
// ends on its line; a newline ends each statement and field, but means nothing in `( )` and `[ ]`,
// before `{` and `else`, after `,`, and in a header before a modifier; `25%` is a percent and
// `10%3` a remainder, as is every `%` with a space before it.
#pragma once

#include "diag/diagnostic.h"
#include "diag/source.h"
#include "syntax/ast.h"

namespace cnplay::syntax {

// Parses one source (of any kind: plays, procedures, modules, inventories). Adds a diagnostic
// for each syntax error (codes E00xx) and returns what could be understood: after errors the
// tree may lack parts, so its user must look at `diags.has_errors()` before it complains of
// things that are missing. Never throws on any input. Thread-safe for different sources.
File parse(const diag::SourceMap::Source& source, diag::Diagnostics& diags);

// Parses one expression on its own (the value of `-e name=...` when its type is not text).
// nullptr after an error, which is in `diags`.
ExprPtr parse_expression(const diag::SourceMap::Source& source, diag::Diagnostics& diags);

// Parses a text file as a text with values in it: `${expression}` stands for its value, `$${` for
// `${`; all else is as it is written, quotes and backslashes too. The result is a StringLit,
// nullptr after an error, which is in `diags`.
ExprPtr parse_template(const diag::SourceMap::Source& source, diag::Diagnostics& diags);

}  // namespace cnplay::syntax
