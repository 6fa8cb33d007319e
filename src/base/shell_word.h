// Words for a person's shell.
#pragma once

#include <string>
#include <string_view>

namespace cnplay {

// A word that a POSIX shell reads back as `value`: bare if it can be, else quoted. "" if it holds
// control characters other than newline and tab, which no person could read.
std::string shell_word(std::string_view value);

}  // namespace cnplay
