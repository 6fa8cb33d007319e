// A file descriptor that is closed with its owner, and writing all of something to one.
#pragma once

#include <string_view>

namespace cnplay {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Goes on after a signal and after a part. False: errno says why not all of it is written.
bool write_all(int fd, std::string_view bytes);

}  // namespace cnplay
