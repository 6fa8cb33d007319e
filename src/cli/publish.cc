#include "cli/publish.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace cnplay::cli {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Error cannot(const std::string& path, const char* what) {
  const int error = errno;
  return fail(path + ": cannot " + what + ": " + std::strerror(error),
              error == ENOENT ? "make its directory first, or name another file with -o"
                              : "name another file with -o");
}

Status write_all(int fd, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cannot(path, "be written");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status write_in_place(const std::string& path, std::string_view bytes) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0) return cannot(path, "be opened");
  return write_all(fd.get(), path, bytes);
}

Status fill(int fd, const std::string& path, std::string_view bytes, mode_t mode) {
  if (::fchmod(fd, mode) != 0) return cannot(path, "be given its permissions");
  if (auto status = write_all(fd, path, bytes); !status) return status;
  if (::fsync(fd) != 0) return cannot(path, "be written to disk");
  return {};
}

}  // namespace

Status publish(const std::string& path, std::string_view bytes) {
  struct stat now {};
  const bool exists = ::stat(path.c_str(), &now) == 0;
  if (exists && S_ISDIR(now.st_mode)) {
    return fail(path + ": is a directory", "name a file in it");
  }
  if (exists && !S_ISREG(now.st_mode)) return write_in_place(path, bytes);
  std::error_code ignored;
  const std::filesystem::path target =
      exists ? std::filesystem::canonical(path, ignored) : std::filesystem::path(path);
  if (target.empty() || target.filename().empty()) {
    return fail(path + ": is no name of a file", "name another file with -o");
  }
  const std::filesystem::path directory =
      target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  std::string fresh = directory / (".cnplay-report.XXXXXX");
  const Descriptor fd(::mkostemp(fresh.data(), O_CLOEXEC));
  if (fd.get() < 0) return cannot(path, "be written");
  Status status = fill(fd.get(), path, bytes, exists ? now.st_mode & 0777 : 0600);
  if (status && ::rename(fresh.c_str(), target.c_str()) != 0) {
    status = cannot(path, "be put in its place");
  }
  if (!status) {
    ::unlink(fresh.c_str());
    return status;
  }
  const Descriptor names(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (names.get() >= 0) ::fsync(names.get());  // a name that is lost with the power is no half file
  return {};
}

}  // namespace cnplay::cli
