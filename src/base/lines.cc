#include "base/lines.h"

#include "base/text.h"

namespace cnplay {

std::string one_line(std::string_view text, std::size_t max_bytes) {
  std::string out = Untrusted(std::string(text)).display(max_bytes);
  for (char& c : out) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return out;
}

std::string continued(std::string_view text) {
  std::string shown = Untrusted(std::string(text)).display();
  while (shown.ends_with('\n')) shown.pop_back();
  std::string out;
  for (const char c : shown) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out;
}

}  // namespace cnplay
