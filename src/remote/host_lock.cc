#include "remote/host_lock.h"

#include <algorithm>
#include <charconv>

#include "remote/request.h"

namespace cnplay::remote {
namespace {

// One brace group, so that nothing of it runs if it comes torn. Descriptor 9 holds the lock (of a
// block, not of `exec`: mksh keeps that from what it starts); the file is written through its name,
// which is the same inode. Each line that comes is the step at hand, and a sign of life.
// A lock that this very run holds is not taken again but joined.
//
// Who takes a lock over ends the holder's sshd and shell first: a controller that was but asleep
// finds its connection gone, and the lock taken when it comes back.
constexpr std::string_view kScript = R"SH({
  umask 022
  set -f
  d=${HOME:?}/.local/state/cnplay/locks
  m=$(uname -n)
  nl='
'
  say() { printf '%s%s %s\n' "$t" "$u" "$1"; }
  process() {
    parent= begun=
    read -r l 2>/dev/null </proc/"$1"/stat || return 0
    set -- ${l##*) }
    parent=$2 begun=${20}
  }
  beat() {
    printf '%s\nstep: %s\nheld since: %s\nsign of life: %s\nprocess: %s %s on %s\n' \
      "$o" "$x" "$s" "$(date +%s)" "$$" "$begun" "$m" >"$d/$n"
  }
  # Its holder writes it again from time to time: for a moment it is empty.
  look() {
    for j in 1 2 3; do
      { f=$(head -c 4096 <"$d/$n"); } 2>/dev/null
      case $f in *"${nl}process: "*) return 0 ;; esac
      [ "$j" -eq 3 ] || sleep 1
    done
  }
  take_over() {
    b=${f#*"${nl}sign of life: "} p=${f#*"${nl}process: "}
    b=${b%%"$nl"*}
    set -- ${p%%"$nl"*}
    why=unreadable
    for v in "${1:-x}" "${2:-x}" "${b:-x}"; do
      case $v in *[!0-9]*|0?*|???????????????*) return 1 ;; esac
    done
    why=elsewhere
    [ "${4:-}" = "$m" ] || return 1
    why=alive
    [ $(($(date +%s) - b)) -ge "$e" ] || return 1
    why=unreadable
    process "$1"
    [ "$begun" = "$2" ] || return 1
    if read -r l 2>/dev/null </proc/"$parent"/comm; then
      case $l in sshd*) kill "$parent" ;; esac
    fi
    why=stays
    for i in 1 2 3 4 5 6; do
      process "$1"
      [ "$begun" != "$2" ] || kill $([ "$i" -lt 3 ] || echo -9) "$1"
      flock -n 9 && return 0
      sleep 1
    done
    return 1
  }
  tell() {
    say holder
    look
    printf 'now: %s\n%s\n' "$(date +%s)" "$f"
  }
  around() {
    look
    l=${f%%"$nl"*}
    case $a in *"|${l##*, run }|"*) return 0 ;; esac
    return 1
  }
  share() {
    i=0
    while read -r x; do
      if flock -n 9; then
        flock -u 9
        i=$((i + 1))
        [ "$i" -lt "$g" ] || { echo 'the run around this one holds it no more' >&2; exit; }
      else
        around || { echo 'it is not held by the run around this one any more' >&2; exit; }
        i=0
      fi
    done
    exit
  }
  # `tell` and `around` have read it into `f`.
  ours() { [ "${f%%"$nl"*}" = "$o" ]; }
  # The other shell of this run may end first (its connection is lost): then the lock is at once
  # this one's, which waits for it, on the same open file, in the background.
  join() {
    flock 9 &
    i=$!
    while read -r x; do
      # Just when the other shell ends, the file is empty and the lock free.
      flock -n 9 || { look; ours && continue; flock -n 9; } ||
        { kill -9 "$i"; echo 'another run holds it now' >&2; exit; }
      wait "$i"
      return 0
    done
    kill -9 "$i" # mksh would lose a TERM before its child has become flock
    exit
  }
  command -v flock >/dev/null 2>&1 || { say noflock; exit; }
  mkdir -p "$d" || { say nofile; exit; }
  (: >>"$d/$n") || { say nofile; exit; }
  {
    word=held
    if ! flock -n 9; then
      tell
      if [ "$a" ] && around; then
        say shared
        share
      fi
      why=
      if [ "$k" = yes ] && take_over; then
        word=took
      else
        ours || { say "busy $why"; exit; }
        word=
        say joined
        join
      fi
    fi
    : >"$d/$n" # what a former holder has left there is nobody's
    x= s=$(date +%s)
    process $$
    beat
    [ -z "$word" ] || say $word
    while read -r x; do beat; done
    : >"$d/$n"
  } 9<>"$d/$n"
  exit
}
)SH";

constexpr std::size_t kMaxHolder = 4096;

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n < 0) return std::nullopt;
  return n;
}

// What the host printed of the holder: `now: ` and the file.
void read_holder(std::string_view text, LockEnded& into) {
  std::optional<std::int64_t> now, since, life;
  bool first = true;
  const auto value = [](std::string_view line, std::string_view key) {
    return line.starts_with(key) ? number(line.substr(key.size())) : std::nullopt;
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!now && (now = value(line, "now: "))) continue;
    if (first) into.holder = Untrusted(std::string(line));
    first = false;
    if (line.starts_with("step: ")) into.step = Untrusted(std::string(line.substr(6)));
    if (const auto n = value(line, "held since: ")) since = n;
    if (const auto n = value(line, "sign of life: ")) life = n;
  }
  constexpr std::int64_t kLongest = 10LL * 366 * 86'400;
  const auto ago = [&](const std::optional<std::int64_t>& then) -> std::optional<Duration> {
    if (!now || !then || *then > *now || *now - *then > kLongest) return std::nullopt;
    return std::chrono::seconds(*now - *then);
  };
  into.held_for = ago(since);
  into.silent_for = ago(life);
}

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
                   std::string host_name, std::string name, std::string owner, LockTerms terms)
    : connection_(std::move(connection)),
      host_(host),
      host_name_(std::move(host_name)),
      name_(std::move(name)),
      owner_(std::move(owner)),
      terms_(std::move(terms)),
      timer_(connection_->executor()),
      beat_(connection_->executor()) {}

HostLock::~HostLock() {
  if (relay_) relay_->set_user(nullptr);
  if (channel_) channel_->close();
}

void HostLock::take(Duration timeout, Told told, std::function<void()> gone) {
  told_ = std::move(told);
  gone_ = std::move(gone);
  relay_ = std::make_shared<ChannelRelay>(this);
  timer_.expires_after(timeout);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self && !self->answered_) self->end("the host did not answer in time");
  });
  connection_->open_exec("exec sh", false, relay_, [weak = weak_from_this()](ssh::OpenResult r) {
    auto* channel = std::get_if<std::shared_ptr<ssh::Channel>>(&r);
    const auto self = weak.lock();
    if (!self || self->answered_) {
      if (channel) (*channel)->close();
      return;
    }
    if (!channel) {
      const auto& error = std::get<ssh::TransportError>(r);
      self->no_channel_ = error.kind == ssh::Failure::no_channel;
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
  text += "e=" + std::to_string(terms_.expiry.count() / 1000) + "\n";
  text += terms_.take ? "k=yes\n" : "k=\n";
  std::string around;  // no id has a character that sh or a pattern knows
  for (const std::string& run : terms_.around) around += (around.empty() ? "|" : "") + run + "|";
  text += "a='" + around + "'\n";
  const auto beats = terms_.absence / std::max(terms_.beat, Duration{1});
  text += "g=" + std::to_string(std::max<std::int64_t>(1, beats)) + "\n";
  channel_->write(text + std::string(kScript));
}

void HostLock::note(const std::string& step) {
  // It is a line of the file, and nothing else of it may be.
  note_ = Untrusted(step).display(200);
  std::replace(note_.begin(), note_.end(), '\n', ' ');
}

void HostLock::sign_of_life() {
  beat_.expires_after(terms_.beat);
  beat_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || !self->held_ || self->releasing_ || !self->channel_) return;
    self->channel_->write(self->note_ + "\n");
    self->sign_of_life();
  });
}

void HostLock::release() {
  releasing_ = true;
  beat_.cancel();
  if (channel_) return channel_->send_eof();
  end("released");
}

void HostLock::abandon() {
  told_ = nullptr;
  gone_ = nullptr;
  answered_ = true;
  timer_.cancel();
  beat_.cancel();
  if (relay_) relay_->set_user(nullptr);
  if (channel_) channel_->close();
  channel_.reset();
}

void HostLock::channel_bytes(Stream stream, std::string_view bytes) {
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
  LockEnded ended{.host = host_, .name = name_, .acquired = false, .holder = {}, .error = {}};
  if (holder_at != std::string::npos) {
    read_holder(std::string_view(out_).substr(from, std::min(at - from, kMaxHolder)), ended);
  }
  if (word == "held" || word == "took" || word == "shared" || word == "joined") {
    ended.shared = word == "shared";
    ended.joined = word == "joined";
    answered_ = true;
    held_ = true;
    timer_.cancel();
    sign_of_life();
    ended.acquired = true;
    if (told_) told_(std::move(ended), false);
    return;
  }
  if (word.starts_with("busy")) {
    ended.kept = word.size() > 5 ? word.substr(5) : "";
    answered_ = true;
    timer_.cancel();
    if (told_) told_(std::move(ended), false);
    return end({});
  }
  if (word == "noflock") {
    return end("there is no `flock` on " + host_name_ + ": install util-linux there");
  }
  end("the lock's file cannot be made: " + Untrusted(err_).display(500));
}

void HostLock::channel_closed(std::optional<int>, const std::string& how,
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
  if (relay_) relay_->set_user(nullptr);
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
          .error = host_name_ + ": the lock \"" + name_ + "\": " + error,
          .help = no_channel_ ? "each lock needs a channel beside the shell's: set MaxSessions in "
                                "the sshd_config of " +
                                    host_name_ + " to 10, its default, or more"
                              : "",
          .no_channel = no_channel_},
         with_connection);
  }
  if (gone) gone();
}

}  // namespace cnplay::remote
