#include "remote/transfer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/descriptor.h"
#include "base/text.h"

namespace cnplay::remote {
namespace {

constexpr std::size_t kPiece = Source::kPiece;
// So much lies ready for the channel: enough to keep it busy until it is asked for more.
constexpr std::size_t kAhead = 1024 * 1024;
constexpr std::size_t kMaxRefusal = 1024;
constexpr auto kBetweenWords = std::chrono::milliseconds(500);

std::string reason() { return std::strerror(errno); }

}  // namespace

bool is_upload_name(std::string_view name) {
  if (name.size() == 65 && name[0] == 't') name.remove_prefix(1);
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::shared_ptr<Transfer>> Transfer::to_host(TaskId id, const Upload& what,
                                                    const std::shared_ptr<Sources>& sources) {
  std::shared_ptr<Transfer> transfer(new Transfer(id, true));
  transfer->path_ = what.path;
  transfer->sha256_ = what.sha256;
  transfer->size_ = what.size;
  auto source = sources->open(what.path);
  if (!source) return fail("cannot read " + what.path + " here: " + source.error().what);
  transfer->sources_ = sources;
  transfer->source_ = *std::move(source);
  return transfer;
}

Result<std::shared_ptr<Transfer>> Transfer::tree_to_host(TaskId id, const Upload& what,
                                                         std::string_view wanted) {
  auto archive = Archive::make(what.path, what.manifest, wanted);
  if (!archive) return archive.error();
  std::shared_ptr<Transfer> transfer(new Transfer(id, true));
  transfer->path_ = what.path;
  transfer->sha256_ = "t" + archive->name();
  transfer->size_ = archive->size();
  transfer->archive_.emplace(*std::move(archive));
  return transfer;
}

Result<std::shared_ptr<Transfer>> Transfer::from_host(TaskId id, const Download& what) {
  std::shared_ptr<Transfer> transfer(new Transfer(id, false));
  transfer->from_ = what.from;
  transfer->path_ = what.to;
  transfer->part_ = what.to + ".part-" + std::to_string(id);
  const auto parent = std::filesystem::path(what.to).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return fail("cannot make the directory " + parent.string() + ": " + error.message());
  transfer->fd_ =
      ::open(transfer->part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (transfer->fd_ < 0) return fail("cannot write " + transfer->part_ + ": " + reason());
  return transfer;
}

Transfer::~Transfer() {
  if (fd_ < 0) return;
  ::close(fd_);
  if (!part_.empty()) ::unlink(part_.c_str());
}

Result<std::string> Transfer::request() {
  end_seen_ = {};
  sending_ = false;
  section_ = Section::none;
  const std::string id = std::to_string(id_);
  if (to_host_) {
    if (!is_upload_name(sha256_)) return fail("the checksum of " + path_ + " is none");
    return "_cn_take " + id + " " + sha256_ + " " + std::to_string(size_) + " end-" + id + "\n";
  }
  const auto from = quote(from_);
  if (!from) return fail("the path of a file has a NUL byte");
  // What was there when it was first looked at: a log grows while it is fetched.
  const std::string size = size_ > 0 ? std::to_string(size_) : "-";
  return "_cn_give " + id + " " + std::to_string(at_) + " " + size + " " + from->str() + " end-" +
         id + "\n";
}

void Transfer::text(Stream stream, std::string_view bytes) {
  if (stream != Stream::out) return;
  if (section_ == Section::refusal) {
    refusal_.append(bytes.substr(0, kMaxRefusal - std::min(kMaxRefusal, refusal_.size())));
  } else if (section_ == Section::data) {
    take(bytes);
  }
}

void Transfer::take(std::string_view bytes) {
  at_ += bytes.size();
  digest_.add(bytes);
  if (failure_.empty() && !write_all(fd_, bytes)) {
    failure_ = "cannot write " + part_ + ": " + reason();
  }
}

void Transfer::mark(Stream /*stream*/, std::string_view words) {
  const std::string_view kind = next_word(words);
  if (kind == "N") {
    section_ = Section::refusal;
    refusal_.clear();
    return;
  }
  if (kind == "n") {
    section_ = Section::none;
    if (refusal_.empty()) refusal_ = "it did not say why";
    return;
  }
  const bool ours = number_of(next_word(words)) == id_;
  if (!ours) return;
  if (kind == "E") {
    end_seen_[next_word(words) == "err" ? 1 : 0] = true;
  } else if (kind == "G" && to_host_) {
    const auto offset = number_of(next_word(words));
    if (offset && *offset <= size_) {
      at_ = *offset;
      sending_ = true;
    }
  } else if (kind == "H" && !to_host_) {
    size_ = number_of(next_word(words)).value_or(0);
    section_ = Section::data;
  } else if (kind == "h" && !to_host_) {
    section_ = Section::none;
    sha256_ = next_word(words);
  }
}

// A file that has become shorter is filled up: the shell waits for the number of bytes that was
// agreed on, and finds out by the checksum.
std::string Transfer::piece(std::size_t most) {
  auto read = archive_ ? archive_->read(at_, most) : source_->read(at_, most);
  if (read && !read->empty()) return *std::move(read);
  if (!read && failure_.empty()) {
    failure_ =
        archive_ ? read.error().what : "cannot read " + path_ + " here: " + read.error().what;
  }
  std::string zeros(most, '\0');
  return zeros;
}

void Transfer::pump(ssh::Channel& channel) {
  while (sending_ && !ended() && at_ < size_ && channel.queued() < kAhead) {
    std::string next =
        piece(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size_ - at_)));
    at_ += next.size();
    channel.write(std::move(next));
  }
}

Status Transfer::finish() {
  if (!failure_.empty()) return fail(failure_);
  if (!refusal_.empty()) return fail(Untrusted(refusal_).display(500));
  if (to_host_) return {};
  if (at_ != size_ || digest_.hex() != sha256_) {
    return fail("the received bytes are not those of " + from_ + ": did it change meanwhile?");
  }
  // The umask can be read only by setting it, and other threads make files: so, what is usual.
  const bool durable = ::fchmod(fd_, 0644) == 0 && ::fsync(fd_) == 0;
  if (!durable || ::rename(part_.c_str(), path_.c_str()) != 0) {
    return fail("cannot write " + path_ + ": " + reason());
  }
  ::close(std::exchange(fd_, -1));
  return {};
}

bool Transfer::progress_due() {
  const auto now = std::chrono::steady_clock::now();
  if (at_ == told_at_ || now - told_ < kBetweenWords) return false;
  told_ = now;
  told_at_ = at_;
  return true;
}

}  // namespace cnplay::remote
