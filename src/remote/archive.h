// A directory of the controller as hosts get it: the list of what is in it, and the part of it that
// a host asks for as one tar archive. The archive is made while it is read, from any place on, so
// it needs no room here, and a broken connection goes on where it was.
//
// The list (manifest): a line each, sorted by path, a directory before what is in it.
//   d MODE 0 - PATH         f MODE SIZE SHA256 PATH
// MODE: octal permission bits. PATH: relative, without `.` and `..`; no control characters, no `\`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cnplay::remote {

class Archive {
 public:
  // `wanted`, by a host: numbers of lines of the manifest, from 1 on, rising, `4` or `6-9`, one a
  // line. Fails on what is no file of the manifest.
  static Result<Archive> make(std::string directory, const std::string& manifest,
                              std::string_view wanted);
  ~Archive();
  Archive(Archive&& other) noexcept;
  Archive& operator=(Archive&&) = delete;

  std::uint64_t size() const { return size_; }
  // Of directory, list and wish: what has the same name has the same bytes, unless files change.
  const std::string& name() const { return name_; }
  std::size_t files() const { return members_.size(); }
  // Exactly `bytes` of it from `at` on. A file that has become shorter is filled up with zeros, one
  // that has become longer is cut: the host finds out by its checksum. Fails if one cannot be read.
  Result<std::string> read(std::uint64_t at, std::size_t bytes);

 private:
  struct Member {
    std::uint64_t at = 0;  // of its header
    std::uint64_t size = 0;
    std::string path;
    unsigned mode = 0;
  };
  Archive() = default;
  static std::string header(const Member& member);
  Status read_file(const Member& member, std::uint64_t from, std::string& to, std::size_t bytes);

  std::string directory_;
  std::string name_;
  std::vector<Member> members_;
  std::uint64_t size_ = 0;
  int fd_ = -1;  // of the member that was read last
  std::size_t open_ = 0;
};

}  // namespace cnplay::remote
