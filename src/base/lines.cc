#include "base/lines.h"

#include <algorithm>

#include "base/text.h"

namespace cnplay {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::size_t begin_of_last_lines(std::string_view text, std::size_t most, std::size_t most_bytes) {
  std::size_t begin = text.ends_with('\n') ? text.size() - 1 : text.size();
  for (std::size_t lines = 0; lines < most; ++lines) {
    const std::size_t newline = begin == 0 ? std::string_view::npos : text.rfind('\n', begin - 1);
    if (newline == std::string_view::npos) return 0;
    if (text.size() - newline > most_bytes && lines > 0) break;
    begin = newline;
  }
  return begin + 1;
}

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
