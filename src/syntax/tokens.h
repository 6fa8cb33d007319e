// The room's own: tokens as the parser gets them, made by lex.cc. Types are those of the generated
// CnplayLexer, kept as numbers so that this header does not show ANTLR.
//
// NOTE, how the three odd things are read:
// - Interpolation: `${` in a text pushes the lexer's default mode, the `}` that balances it pops
//   it; braces of records inside do not. An interpolation ends on its line.
// - Newlines: a NEWLINE token ends each statement, field and entry, also the last one before a
//   `}`. None is made inside `( )` and `[ ]`, before `{` and `else`, after `{` and `,`, nor in a
//   header (`step ...` up to its `{`) before a modifier or a title.
// - `%`: directly after digits it makes a percent (`25%`), unless an operand stands directly after
//   it (`10%3`, `10%x`, `10%(n)`): then it is the remainder, as it is in `10 % 3`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "diag/diagnostic.h"
#include "diag/source.h"

namespace cnplay::syntax {

struct Token {
  std::size_t type = 0;
  std::uint32_t begin = 0;  // bytes in the source's text; an inserted token has begin == end
  std::uint32_t end = 0;
  std::uint32_t statement = 0;  // which statement it belongs to, for "one diagnostic each"
};

struct TokenList {
  std::vector<Token> tokens;  // brackets balanced; the last one is the end of the file
  // Per statement: something was said about it already.
  std::vector<bool> reported;
};

// What lexing, parsing and recovery have done in this thread, in looks at tokens: for tests that it
// grows no faster than the text.
inline thread_local std::size_t work = 0;

// Reads the tokens of one source; what is wrong with characters, texts and brackets goes to
// `diags`. `text` is source.text made valid (see clean()), of the same length.
TokenList lex(const diag::SourceMap::Source& source, const std::string& text,
              diag::Diagnostics& diags);

// The source's text with bytes that are no UTF-8, NUL bytes and a byte order mark replaced by
// spaces or `?`, so that all offsets stay; says what was wrong.
std::string clean(const diag::SourceMap::Source& source, diag::Diagnostics& diags);

// Whether the file is written for another tool, by its first line; says so.
bool is_foreign(const diag::SourceMap::Source& source, diag::Diagnostics& diags);

// The second pass of lex(): newlines, percents, and which words are mere names. `said` holds the
// offsets (in the text) of what the first pass complained about.
TokenList shape(const diag::SourceMap::Source& source, const std::string& text,
                const std::vector<Token>& raw, const std::vector<std::uint32_t>& said,
                diag::Diagnostics& diags);

// Brackets, operators and the like may nest this deep, the parser's stack being finite.
inline constexpr std::size_t max_nesting = 200;
inline constexpr std::size_t max_operators = 500;  // in one expression

}  // namespace cnplay::syntax
