#include "cli/ask.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/text.h"

namespace cnplay::cli {

bool somebody_is_there() { return ::isatty(0) == 1 && ::isatty(2) == 1; }

std::optional<std::string> ask_line(const std::string& question) {
  std::cerr << question << " " << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) return std::nullopt;
  return answer;
}

bool ask_yes_no(const std::string& question) {
  const auto answer = ask_line(question + " [y/N]");
  return answer && (*answer == "y" || *answer == "yes");
}

bool say_yes(const std::string& question) {
  std::cerr << question << " [y/N] yes (-y)" << std::endl;
  return true;
}

Result<std::string> read_ticket(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) {
    return fail("no ticket was given for the incident", "such as --incident INC-1234");
  }
  const std::string ticket = text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
  constexpr std::size_t kLongest = 200;
  const bool plain =
      std::ranges::none_of(ticket, [](unsigned char c) { return c < 32 || c == 127; });
  if (!plain || ticket.size() > kLongest || to_valid_utf8(ticket) != ticket) {
    return fail("not a valid ticket: " + Untrusted(ticket).display(kLongest),
                "one line of text, at most 200 bytes");
  }
  return ticket;
}

}  // namespace cnplay::cli
