#include "base/words.h"

namespace cnplay {

std::string count_of(std::size_t n, std::string_view noun) {
  return count_of(n, noun, std::string(noun) + "s");
}

std::string count_of(std::size_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

std::string name_some(const std::vector<std::string>& words, std::size_t at_most) {
  std::string out;
  for (std::size_t i = 0; i < words.size() && i < at_most; ++i) {
    out += (i == 0 ? "" : ", ") + words[i];
  }
  if (words.size() > at_most) out += " and " + std::to_string(words.size() - at_most) + " more";
  return out;
}

std::string backquoted(std::string_view text) { return "`" + std::string(text) + "`"; }

}  // namespace cnplay
