// Files as the journal needs them, behind an interface, so that tests make the n-th write fail.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cnplay {

// A file that only grows. Each append is one write(2), complete or an Error.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  virtual Status append(std::string_view bytes) = 0;
  // fdatasync(2): what was appended survives a loss of power.
  virtual Status sync() = 0;
};

// An exclusive claim on a file, let go by the destructor, or by the end of the process however it
// comes.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Disk {
 public:
  virtual ~Disk() = default;
  // Creates the directory (0700) and its missing parents. It is no error if it exists.
  virtual Status make_directory(const std::string& path) = 0;
  // Creates a new file (0600) for appending; an Error if it exists.
  virtual Result<std::unique_ptr<AppendFile>> create(const std::string& path) = 0;
  // An existing file, for appending.
  virtual Result<std::unique_ptr<AppendFile>> append(const std::string& path) = 0;
  // Makes the names in a directory durable.
  virtual Status sync_directory(const std::string& path) = 0;
  // Takes the lock that the file stands for (made if it is not there) and leaves `owner` in it for
  // others to read. nullptr: another process has it, and `read` says who.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path,
                                                 std::string_view owner) = 0;
  // Writes a file whole (0600): a temporary one beside it, fsync, rename.
  virtual Status replace(const std::string& path, std::string_view bytes) = 0;
  // The whole file; an Error if it is larger than `limit` bytes.
  virtual Result<std::string> read(const std::string& path, std::size_t limit) const = 0;
  // Names in a directory, sorted; empty if there is none.
  virtual std::vector<std::string> list(const std::string& path) const = 0;
};

// What it makes is its owner's alone; in a directory that is shared with its group (set-group-id
// bit and group write permission), the group's as well.
class SystemDisk final : public Disk {
 public:
  Status make_directory(const std::string& path) override;
  Result<std::unique_ptr<AppendFile>> create(const std::string& path) override;
  Result<std::unique_ptr<AppendFile>> append(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, std::string_view owner) override;
  Status replace(const std::string& path, std::string_view bytes) override;
  Result<std::string> read(const std::string& path, std::size_t limit) const override;
  std::vector<std::string> list(const std::string& path) const override;
};

}  // namespace cnplay
