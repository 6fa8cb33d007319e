// The room's own (it shows ANTLR): kinds of tokens, by the order of grammar/CnplayLexer.g4.
#pragma once

#include <CnplayLexer.h>

#include <cstddef>

namespace cnplay::syntax {

inline bool is_reserved(std::size_t type) {
  return type >= grammar::CnplayLexer::TRUE && type <= grammar::CnplayLexer::SH;
}
// A reserved word or a name.
inline bool is_word(std::size_t type) {
  return type >= grammar::CnplayLexer::TRUE && type <= grammar::CnplayLexer::NAME;
}

}  // namespace cnplay::syntax
