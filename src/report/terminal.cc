#include "report/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace cnplay::report {
namespace {

winsize size_of(int fd) {
  winsize size{};
  ::ioctl(fd, TIOCGWINSZ, &size);
  return size;
}

}  // namespace

void SystemTerminal::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // A descriptor that someone made non-blocking, or a screen held by Ctrl-S.
      pollfd waiting{fd_, POLLOUT, 0};
      if (::poll(&waiting, 1, 1000) <= 0) return;
    } else if (errno != EINTR) {
      return;
    }
  }
}

std::size_t SystemTerminal::width() const {
  const auto columns = size_of(fd_).ws_col;
  return columns == 0 ? 80 : columns;
}

std::size_t SystemTerminal::height() const {
  const auto rows = size_of(fd_).ws_row;
  return rows == 0 ? 24 : rows;
}

}  // namespace cnplay::report
