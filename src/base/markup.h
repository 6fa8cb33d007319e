// Text in HTML and XML.
#pragma once

#include <string_view>

namespace cnplay {

// What stands for a character in HTML and XML that means something there (`&` `<` `>` `"` `'`);
// "" for every other.
std::string_view entity_of(char c);

}  // namespace cnplay
