#include "base/disk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/descriptor.h"

namespace cnplay {
namespace {

Error system_error(const std::string& path, const char* doing) {
  const int code = errno;
  std::string help;
  if (code == ENOSPC || code == EDQUOT) help = "free some space on that file system";
  if (code == EACCES || code == EROFS) help = "check who owns it and its permissions";
  return fail(path + ": cannot " + doing + ": " + std::strerror(code), std::move(help));
}

Status write_whole(int fd, const std::string& path, std::string_view bytes) {
  if (!write_all(fd, bytes)) return system_error(path, "be written");
  return {};
}

class SystemAppendFile final : public AppendFile {
 public:
  SystemAppendFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Status append(std::string_view bytes) override { return write_whole(fd_.get(), path_, bytes); }
  Status sync() override {
    if (::fdatasync(fd_.get()) != 0) return system_error(path_, "be written to disk");
    return {};
  }

 private:
  Descriptor fd_;
  std::string path_;
};

class SystemFileLock final : public FileLock {
 public:
  explicit SystemFileLock(int fd) : fd_(fd) {}
  int get() const { return fd_.get(); }

 private:
  Descriptor fd_;  // closing it lets go
};

}  // namespace

namespace {

// In a directory whose members are its group's (`chmod g+ws`), what is made is for the group as
// well: then another of them can go on with a run. Elsewhere it is its owner's alone.
bool is_shared(const std::string& path) {
  struct stat status {};
  const auto parent = std::filesystem::path(path).parent_path();
  constexpr mode_t kShared = S_IWGRP | S_ISGID;
  return ::stat(parent.empty() ? "." : parent.c_str(), &status) == 0 &&
         (status.st_mode & kShared) == kShared;
}

// Whatever the umask says. Not ours: it was made before, by another of the group.
void share(int fd, const std::string& path) {
  if (is_shared(path)) (void)!::fchmod(fd, 0660);
}

}  // namespace

Status SystemDisk::make_directory(const std::string& path) {
  std::error_code error;
  const auto parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (::mkdir(path.c_str(), 0700) == 0) {
    if (is_shared(path) && ::chmod(path.c_str(), 02770) != 0) {
      return system_error(path, "be shared with its group");
    }
  } else if (errno != EEXIST) {
    return system_error(path, "be created");
  }
  return {};
}

Result<std::unique_ptr<AppendFile>> SystemDisk::create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return system_error(path, "be created");
  share(fd, path);
  return std::unique_ptr<AppendFile>(std::make_unique<SystemAppendFile>(fd, path));
}

Result<std::unique_ptr<AppendFile>> SystemDisk::append(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return system_error(path, "be opened");
  return std::unique_ptr<AppendFile>(std::make_unique<SystemAppendFile>(fd, path));
}

Status SystemDisk::sync_directory(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok()) return system_error(path, "be opened");
  if (::fsync(fd.get()) != 0) return system_error(path, "be written to disk");
  return {};
}

Result<std::unique_ptr<FileLock>> SystemDisk::lock(const std::string& path,
                                                   std::string_view owner) {
  auto lock =
      std::make_unique<SystemFileLock>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock->get() < 0) return system_error(path, "be opened");
  share(lock->get(), path);
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::unique_ptr<FileLock>();
    return system_error(path, "be locked");
  }
  if (::ftruncate(lock->get(), 0) != 0) return system_error(path, "be written");
  if (auto status = write_whole(lock->get(), path, owner); !status) return status.error();
  return std::unique_ptr<FileLock>(std::move(lock));
}

Status SystemDisk::replace(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".new";
  {
    const Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd.ok()) return system_error(temporary, "be created");
    // One that a crash has left may have been made otherwise.
    if (::fchmod(fd.get(), 0600) != 0) return system_error(temporary, "be made private");
    share(fd.get(), temporary);
    if (auto status = write_whole(fd.get(), temporary, bytes); !status) return status;
    if (::fsync(fd.get()) != 0) return system_error(temporary, "be written to disk");
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error(path, "be replaced");
  return {};
}

Result<std::string> SystemDisk::read(const std::string& path, std::size_t limit) const {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return system_error(path, "be read");
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(path, "be read");
    if (n == 0) return {std::move(text)};
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > limit) {
      return fail(path + ": is larger than " + std::to_string(limit) + " bytes");
    }
  }
}

std::vector<std::string> SystemDisk::list(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace cnplay
