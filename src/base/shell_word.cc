#include "base/shell_word.h"

#include "base/text.h"

namespace cnplay {

std::string shell_word(std::string_view value) {
  bool bare = !value.empty() && value[0] != '~';
  bool assigns = true;  // `a=b` would be an assignment
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if ((u < 0x20 && c != '\n' && c != '\t') || u == 0x7F) return "";
    const bool in_name =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (c == '=' && assigns) bare = false;
    assigns = assigns && in_name;
    bare = bare && (in_name || std::string_view("-./:@%+,=").find(c) != std::string_view::npos);
  }
  if (bare) return std::string(value);
  const auto quoted = quote(value);
  return quoted ? quoted->str() : "";
}

}  // namespace cnplay
