// What may be printed. Texts of a project, of a host, of a record are not ours: a terminal obeys
// what stands in them.
#pragma once

#include <string>
#include <string_view>

namespace cnplay {

// `text` as Untrusted::display() shows it, with the colours that cnplay itself writes left in: of
// escape sequences those alone, and none of them moves a cursor or hides a text.
std::string for_terminal(std::string_view text);

}  // namespace cnplay
