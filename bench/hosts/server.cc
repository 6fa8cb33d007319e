#include "server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace cnplay::bench {
namespace {

constexpr int kPolls = 64;  // of one turn, for the others' sake

bool one_of(unsigned every, std::uint32_t address) { return every != 0 && address % every == 0; }

}  // namespace

HostConnection::HostConnection(World& world, int fd, std::uint32_t address, std::uint16_t port,
                               std::uint64_t number)
    : world_(world),
      line_(world.options.delay.count() == 0 ? nullptr
                                             : std::make_unique<DelayLine>(world, fd, number)),
      fd_(line_ ? line_->inside() : fd),
      address_(address),
      memory_(world.hosts[std::uint64_t{address} << 16 | port]) {
  watch_ = world_.loop.add(fd_, *this);
  prepare();
}

HostConnection::~HostConnection() {
  for (Channel& channel : channels_) {
    if (channel.channel != nullptr) {
      ssh_remove_channel_callbacks(channel.channel, &channel.callbacks);
    }
  }
  channels_.clear();
  // libssh may have closed the descriptor already, and then it may be somebody else's by now.
  world_.loop.remove(watch_, session_ != nullptr && ssh_get_fd(session_) == fd_ ? fd_ : -1);
  if (event_ != nullptr) {
    ssh_event_remove_session(event_, session_);
    ssh_event_free(event_);
  }
  if (session_ != nullptr) {
    ssh_silent_disconnect(session_);
    ssh_free(session_);
  }
}

void HostConnection::prepare() {
  session_ = ssh_new();
  if (session_ == nullptr || ssh_bind_accept_fd(world_.bind, session_, fd_) != SSH_OK) {
    std::fprintf(stderr, "hosts: %s\n", ssh_get_error(world_.bind));
    return finish();
  }
  ssh_callbacks_init(&callbacks_);
  callbacks_.userdata = this;
  callbacks_.auth_pubkey_function = [](ssh_session, const char*, ssh_key key, char state,
                                       void* data) -> int {
    auto* self = static_cast<HostConnection*>(data);
    ssh_key only = self->world_.options.key;
    if (only != nullptr && ssh_key_cmp(key, only, SSH_KEY_CMP_PUBLIC) != 0) return SSH_AUTH_DENIED;
    if (state == SSH_PUBLICKEY_STATE_NONE) return SSH_AUTH_SUCCESS;
    if (state != SSH_PUBLICKEY_STATE_VALID) return SSH_AUTH_DENIED;
    if (!std::exchange(self->authenticated_, true)) ++self->world_.authenticated;
    return SSH_AUTH_SUCCESS;
  };
  callbacks_.channel_open_request_session_function = [](ssh_session, void* data) {
    return static_cast<HostConnection*>(data)->open_channel();
  };
  ssh_set_server_callbacks(session_, &callbacks_);
  ssh_set_auth_methods(session_, SSH_AUTH_METHOD_PUBLICKEY);
  ssh_set_blocking(session_, 0);
  pump();
}

ssh_channel HostConnection::open_channel() {
  if (!authenticated_) return nullptr;
  Channel& channel = channels_.emplace_back(*this);
  channel.channel = ssh_channel_new(session_);
  ssh_callbacks_init(&channel.callbacks);
  channel.callbacks.userdata = &channel;
  channel.callbacks.channel_exec_request_function = [](ssh_session, ssh_channel,
                                                       const char* command, void* data) {
    auto* self = static_cast<Channel*>(data);
    return self->connection.start(*self, command);
  };
  channel.callbacks.channel_data_function = [](ssh_session, ssh_channel, void* bytes,
                                               std::uint32_t size, int, void* data) {
    auto* self = static_cast<Channel*>(data);
    HostConnection& connection = self->connection;
    // Whoever asks again has heard the shell to its end; what it asks now is lost with the line.
    if (connection.due()) {
      connection.asked_ = true;
      return static_cast<int>(size);
    }
    if (self->command) self->command->input({static_cast<const char*>(bytes), size});
    return static_cast<int>(size);
  };
  channel.callbacks.channel_eof_function = [](ssh_session, ssh_channel, void* data) {
    auto* self = static_cast<Channel*>(data);
    if (self->command) self->command->input_ended();
  };
  channel.callbacks.channel_close_function = [](ssh_session, ssh_channel, void* data) {
    static_cast<Channel*>(data)->ended = true;
  };
  ssh_add_channel_callbacks(channel.channel, &channel.callbacks);
  return channel.channel;
}

int HostConnection::start(Channel& channel, const char* command) {
  if (channel.command) return 1;
  Speaker speaker;
  speaker.say = [this, &channel](int stream, std::string_view bytes) {
    say(channel, stream, bytes);
  };
  speaker.exit = [this, &channel](int status) {
    channel.status = status;
    channel.eof = true;
    pump();
  };
  ++world_.commands;
  const std::string& directory = world_.options.directory;
  channel.command = directory.empty()
                        ? make_responder(memory_, std::move(speaker))
                        : make_child(world_.loop, directory, command, std::move(speaker));
  if (!channel.command) std::perror("hosts: sh");
  return channel.command ? 0 : 1;
}

void HostConnection::say(Channel& channel, int stream, std::string_view bytes) {
  said_ += bytes.size();
  channel.queue[stream] += bytes;
  pump();
}

void HostConnection::flush(Channel& channel) {
  for (const int stream : {0, 1}) {
    std::string& queue = channel.queue[stream];
    while (!queue.empty() && !channel.ended) {
      const auto size = static_cast<std::uint32_t>(
          std::min<std::size_t>(queue.size(), ssh_channel_window_size(channel.channel)));
      if (size == 0) break;
      const int n = stream == 0 ? ssh_channel_write(channel.channel, queue.data(), size)
                                : ssh_channel_write_stderr(channel.channel, queue.data(), size);
      if (n <= 0) break;
      queue.erase(0, static_cast<std::size_t>(n));
    }
    if (queue.empty()) queue.shrink_to_fit();
  }
  if (channel.eof && !channel.ended && channel.queue[0].empty() && channel.queue[1].empty()) {
    channel.ended = true;
    ssh_channel_request_send_exit_status(channel.channel, channel.status);
    ssh_channel_send_eof(channel.channel);
    ssh_channel_close(channel.channel);
  }
}

void HostConnection::ready(std::uint32_t) { pump(); }

void HostConnection::pump() {
  // A command that speaks while libssh works is heard at the end of that.
  if (finished_ || stalled_ || std::exchange(pumping_, true)) return;
  if (event_ == nullptr) {
    // The first call only says who we are, and makes what the event takes the session from.
    if (ssh_handle_key_exchange(session_) == SSH_ERROR) return finish();
    event_ = ssh_event_new();
    if (ssh_event_add_session(event_, session_) != SSH_OK) return finish();
  }
  int rc = SSH_OK;
  for (int i = 0; i < kPolls && rc == SSH_OK; ++i) {
    rc = ssh_event_dopoll(event_, 0);
    if (!exchanged_ && rc != SSH_ERROR) {
      const int done = ssh_handle_key_exchange(session_);
      if (done == SSH_ERROR) return finish();
      exchanged_ = done == SSH_OK;
    }
  }
  for (Channel& channel : channels_) flush(channel);
  if (rc == SSH_ERROR || ssh_is_connected(session_) == 0) return finish();
  pumping_ = false;
  if (!strike()) arm();
}

bool HostConnection::due() const {
  const Options& options = world_.options;
  return !struck_ && authenticated_ && said_ >= options.after && (!memory_.hit || options.always) &&
         (one_of(options.drop, address_) || one_of(options.stall, address_) ||
          one_of(options.corrupt, address_));
}

bool HostConnection::strike() {
  if (!asked_ || !due()) return false;
  const bool drop = one_of(world_.options.drop, address_);
  const bool stall = one_of(world_.options.stall, address_);
  struck_ = memory_.hit = true;
  ++world_.faults;
  if (drop) {
    const linger hard{1, 0};
    ::setsockopt(line_ ? line_->outside() : fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    finish();
    return true;
  }
  if (stall) {
    stalled_ = true;
    return true;
  }
  const std::string noise(64, '\x55');
  (void)!::send(fd_, noise.data(), noise.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return false;
}

void HostConnection::arm() {
  const bool write = (ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) != 0;
  world_.loop.wait(watch_, fd_, std::uint32_t{EPOLLIN} | (write ? std::uint32_t{EPOLLOUT} : 0U));
}

// Deleted by the loop, when nobody stands in it any more.
void HostConnection::finish() {
  if (std::exchange(finished_, true)) return;
  world_.finished.push_back(this);
}

}  // namespace cnplay::bench
