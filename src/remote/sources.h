// The files of the controller that go to hosts, read once for all who are sent the same one at
// about the same time: what was read last is kept, piece by piece, within a bound for the whole
// run. Who is so far behind (or starts so late) that its piece has gone again reads it anew; nobody
// waits for anybody.
//
// Threads: all functions are for any thread. The strands of the hosts share one Sources.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/result.h"

namespace cnplay::remote {

class Sources;

// One file, as it was when it was opened. A file of the same path that is another by then
// (device, inode, size, times) is another Source.
class Source : public std::enable_shared_from_this<Source> {
 public:
  static constexpr std::size_t kPiece = std::size_t{128} * 1024;
  using Piece = std::shared_ptr<const std::string>;

  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // What there is from `at` on: some of it, at most `most` bytes; "" at the end of the file. Fails
  // with the system's reason.
  Result<std::string> read(std::uint64_t at, std::size_t most);

 private:
  friend class Sources;
  Source(Sources& all, int fd) : all_(all), fd_(fd) {}
  Result<Piece> piece(std::uint64_t number);

  Sources& all_;
  int fd_;
  std::mutex mutex_;  // of what follows; held while a piece is read: who else wants it gets it then
  std::unordered_map<std::uint64_t, Piece> pieces_;
};

class Sources {
 public:
  // `most`: bytes that are kept, of all files together.
  explicit Sources(std::size_t most = std::size_t{16} * 1024 * 1024) : most_(most) {}

  // Opens it, or finds it open. It must not outlive this. Fails with the system's reason.
  Result<std::shared_ptr<Source>> open(const std::string& path);
  // Bytes that were read from files so far.
  std::uint64_t bytes_read() const { return read_; }
  // Bytes that are kept now.
  std::size_t bytes_kept() const;

 private:
  friend class Source;
  struct Kept {
    std::shared_ptr<Source> of;
    std::uint64_t number = 0;
    std::size_t bytes = 0;
  };
  void keep(Kept piece);

  const std::size_t most_;
  std::atomic<std::uint64_t> read_ = 0;
  mutable std::mutex mutex_;  // of what follows; never held together with a Source's
  std::unordered_map<std::string, std::weak_ptr<Source>> open_;  // by path and state
  std::deque<Kept> kept_;                                        // the oldest first
  std::size_t bytes_ = 0;
};

}  // namespace cnplay::remote
