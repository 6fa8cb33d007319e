// Text measured in the columns of a terminal, so that tables line up and lines can be cut without
// breaking a character.
#pragma once

#include <string>
#include <string_view>

namespace cnplay {

// Columns that valid UTF-8 takes: 2 for wide characters (CJK, emoji), 0 for combining ones and
// for terminal escapes of the form ESC [ ... letter.
std::size_t columns_of(std::string_view text);

// At most `columns` wide; what is cut is replaced by "…". Escapes are kept, also those behind the
// cut, so that colours end. A newline or a tab becomes a space.
std::string cut_to(std::string_view text, std::size_t columns);

// With spaces behind (or before) up to `columns`.
std::string pad_right(std::string_view text, std::size_t columns);
std::string pad_left(std::string_view text, std::size_t columns);

}  // namespace cnplay
