// A file on its way between the controller and a shell on a host. The shell has been sent one line
// (request()); from then on until `ended()` its bytes are the transfer's, not a task's.
//
// To a host: the shell says from which byte on it wants the file (`G id offset`), gets exactly the
// rest of it as its stdin, compares the checksum (of an archive, only the size: who unpacks it has
// the checksum of each file) and ends (`E`). From a host: it sends the file between two marks (`H
// id size`, `h id checksum`). What cannot be done it says between `N` and `n`.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "remote/archive.h"
#include "remote/frame.h"
#include "remote/remote.h"
#include "remote/sources.h"
#include "ssh/transport.h"

namespace cnplay::remote {

// Whether a word can name a file of the run on a host: a SHA-256 in hex, or `t` and one.
bool is_upload_name(std::string_view name);

class Transfer {
 public:
  // Opens the file that is to be sent, or shares it with those who send it already. `id`: of the
  // task.
  static Result<std::shared_ptr<Transfer>> to_host(TaskId id, const Upload& what,
                                                   const std::shared_ptr<Sources>& sources);
  // The part of a tree that the host wants; fails if there is no such part.
  static Result<std::shared_ptr<Transfer>> tree_to_host(TaskId id, const Upload& what,
                                                        std::string_view wanted);
  // Opens the file beside its name that takes what comes.
  static Result<std::shared_ptr<Transfer>> from_host(TaskId id, const Download& what);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // The line that begins it; after a lost connection once more, for what is left. Fails on a NUL.
  Result<std::string> request();

  void text(Stream stream, std::string_view bytes);
  void mark(Stream stream, std::string_view words);
  // Sends what the channel takes now, if the shell waits for it.
  void pump(ssh::Channel& channel);

  // The shell has said its last word of it.
  bool ended() const { return end_seen_[0] && end_seen_[1]; }
  // After that: the file is where it belongs, or why not.
  Status finish();
  // It has ended before it had taken all that was sent to it: the rest must not reach it.
  bool spoils_shell() const { return sending_ && !refusal_.empty(); }

  // Of one that goes to a host: what it is called there (`u-NAME`): its checksum, or `t` and the
  // name of an archive.
  const std::string& name() const { return sha256_; }
  std::uint64_t done() const { return at_; }
  std::uint64_t size() const { return size_; }
  // True at most twice a second, and only if some has been moved since.
  bool progress_due();
  bool progress_told() const { return told_at_ != 0; }

 private:
  enum class Section { none, data, refusal };
  Transfer(TaskId id, bool to_host) : id_(id), to_host_(to_host) {}
  void take(std::string_view bytes);
  std::string piece(std::size_t most);

  TaskId id_;
  bool to_host_;
  std::string path_;  // on the controller
  std::string from_;  // on the host
  std::string part_;  // on the controller, until it is whole
  std::string sha256_;
  int fd_ = -1;                       // of what is fetched
  std::shared_ptr<Sources> sources_;  // outlives source_
  std::shared_ptr<Source> source_;    // what is sent: this,
  std::optional<Archive> archive_;    // or this
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;
  bool sending_ = false;
  Section section_ = Section::none;
  Sha256 digest_;
  std::string refusal_;  // the host's
  std::string failure_;  // ours
  std::array<bool, 2> end_seen_{};
  std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
  std::uint64_t told_at_ = 0;
};

}  // namespace cnplay::remote
