// Texts of hosts and projects inside lines of ours. A newline in such a text would begin a line
// that looks like ours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cnplay {

// As Untrusted::display() shows it, on one line: each newline and tab is a space. At most
// `max_bytes` of it (0: all).
std::string one_line(std::string_view text, std::size_t max_bytes = 0);

// As Untrusted::display() shows it, all lines but the first indented. Newlines at its end are left
// out.
std::string continued(std::string_view text);

}  // namespace cnplay
