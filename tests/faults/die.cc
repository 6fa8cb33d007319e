// Preloaded into cnplay by tests/faults: kills it at a chosen write of its record. Nothing of this
// is in the product.
//
// DIE_AT=N: at the N-th write to a file events.jsonl. DIE_HOW: before (nothing of the line is
// written), torn (half of it), after (all of it), synced (at the N-th fdatasync, when that is
// through). DIE_HOW=full kills nobody: from the N-th write on the disk is full, and the last write
// that it takes is torn.
#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

std::atomic<int> writes{0};
std::atomic<int> syncs{0};
std::atomic<bool> full{false};

bool is_record(int fd) {
  std::array<char, 4096> path;
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t n = ::readlink(link.c_str(), path.data(), path.size());
  return n > 0 &&
         std::string_view(path.data(), static_cast<std::size_t>(n)).ends_with("/events.jsonl");
}

bool chosen(const char* how) {
  const char* word = std::getenv("DIE_HOW");
  return word != nullptr && std::string_view(word) == how;
}

bool at(std::atomic<int>& count) {
  const char* number = std::getenv("DIE_AT");
  return ++count == (number == nullptr ? -1 : std::atoi(number));
}

}  // namespace

extern "C" ssize_t write(int fd, const void* bytes, size_t size) {
  using Write = ssize_t (*)(int, const void*, size_t);
  static const auto real = reinterpret_cast<Write>(::dlsym(RTLD_NEXT, "write"));
  if (!is_record(fd)) return real(fd, bytes, size);
  const bool now = at(writes);
  if (chosen("full") && (now || full)) {
    if (!full.exchange(true) && size > 1) return real(fd, bytes, size / 2);
    errno = ENOSPC;
    return -1;
  }
  if (!now) return real(fd, bytes, size);
  if (chosen("before")) std::raise(SIGKILL);
  if (chosen("torn")) {
    real(fd, bytes, size / 2);
    std::raise(SIGKILL);
  }
  const ssize_t n = real(fd, bytes, size);
  if (chosen("after")) std::raise(SIGKILL);
  return n;
}

extern "C" int fdatasync(int fd) {
  using Sync = int (*)(int);
  static const auto real = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, "fdatasync"));
  const int rc = real(fd);
  if (is_record(fd) && at(syncs) && chosen("synced")) std::raise(SIGKILL);
  return rc;
}
