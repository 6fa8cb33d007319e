#include "cli/local_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/digest.h"

namespace cnplay::cli {
namespace {

Result<compile::Input::LocalFile> read(const std::string& path) {
  // A fifo would wait for its writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail(path + ": " + std::strerror(errno));
  struct stat info {};
  compile::Input::LocalFile file;
  file.path = path;
  std::string problem;
  if (::fstat(fd, &info) != 0) problem = std::strerror(errno);
  if (problem.empty() && !S_ISREG(info.st_mode)) problem = "is not a regular file";
  file.mode = info.st_mode & 0777U;
  Sha256 digest;
  std::array<char, 256 * 1024> piece;
  while (problem.empty()) {
    const ssize_t n = ::read(fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) problem = std::strerror(errno);
    if (n <= 0) break;
    digest.add(std::string_view(piece.data(), static_cast<std::size_t>(n)));
    file.size += static_cast<std::uint64_t>(n);
    // A small one is at its end now, and need not be asked once more.
    if (static_cast<std::size_t>(n) < piece.size() &&
        file.size == static_cast<std::uint64_t>(info.st_size)) {
      break;
    }
  }
  ::close(fd);
  if (!problem.empty()) return fail(path + ": " + problem);
  file.sha256 = digest.hex();
  return file;
}

}  // namespace

Result<compile::Input::LocalFile> read_local_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error).lexically_normal();
  if (error) return fail(path.string() + ": " + error.message());
  return read(absolute.string());
}

std::string checksum_of(const std::string& path) {
  auto file = read(path);
  return file ? file->sha256 : std::string();
}

}  // namespace cnplay::cli
