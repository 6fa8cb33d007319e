#include "ssh/channel.h"

#include <algorithm>
#include <utility>

#include "ssh/core.h"
#include "ssh/errors.h"

namespace cnplay::ssh {
namespace {

// One write to libssh. It copies and encrypts at once, so this bounds memory and time.
constexpr std::size_t kWriteBytes = 64 * 1024;
// libssh keeps the largest buffers that it has ever needed, two a connection. Most channels are
// sent little more than a shell's first words: in pieces whose packets fit in 4 KiB, 10,000 hosts
// need 200 MB less.
constexpr std::size_t kSmallBytes = 3 * 1024;
constexpr std::size_t kSmallUpTo = 64 * 1024;
// Signal names are short; a hostile one is cut.
constexpr std::size_t kSignalName = 32;

}  // namespace

ExecChannel::ExecChannel(Core& core, Purpose purpose, std::shared_ptr<ChannelHandler> handler,
                         std::function<void(OpenResult)> done)
    : core_(&core),
      purpose_(std::move(purpose)),
      handler_(std::move(handler)),
      done_(std::move(done)) {
  ssh_callbacks_init(&callbacks_);
  callbacks_.userdata = this;
  callbacks_.channel_data_function = [](ssh_session, ssh_channel, void* data, std::uint32_t size,
                                        int is_stderr, void* self) {
    return static_cast<ExecChannel*>(self)->take(static_cast<const char*>(data), size,
                                                 is_stderr != 0 ? 1 : 0);
  };
  callbacks_.channel_close_function = [](ssh_session, ssh_channel, void* self) {
    auto* channel = static_cast<ExecChannel*>(self);
    channel->closed_by_peer_ = true;
    channel->core_->touch();
  };
  callbacks_.channel_eof_function = [](ssh_session, ssh_channel, void* self) {
    auto* channel = static_cast<ExecChannel*>(self);
    channel->ended_by_peer_ = true;
    channel->core_->touch();
  };
  callbacks_.channel_exit_status_function = [](ssh_session, ssh_channel, int status, void* self) {
    auto* channel = static_cast<ExecChannel*>(self);
    channel->exited_ = true;
    channel->exit_status_ = status;
    channel->core_->touch();
  };
  callbacks_.channel_exit_signal_function = [](ssh_session, ssh_channel, const char* signal, int,
                                               const char*, const char*, void* self) {
    auto* channel = static_cast<ExecChannel*>(self);
    channel->exited_ = true;
    channel->exit_signal_ = shown(signal == nullptr ? "" : signal).substr(0, kSignalName);
    channel->core_->touch();
  };
}

ExecChannel::~ExecChannel() { free_channel(); }

void ExecChannel::write(std::string bytes) {
  if (core_ == nullptr || bytes.empty() || eof_wanted_ || close_wanted_) return;
  queued_ += bytes.size();
  queue_.push_back(std::move(bytes));
  core_->kick();
}

void ExecChannel::send_eof() {
  if (core_ == nullptr || eof_wanted_) return;
  eof_wanted_ = true;
  core_->kick();
}

void ExecChannel::close() {
  if (core_ == nullptr || close_wanted_) return;
  close_wanted_ = true;
  core_->kick();
}

void ExecChannel::pause() { paused_ = true; }

void ExecChannel::resume() {
  if (!paused_) return;
  paused_ = false;
  if (core_ != nullptr) core_->kick();
}

void ExecChannel::advance() {
  const auto keep = shared_from_this();
  if (state_ < State::running) advance_opening();
  if (state_ != State::running) return;
  if (close_wanted_) {
    clear_queue();
    // The first call may send only EOF (if the socket is full), the second then sends CLOSE.
    if (ssh_channel_close(channel_) != SSH_OK) ssh_channel_close(channel_);
    end(std::nullopt);
    return;
  }
  deliver_held();
  if (state_ != State::running) return;
  flush_queue();
  if (state_ != State::running || close_wanted_ || held_[0] + held_[1] > 0) return;
  if (ended_by_peer_ && !end_told_) {
    end_told_ = true;
    handler_->on_eof();
  }
  if (exited_ && !exit_told_) {
    exit_told_ = true;
    handler_->on_exit(exit_status_, exit_signal_);
  }
  if (closed_by_peer_) end(std::nullopt);
}

void ExecChannel::advance_opening() {
  if (channel_ == nullptr) {
    channel_ = ssh_channel_new(core_->session().get());
    if (channel_ == nullptr) return refuse("libssh has no channel for us");
    ssh_add_channel_callbacks(channel_, &callbacks_);
  }
  if (!purpose_.forward_to.empty()) {
    const int rc = ssh_channel_open_forward(channel_, purpose_.forward_to.c_str(),
                                            purpose_.forward_port, "127.0.0.1", 0);
    if (rc == SSH_AGAIN) return;
    if (rc != SSH_OK) return refuse("the server lets nothing through");
    return start_running();
  }
  if (state_ == State::opening) {
    const int rc = ssh_channel_open_session(channel_);
    if (rc == SSH_AGAIN) return;
    if (rc != SSH_OK) return refuse("the server opens no further channel");
    state_ = purpose_.pty ? State::requesting_pty : State::requesting_exec;
  }
  if (state_ == State::requesting_pty) {
    const int rc = ssh_channel_request_pty_size(channel_, "dumb", 80, 24);
    if (rc == SSH_AGAIN) return;
    if (rc != SSH_OK) return refuse("the server gives no terminal (pty)");
    state_ = State::requesting_exec;
  }
  const int rc = ssh_channel_request_exec(channel_, purpose_.command.c_str());
  if (rc == SSH_AGAIN && !closed_by_peer_) return;
  if (rc != SSH_OK) return refuse("the server refuses to run the command");
  start_running();
}

void ExecChannel::start_running() {
  state_ = State::running;
  purpose_.command.clear();
  auto done = std::exchange(done_, nullptr);
  done(OpenResult(std::shared_ptr<Channel>(shared_from_this())));
}

// `what` is ours; libssh's text tells what the server said.
void ExecChannel::refuse(std::string_view what) {
  Core& core = *core_;
  if (core.session().dead()) return;  // step() sees that, too, and tells it as a loss
  std::string said = core.session().error();
  const char* help = "sshd's MaxSessions limits the channels of a connection (10 by default)";
  if (!purpose_.forward_to.empty()) {
    // "Channel opening failure: channel 43 error (2) Connection refused". RFC 4254, 5.1: 2 is
    // SSH_OPEN_CONNECT_FAILED; else the server's settings are against it.
    const bool connects = said.find("error (2)") != std::string::npos;
    help = connects ? "is something listening there, as the host sees it?"
                    : "sshd's AllowTcpForwarding must be yes or local there, and PermitOpen any";
    const std::size_t code = said.find(" error (");
    const std::size_t end = code == std::string::npos ? code : said.find(") ", code);
    if (end != std::string::npos) said.erase(0, end + 2);
  }
  finish(
      core.error(Failure::no_channel, std::string(what) + (said.empty() ? "" : ": " + said), help),
      false);
}

int ExecChannel::take(const char* data, std::size_t size, int stream) {
  // libssh hands over all that it has for the stream, with what was left the last time.
  if (state_ != State::running || paused_ || close_wanted_) {
    if (close_wanted_) return static_cast<int>(size);
    set_held(stream, size);
    return 0;
  }
  set_held(stream, 0);
  deliver(std::string_view(data, size), stream);
  return static_cast<int>(size);
}

void ExecChannel::deliver(std::string_view bytes, int stream) {
  if (stream == 0) {
    handler_->on_stdout(bytes);
  } else {
    handler_->on_stderr(bytes);
  }
}

void ExecChannel::set_held(int stream, std::size_t bytes) {
  auto& mine = held_[static_cast<std::size_t>(stream)];
  core_->hold(static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(mine));
  mine = bytes;
  core_->touch();
}

// Takes what libssh kept while the channel was paused or not yet announced. Reading it opens the
// window again, which waiting for the next packet would not: the peer may have none to send.
void ExecChannel::deliver_held() {
  std::array<char, 32 * 1024> buffer;
  // In turn: much on one stream must not keep what is on the other.
  while (held_[0] + held_[1] > 0 && !paused_ && !close_wanted_) {
    int stream = std::exchange(turn_, 1 - turn_);
    if (held_[static_cast<std::size_t>(stream)] == 0) stream = 1 - stream;
    const std::size_t held = held_[static_cast<std::size_t>(stream)];
    const auto want = static_cast<std::uint32_t>(std::min(buffer.size(), held));
    const int n = ssh_channel_read_nonblocking(channel_, buffer.data(), want, stream);
    if (n <= 0) {
      set_held(stream, 0);
      continue;
    }
    set_held(stream, held - static_cast<std::size_t>(n));
    deliver(std::string_view(buffer.data(), static_cast<std::size_t>(n)), stream);
  }
}

void ExecChannel::flush_queue() {
  bool wrote = false;
  while (!queue_.empty() && !closed_by_peer_) {
    // libssh buffers without limit what the socket does not take: wait for it to be empty.
    if (core_->session().write_pending()) break;
    const std::size_t window = ssh_channel_window_size(channel_);
    const std::string& front = queue_.front();
    const std::size_t most = sent_ < kSmallUpTo ? kSmallBytes : kWriteBytes;
    const std::size_t size = std::min({front.size() - front_sent_, window, most});
    if (size == 0) break;
    const int n =
        ssh_channel_write(channel_, front.data() + front_sent_, static_cast<std::uint32_t>(size));
    if (n < 0) {
      clear_queue();  // the peer has closed the channel, or the transport is dead: both show soon
      break;
    }
    if (n == 0) break;  // a key exchange is under way; its packets will bring us back
    wrote = true;
    sent_ += static_cast<std::uint64_t>(n);
    front_sent_ += static_cast<std::size_t>(n);
    queued_ -= static_cast<std::size_t>(n);
    if (front_sent_ == front.size()) {
      queue_.pop_front();
      front_sent_ = 0;
    }
  }
  if (queue_.empty() && eof_wanted_ && !eof_sent_) {
    eof_sent_ = true;
    if (!closed_by_peer_) ssh_channel_send_eof(channel_);
  } else if (wrote && queue_.empty()) {
    handler_->on_drained();
  }
}

void ExecChannel::clear_queue() {
  queue_.clear();
  queued_ = 0;
  front_sent_ = 0;
}

void ExecChannel::finish(const TransportError& error, bool lost) {
  if (state_ == State::finished) return;
  const auto keep = shared_from_this();
  if (state_ == State::running) {
    if (!lost && core_ != nullptr && !core_->session().dead()) ssh_channel_close(channel_);
    end(lost ? std::optional(error) : std::nullopt);
    return;
  }
  auto done = std::exchange(done_, nullptr);
  handler_.reset();
  end(std::nullopt);
  done(OpenResult(error));
}

void ExecChannel::end(std::optional<TransportError> error) {
  set_held(0, 0);
  set_held(1, 0);
  state_ = State::finished;
  clear_queue();
  free_channel();
  core_->touch();
  core_ = nullptr;
  const auto handler = std::exchange(handler_, nullptr);
  if (handler) handler->on_close(std::move(error));
}

void ExecChannel::free_channel() {
  if (channel_ == nullptr) return;
  // libssh frees the channel only when the peer has closed it, and until then would call us.
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_free(channel_);
  channel_ = nullptr;
}

}  // namespace cnplay::ssh
