#include "remote/archive.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "base/lines.h"
#include "remote/frame.h"

namespace cnplay::remote {
namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kEnd = 2 * kBlock;  // zeros
constexpr std::size_t kName = 100;          // bytes that the old header has for a path
// What eleven octal digits can say.
constexpr std::uint64_t kLargest = 8ULL * 1024 * 1024 * 1024 - 1;

std::uint64_t padded(std::uint64_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; }

// One block: GNU's format, which GNU's and busybox's tar both read.
std::string block(std::string_view path, unsigned mode, std::uint64_t size, char type) {
  std::string b(kBlock, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), b.begin() + static_cast<std::ptrdiff_t>(at));
  };
  const auto octal = [&](std::size_t at, int digits, std::uint64_t n) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(n));
    put(at, text);
  };
  put(0, path.substr(0, kName));
  octal(100, 7, mode);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, size);
  octal(136, 11, 0);
  put(148, "        ");
  b[156] = type;
  put(257, "ustar  ");
  unsigned sum = 0;
  for (const char c : b) sum += static_cast<unsigned char>(c);
  octal(148, 6, sum);
  b[154] = '\0';
  return b;
}

struct Line {
  char kind = 0;
  unsigned mode = 0;
  std::uint64_t size = 0;
  std::string_view path;
};

std::optional<Line> parsed(std::string_view text) {
  Line line;
  const std::string_view kind = next_word(text);
  const std::string_view mode = next_word(text);
  const auto size = number_of(next_word(text));
  const std::string_view sum = next_word(text);
  if ((kind != "d" && kind != "f") || !size || *size > kLargest || sum.empty()) return std::nullopt;
  line.kind = kind[0];
  for (const char c : mode) {
    if (c < '0' || c > '7' || mode.size() > 4) return std::nullopt;
    line.mode = line.mode * 8 + static_cast<unsigned>(c - '0');
  }
  line.size = *size;
  line.path = text;
  // It comes from our own plan; but who writes where is not left to that.
  const std::string whole = "/" + std::string(text) + "/";
  const bool climbs = whole.find("/../") != std::string::npos ||
                      whole.find("/./") != std::string::npos ||
                      whole.find("//") != std::string::npos;
  if (text.empty() || climbs || text.find('\0') != std::string_view::npos) return std::nullopt;
  return line;
}

}  // namespace

Result<Archive> Archive::make(std::string directory, const std::string& manifest,
                              std::string_view wanted) {
  Archive archive;
  archive.directory_ = std::move(directory);
  archive.name_ = sha256_hex(archive.directory_ + '\0' + manifest + '\0' + std::string(wanted));
  const auto lines = lines_of(manifest);
  const auto nonsense = [&] {
    return fail("the host asks for files that are not in " + archive.directory_);
  };
  std::uint64_t last = 0;
  for (const std::string_view range : lines_of(wanted)) {
    const auto dash = range.find('-');
    const auto first = number_of(range.substr(0, dash));
    const auto to = dash == std::string_view::npos ? first : number_of(range.substr(dash + 1));
    if (!first || !to || *first <= last || *to < *first || *to > lines.size()) return nonsense();
    for (std::uint64_t n = *first; n <= *to; ++n) {
      const auto line = parsed(lines[n - 1]);
      if (!line || line->kind != 'f') return nonsense();
      Member member{archive.size_, line->size, std::string(line->path), line->mode};
      archive.size_ += header(member).size() + padded(member.size);
      archive.members_.push_back(std::move(member));
    }
    last = *to;
  }
  archive.size_ += kEnd;
  return archive;
}

Archive::~Archive() {
  if (fd_ >= 0) ::close(fd_);
}

Archive::Archive(Archive&& other) noexcept
    : directory_(std::move(other.directory_)),
      name_(std::move(other.name_)),
      members_(std::move(other.members_)),
      size_(other.size_),
      fd_(std::exchange(other.fd_, -1)),
      open_(other.open_) {}

std::string Archive::header(const Member& member) {
  std::string all;
  if (member.path.size() > kName) {
    const std::uint64_t size = member.path.size() + 1;
    all = block("././@LongLink", 0644, size, 'L') + member.path;
    all.resize(kBlock + padded(size), '\0');
  }
  return all + block(member.path, member.mode, member.size, '0');
}

Result<std::string> Archive::read(std::uint64_t at, std::size_t bytes) {
  std::string out;
  out.reserve(bytes);
  auto next = std::upper_bound(members_.begin(), members_.end(), at,
                               [](std::uint64_t place, const Member& m) { return place < m.at; });
  if (next != members_.begin()) --next;
  for (; next != members_.end() && out.size() < bytes; ++next) {
    const std::string head = header(*next);
    std::uint64_t inside = at + out.size() - next->at;
    if (inside < head.size()) {
      out += std::string_view(head).substr(inside, bytes - out.size());
      inside = at + out.size() - next->at;
    }
    if (out.size() == bytes || inside < head.size()) break;
    const std::uint64_t from = inside - head.size();
    const std::uint64_t end = padded(next->size);
    if (from >= end) continue;
    const auto piece =
        static_cast<std::size_t>(std::min<std::uint64_t>(end - from, bytes - out.size()));
    if (Status read = read_file(*next, from, out, piece); !read) return read.error();
  }
  out.resize(bytes, '\0');
  return out;
}

// `bytes` of the file and the zeros behind it.
Status Archive::read_file(const Member& member, std::uint64_t from, std::string& to,
                          std::size_t bytes) {
  const auto index = static_cast<std::size_t>(&member - members_.data());
  const std::size_t before = to.size();
  to.resize(before + bytes, '\0');
  if (from >= member.size) return {};
  const std::string path = directory_ + "/" + member.path;
  if (fd_ < 0 || open_ != index) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    open_ = index;
  }
  if (fd_ < 0) return fail("cannot read " + path + " here: " + std::strerror(errno));
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, member.size - from));
  std::size_t have = 0;
  while (have < want) {
    const ssize_t n =
        ::pread(fd_, to.data() + before + have, want - have, static_cast<off_t>(from + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail("cannot read " + path + " here: " + std::strerror(errno));
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  return {};
}

}  // namespace cnplay::remote
