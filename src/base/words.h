// Parts of sentences for people: counts, lists, names in backquotes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cnplay {

// "1 host", "3 hosts".
std::string count_of(std::size_t n, std::string_view noun);
// "1 branch", "3 branches".
std::string count_of(std::size_t n, std::string_view one, std::string_view many);

// "web1, web2 and 3 more": at most so many are named.
std::string name_some(const std::vector<std::string>& words, std::size_t at_most = 5);

// `name`
std::string backquoted(std::string_view text);

}  // namespace cnplay
