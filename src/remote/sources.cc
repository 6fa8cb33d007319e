#include "remote/sources.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace cnplay::remote {

Source::~Source() { ::close(fd_); }

Result<std::string> Source::read(std::uint64_t at, std::size_t most) {
  const auto found = piece(at / kPiece);
  if (!found) return found.error();
  const std::string& bytes = **found;
  const auto from = static_cast<std::size_t>(at % kPiece);
  if (from >= bytes.size()) return std::string();
  return bytes.substr(from, most);
}

Result<Source::Piece> Source::piece(std::uint64_t number) {
  auto made = std::make_shared<std::string>();
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = pieces_.find(number); known != pieces_.end()) return known->second;
    made->resize(kPiece);
    std::size_t have = 0;
    while (have < kPiece) {
      const ssize_t n = ::pread(fd_, made->data() + have, kPiece - have,
                                static_cast<off_t>(number * kPiece + have));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(std::strerror(errno));
      if (n == 0) break;
      have += static_cast<std::size_t>(n);
    }
    made->resize(have);
    all_.read_ += have;
    if (have == 0) return Piece(made);
    pieces_.emplace(number, made);
  }
  all_.keep({shared_from_this(), number, made->size()});
  return Piece(made);
}

Result<std::shared_ptr<Source>> Sources::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(std::strerror(errno));
  std::shared_ptr<Source> mine(new Source(*this, fd));
  struct stat info {};
  if (::fstat(fd, &info) != 0) return fail(std::strerror(errno));
  std::string key = path;
  for (const auto part :
       {static_cast<std::uint64_t>(info.st_dev), static_cast<std::uint64_t>(info.st_ino),
        static_cast<std::uint64_t>(info.st_size), static_cast<std::uint64_t>(info.st_mtim.tv_sec),
        static_cast<std::uint64_t>(info.st_mtim.tv_nsec),
        static_cast<std::uint64_t>(info.st_ctim.tv_sec),
        static_cast<std::uint64_t>(info.st_ctim.tv_nsec)}) {
    key += '\0' + std::to_string(part);
  }
  const std::lock_guard lock(mutex_);
  auto& known = open_[key];
  if (auto other = known.lock()) return other;
  known = mine;
  std::erase_if(open_, [](const auto& entry) { return entry.second.expired(); });
  return mine;
}

std::size_t Sources::bytes_kept() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void Sources::keep(Kept piece) {
  std::vector<Kept> gone;
  {
    const std::lock_guard lock(mutex_);
    bytes_ += piece.bytes;
    kept_.push_back(std::move(piece));
    while (bytes_ > most_ && !kept_.empty()) {
      bytes_ -= kept_.front().bytes;
      gone.push_back(std::move(kept_.front()));
      kept_.pop_front();
    }
  }
  for (const Kept& old : gone) {
    const std::lock_guard lock(old.of->mutex_);
    old.of->pieces_.erase(old.number);
  }
}

}  // namespace cnplay::remote
