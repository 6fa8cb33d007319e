#include "cli/output.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>

#include "base/terminal_text.h"

namespace cnplay::cli {
namespace {

constexpr std::size_t kMostHeld = std::size_t{64} * 1024;

// 0, or what errno says. A descriptor that somebody made non-blocking is waited for.
int write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd waiting{fd, POLLOUT, 0};
      ::poll(&waiting, 1, 1000);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

Error not_written(int error) {
  return fail(std::string("the output could not be written: ") + std::strerror(error),
              "make room, or send it somewhere else; of a run, `cnplay show` prints it again");
}

// Where a text can be cut in two without a difference for for_terminal(): not inside of a character
// or of an escape sequence that has only begun.
std::size_t settled(std::string_view text) {
  std::size_t end = text.size();
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) break;
    if (byte < 0xC0) continue;  // in the middle of one
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    if (length > back) end = text.size() - back;
    break;
  }
  const std::size_t escape = text.rfind('\x1b');
  if (escape != std::string_view::npos && text.size() - escape < 8 &&
      text.find_first_of("m\n", escape) == std::string_view::npos) {
    end = std::min(end, escape);
  }
  if (end > 0 && text[end - 1] == '\r') --end;
  return end;
}

}  // namespace

class Output::Gate final : public std::streambuf {
 public:
  explicit Gate(int fd) : fd_(fd), terminal_(::isatty(fd) == 1) {}

  int error() const { return error_; }
  void flush_all() { give(held_.size()); }

 protected:
  int_type overflow(int_type c) override {
    if (c == traits_type::eof()) return traits_type::not_eof(c);
    const char one = traits_type::to_char_type(c);
    xsputn(&one, 1);
    return c;
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    const std::string_view bytes(text, static_cast<std::size_t>(size));
    held_ += bytes;
    if (held_.size() > kMostHeld || (terminal_ && bytes.find('\n') != std::string_view::npos)) {
      sync();
    }
    return size;
  }
  int sync() override {
    give(settled(held_));
    return error_ == 0 ? 0 : -1;
  }

 private:
  void give(std::size_t bytes) {
    if (error_ == 0) {
      error_ = write_whole(fd_, for_terminal(std::string_view(held_).substr(0, bytes)));
    }
    held_.erase(0, bytes);
  }

  int fd_;
  bool terminal_;
  std::string held_;
  int error_ = 0;  // the first
};

Output::Output()
    : out_(std::make_unique<Gate>(1)),
      err_(std::make_unique<Gate>(2)),
      before_out_(std::cout.rdbuf(out_.get())),
      before_err_(std::cerr.rdbuf(err_.get())) {}

Output::~Output() {
  (void)finish();
  std::cout.rdbuf(before_out_);
  std::cerr.rdbuf(before_err_);
}

Status Output::finish() {
  out_->flush_all();
  err_->flush_all();
  if (out_->error() != 0 && out_->error() != EPIPE) return not_written(out_->error());
  return {};
}

Status Output::exactly(std::string_view bytes) {
  std::cout.flush();
  if (const int error = write_whole(1, bytes); error != 0) return not_written(error);
  return {};
}

}  // namespace cnplay::cli
