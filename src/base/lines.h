// Lines of a text; and texts of hosts and projects inside lines of ours. A newline in such a text
// would begin a line that looks like ours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cnplay {

// Without their newlines. An empty text has none, and a newline at its end begins none.
std::vector<std::string_view> lines_of(std::string_view text);

// Where the last `most` lines of a text begin, or fewer, if these are more than `most_bytes` (but
// one at least). 0: all of it.
std::size_t begin_of_last_lines(std::string_view text, std::size_t most,
                                std::size_t most_bytes = std::string_view::npos);

// As Untrusted::display() shows it, on one line: each newline and tab is a space. At most
// `max_bytes` of it (0: all).
std::string one_line(std::string_view text, std::size_t max_bytes = 0);

// As Untrusted::display() shows it, all lines but the first indented. Newlines at its end are left
// out.
std::string continued(std::string_view text);

}  // namespace cnplay
