#include "cli/line_input.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace cnplay::cli {

namespace {
constexpr std::size_t kLongestLine = 64u << 10;
}

void LineInput::begin() {
  ::tcflush(in_, TCIFLUSH);
  typed_.clear();
  over_ = false;
}

std::optional<std::string> LineInput::poll() {
  for (;;) {
    if (const std::size_t end = typed_.find('\n'); end != std::string::npos) {
      std::string line = typed_.substr(0, end);
      typed_.erase(0, end + 1);
      return line;
    }
    pollfd ready{in_, POLLIN, 0};
    if (::poll(&ready, 1, 0) <= 0) return std::nullopt;
    char buffer[4096];
    const ssize_t n = ::read(in_, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || typed_.size() > kLongestLine) {
      over_ = true;
      return std::nullopt;
    }
    typed_.append(buffer, static_cast<std::size_t>(n));
  }
}

}  // namespace cnplay::cli
