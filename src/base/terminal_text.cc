#include "base/terminal_text.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace cnplay {
namespace {

// Length of a colour of ours at the beginning of `text`; 0: there is none.
std::size_t colour(std::string_view text) {
  static constexpr std::array<std::string_view, 13> kColours = {
      "\x1b[0m",  "\x1b[1m",    "\x1b[2m",    "\x1b[31m",   "\x1b[32m",   "\x1b[33m",  "\x1b[34m",
      "\x1b[36m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1;36m", "\x1b[1;32m"};
  const auto found = std::find_if(kColours.begin(), kColours.end(),
                                  [&](std::string_view one) { return text.starts_with(one); });
  return found == kColours.end() ? 0 : found->size();
}

}  // namespace

std::string for_terminal(std::string_view text) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at = 0; (at = text.find('\x1b', at)) != std::string_view::npos;) {
    const std::size_t length = colour(text.substr(at));
    if (length == 0) {
      ++at;
      continue;
    }
    out += Untrusted(std::string(text.substr(begin, at - begin))).display();
    out += text.substr(at, length);
    at += length;
    begin = at;
  }
  return out + Untrusted(std::string(text.substr(begin))).display();
}

}  // namespace cnplay
