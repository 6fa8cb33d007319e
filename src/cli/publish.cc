#include "cli/publish.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/descriptor.h"

namespace cnplay::cli {
namespace {

Error cannot(const std::string& path, const char* what) {
  const int error = errno;
  return fail(path + ": cannot " + what + ": " + std::strerror(error),
              error == ENOENT ? "make its directory first, or name another file with -o"
                              : "name another file with -o");
}

Status write_whole(int fd, const std::string& path, std::string_view bytes) {
  if (!write_all(fd, bytes)) return cannot(path, "be written");
  return {};
}

Status write_in_place(const std::string& path, std::string_view bytes) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0) return cannot(path, "be opened");
  return write_whole(fd.get(), path, bytes);
}

Status fill(int fd, const std::string& path, std::string_view bytes, mode_t mode) {
  if (::fchmod(fd, mode) != 0) return cannot(path, "be given its permissions");
  if (auto status = write_whole(fd, path, bytes); !status) return status;
  if (::fsync(fd) != 0) return cannot(path, "be written to disk");
  return {};
}

}  // namespace

Status publish(const std::string& path, std::string_view bytes, Permissions permissions) {
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
    return fail(path + ": not a valid file name", "name another file with -o");
  }
  const std::filesystem::path directory =
      target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  std::string fresh = directory / (".cnplay-report.XXXXXX");
  const Descriptor fd(::mkostemp(fresh.data(), O_CLOEXEC));
  if (fd.get() < 0) return cannot(path, "be written");
  const bool keep = exists && permissions == Permissions::kept;
  Status status = fill(fd.get(), path, bytes, keep ? now.st_mode & 0777 : 0600);
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
