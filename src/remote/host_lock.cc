#include "remote/host_lock.h"

#include <algorithm>

#include "remote/shipment.h"

namespace cnplay::remote {
namespace {

// One brace group, so that nothing of it runs if it comes torn. Descriptor 9 holds the lock; the
// file is written through its name, which is the same inode.
constexpr std::string_view kScript = R"SH({
  umask 022
  d=${HOME:?}/.local/state/cnplay/locks
  say() { printf '%s%s %s\n' "$t" "$u" "$1"; }
  command -v flock >/dev/null 2>&1 || { say noflock; exit; }
  mkdir -p "$d" || { say nofile; exit; }
  (: >>"$d/$n") || { say nofile; exit; }
  exec 9<>"$d/$n"
  if flock -n 9; then
    printf '%s\n' "$o" >"$d/$n"
    say held
    while read -r x; do :; done
    : >"$d/$n"
  else
    say holder
    head -c 4096 <"$d/$n"
    say busy
  fi
  exit
}
)SH";

constexpr std::size_t kMaxHolder = 4096;

}  // namespace

std::string lock_file_name(std::string_view name) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string file;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || (c == '.' && !file.empty());
    if (plain) {
      file += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      file += '%';
      file += kHex[byte >> 4];
      file += kHex[byte & 15];
    }
  }
  return file;
}

HostLock::HostLock(std::shared_ptr<ssh::Connection> connection, HostIndex host,
                   std::string host_name, std::string name, std::string owner)
    : connection_(std::move(connection)),
      host_(host),
      host_name_(std::move(host_name)),
      name_(std::move(name)),
      owner_(std::move(owner)),
      timer_(connection_->executor()) {}

HostLock::~HostLock() {
  if (port_) port_->set_user(nullptr);
  if (channel_) channel_->close();
}

void HostLock::take(Duration timeout, Told told, std::function<void()> gone) {
  told_ = std::move(told);
  gone_ = std::move(gone);
  port_ = std::make_shared<Port>(this);
  timer_.expires_after(timeout);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self && !self->answered_) self->end("the host did not answer in time");
  });
  connection_->open_exec("exec sh", false, port_, [weak = weak_from_this()](ssh::OpenResult r) {
    auto* channel = std::get_if<std::shared_ptr<ssh::Channel>>(&r);
    const auto self = weak.lock();
    if (!self || self->answered_) {
      if (channel) (*channel)->close();
      return;
    }
    if (!channel) {
      const auto& error = std::get<ssh::TransportError>(r);
      return self->end(error.what, error.kind == ssh::Failure::lost);
    }
    self->channel_ = std::move(*channel);
    self->send();
  });
}

void HostLock::send() {
  const std::string file = lock_file_name(name_);
  const auto owner = quote(owner_);
  if (file.empty() || file.size() > 200) return end("the lock's name is empty or too long");
  if (!owner) return end("the owner's text has a NUL byte");
  token_ = make_nonce();
  std::string text = "t=" + token_.substr(0, 16) + "\nu=" + token_.substr(16) + "\n";
  text += "n=" + quote(file)->str() + "\no=" + owner->str() + "\n";
  channel_->write(text + std::string(kScript));
}

void HostLock::release() {
  releasing_ = true;
  if (channel_) return channel_->send_eof();
  end("released");
}

void HostLock::abandon() {
  told_ = nullptr;
  gone_ = nullptr;
  answered_ = true;
  timer_.cancel();
  if (port_) port_->set_user(nullptr);
  if (channel_) channel_->close();
  channel_.reset();
}

void HostLock::port_bytes(Stream stream, std::string_view bytes) {
  const auto self = shared_from_this();
  std::string& text = stream == Stream::out ? out_ : err_;
  text += bytes.substr(0, 64 * 1024 - std::min<std::size_t>(text.size(), 64 * 1024));
  if (stream == Stream::out && !answered_) answer();
}

void HostLock::answer() {
  if (token_.empty()) return;
  const std::string begin = token_ + " holder\n";
  const std::size_t holder_at = out_.find(begin);
  const std::size_t from = holder_at == std::string::npos ? 0 : holder_at + begin.size();
  const std::size_t at = out_.find(token_ + " ", from);
  const std::size_t newline = at == std::string::npos ? at : out_.find('\n', at);
  if (newline == std::string::npos) return;
  const std::size_t word_at = at + token_.size() + 1;
  const std::string word = out_.substr(word_at, newline - word_at);
  if (word == "held") {
    answered_ = true;
    held_ = true;
    timer_.cancel();
    LockEnded ended{.host = host_, .name = name_, .acquired = true, .holder = {}, .error = {}};
    if (told_) told_(std::move(ended), false);
    return;
  }
  if (word == "busy") {
    std::string holder = out_.substr(from, std::min(at - from, kMaxHolder));
    while (holder.ends_with('\n')) holder.pop_back();
    answered_ = true;
    timer_.cancel();
    LockEnded ended{.host = host_,
                    .name = name_,
                    .acquired = false,
                    .holder = Untrusted(std::move(holder)),
                    .error = {}};
    if (told_) told_(std::move(ended), false);
    return end({});
  }
  if (word == "noflock") {
    return end("there is no `flock` on " + host_name_ + ": install util-linux there");
  }
  end("the lock's file cannot be made: " + Untrusted(err_).display(500));
}

void HostLock::port_closed(std::optional<int>, const std::string& how,
                           const std::optional<ssh::TransportError>& error) {
  channel_.reset();
  const auto self = shared_from_this();
  if (error) return end(error->what, true);
  if (releasing_) return end("released");
  end("its shell ended (" + how + ") " + Untrusted(err_).display(500));
}

// The end of it all. Tells of it if that is news: no answer yet, or a lock that was held and is not
// given back.
void HostLock::end(std::string error, bool with_connection) {
  const auto self = shared_from_this();
  timer_.cancel();
  if (port_) port_->set_user(nullptr);
  if (channel_) channel_->close();
  channel_.reset();
  const bool news = !answered_ || (held_ && !releasing_);
  answered_ = true;
  held_ = false;
  const Told told = std::exchange(told_, nullptr);
  const auto gone = std::exchange(gone_, nullptr);
  if (told && news) {
    while (error.ends_with('\n') || error.ends_with(' ')) error.pop_back();
    told({.host = host_,
          .name = name_,
          .acquired = false,
          .holder = {},
          .error = host_name_ + ": the lock \"" + name_ + "\": " + error},
         with_connection);
  }
  if (gone) gone();
}

}  // namespace cnplay::remote
