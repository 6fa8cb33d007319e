#include "cli/prompter.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace cnplay::cli {

namespace {
constexpr std::size_t kLongestLine = 64u << 10;
}

void TerminalPrompter::write(const std::string& text) const {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(out_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;  // a terminal that is gone: its input is at its end as well
    done += static_cast<std::size_t>(n);
  }
}

void TerminalPrompter::begin(const run::Asked& asked) {
  ::tcflush(in_, TCIFLUSH);
  typed_.clear();
  dialogue_.emplace(asked);
  if (introduce_) write("\n" + asked.node->title + "\n");
  write(dialogue_->prompt());
}

std::optional<run::Prompter::Reply> TerminalPrompter::poll() {
  for (;;) {
    for (std::size_t end; (end = typed_.find('\n')) != std::string::npos;) {
      const std::string line = typed_.substr(0, end);
      typed_.erase(0, end + 1);
      write(dialogue_->take(line));
      if (dialogue_->reply()) return dialogue_->reply();
      write(dialogue_->prompt());
    }
    pollfd ready{in_, POLLIN, 0};
    if (::poll(&ready, 1, 0) <= 0) return std::nullopt;
    char buffer[4096];
    const ssize_t n = ::read(in_, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || typed_.size() > kLongestLine) return Reply{true, {}};
    typed_.append(buffer, static_cast<std::size_t>(n));
  }
}

void TerminalPrompter::end(const std::string& why) {
  if (dialogue_ && !why.empty()) write("\n" + why + "\n");
  dialogue_.reset();
}

}  // namespace cnplay::cli
