#include "ssh/core.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "ssh/channel.h"
#include "ssh/errors.h"

namespace cnplay::ssh {
namespace {

using boost::system::error_code;

constexpr auto kCloseBound = std::chrono::milliseconds(500);

}  // namespace

Core::Core(std::shared_ptr<Shard> shard, Settings settings)
    : shard_(std::move(shard)),
      settings_(std::move(settings)),
      socket_(shard_->io()),
      timer_(shard_->io()),
      keepalive_(shard_->io()),
      wake_(shard_->io()) {}

Core::~Core() { shard_->remove(this); }

TransportError Core::error(Failure kind, std::string_view what, std::string help) const {
  return make_error(kind, settings_, peer_, what, std::move(help));
}

void Core::open_exec(std::string command, bool pty, std::shared_ptr<ChannelHandler> handler,
                     std::function<void(OpenResult)> done) {
  if (state_ != State::established) {
    return done(OpenResult(error(Failure::lost, "the connection is not open")));
  }
  if (command.find('\0') != std::string::npos) {
    return done(OpenResult(error(Failure::no_channel, "the command holds a NUL byte")));
  }
  Purpose purpose;
  purpose.command = std::move(command);
  purpose.pty = pty;
  channels_.push_back(std::make_shared<ExecChannel>(*this, std::move(purpose), std::move(handler),
                                                    std::move(done)));
  kick();
}

void Core::open_forward(std::string host, std::uint16_t port,
                        std::shared_ptr<ChannelHandler> handler,
                        std::function<void(OpenResult)> done) {
  if (state_ != State::established) {
    return done(OpenResult(error(Failure::lost, "the connection is not open")));
  }
  Purpose purpose;
  purpose.forward_to = std::move(host);
  purpose.forward_port = port;
  channels_.push_back(std::make_shared<ExecChannel>(*this, std::move(purpose), std::move(handler),
                                                    std::move(done)));
  kick();
}

void Core::kick() {
  if (kicked_) return;
  kicked_ = true;
  boost::asio::post(shard_->io(), [self = shared_from_this()] {
    self->kicked_ = false;
    if (self->state_ == State::established) self->step();
  });
}

void Core::hold(std::ptrdiff_t change) { held_ += change; }

// While its paused channels hold too much, the connection's socket is not read: even a peer that
// ignores its windows cannot fill our memory.
bool Core::full() const { return held_ >= shard_->shared().held_limit(); }

// The socket is ready, or was left ready: let libssh work, then go on with what that made possible.
void Core::pump() {
  if (session_ == nullptr || borrowed_) return;
  const Session::Pump result = session_->pump([this] { return full(); });
  if (state_ == State::connecting) return wake();
  if (state_ == State::closing) {
    if (result == Session::Pump::dead || !session_->write_pending()) return finish_close();
    return arm();
  }
  if (state_ != State::established) return;
  step();  // which waits for the socket again; what is left to read makes that ready at once
}

void Core::step() {
  if (stepping_) return;
  stepping_ = true;
  const auto keep = shared_from_this();
  // Advancing one channel may read packets for another (libssh flushes by polling): go round again.
  // Bounded, since a peer that sends without end must not keep the loop.
  for (int round = 0; round < 4; ++round) {
    touched_ = false;
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      const auto channel = channels_[i];
      channel->advance();
    }
    std::erase_if(channels_, [](const auto& channel) { return channel->finished(); });
    if (!touched_) break;
  }
  stepping_ = false;
  if (session_->dead()) return lose(session_->error());
  // After every write libssh wants to hear that the socket takes more: mostly it does, at once.
  Session::Pump result = Session::Pump::idle;
  if (session_->wants_write()) result = session_->pump([this] { return full(); });
  if (result == Session::Pump::dead) return lose(session_->error());
  if (touched_) kick();
  arm();
}

void Core::arm() {
  if (session_ == nullptr || borrowed_) return;
  const int fd = session_->fd();
  // libssh has closed it: nothing will come any more, and its number may be another's by now.
  if (fd < 0) {
    return boost::asio::post(shard_->io(), [self = shared_from_this()] { self->pump(); });
  }
  const bool read = !full();
  const bool write = session_->wants_write();
  if (!read && !write) return;
  const Status waits = shard_->poller().wait(watch_, fd, read, write, shared_from_this());
  if (waits) return;
  if (pending()) {
    return fail_connect(error(Failure::protocol, waits.error().what, waits.error().help));
  }
  if (state_ == State::closing) return finish_close();
  lose(waits.error().what, waits.error().help);
}

void Core::lose(std::string why, std::string help) {
  if (state_ != State::established) return;
  state_ = State::dead;
  const auto keep = shared_from_this();
  if (why.empty()) why = "closed by the host";
  why += proxy_words();
  const TransportError lost =
      error(Failure::lost, "the connection was lost: " + why, std::move(help));
  for (const auto& channel : std::exchange(channels_, {})) channel->finish(lost, true);
  tear_down();
  if (const auto callback = std::exchange(on_lost_, nullptr)) callback(lost);
}

void Core::start_keepalive() {
  if (settings_.keepalive.count() <= 0 || state_ != State::established) return;
  keepalive_.expires_after(settings_.keepalive);
  keepalive_.async_wait([weak = weak_from_this()](error_code ec) {
    const auto self = weak.lock();
    if (!ec && self) self->keepalive_tick();
  });
}

void Core::keepalive_tick() {
  if (state_ != State::established) return;
  const std::uint64_t received = session_->bytes_received();
  if (received != bytes_seen_ || full()) {
    bytes_seen_ = received;
    silent_intervals_ = 0;
  } else if (++silent_intervals_ >= std::max(1U, settings_.keepalive_count)) {
    return lose("no sign of life for " +
                    human_duration(settings_.keepalive * std::max(1U, settings_.keepalive_count)),
                "is the host down, or the network to it?");
  }
  session_->send_keepalive();
  step();
  start_keepalive();
}

void Core::close() {
  if (state_ == State::connecting) {
    return fail_connect(error(Failure::lost, "closed while connecting"));
  }
  if (state_ == State::idle) state_ = State::dead;
  if (state_ != State::established) return;
  state_ = State::closing;
  const auto keep = shared_from_this();
  keepalive_.cancel();
  on_lost_ = nullptr;
  const TransportError closed = error(Failure::lost, "closed while a channel was opened");
  for (const auto& channel : std::exchange(channels_, {})) channel->finish(closed, false);
  if (session_->dead() || !session_->write_pending()) return finish_close();
  timer_.expires_after(kCloseBound);
  timer_.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec) self->finish_close();
  });
  arm();
}

void Core::finish_close() {
  if (state_ != State::closing) return;
  state_ = State::dead;
  session_->say_goodbye();
  tear_down();
}

void Core::tear_down() {
  timer_.cancel();
  keepalive_.cancel();
  wake();
  interrupt_agent();
  if (borrowed_) return;  // run_connect() comes back to this when the worker has let go
  shard_->poller().forget(watch_);
  session_.reset();
  release_agent();
  error_code ignored;
  socket_.close(ignored);
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  gate_.reset();
  if (proxy_said_ >= 0) ::close(std::exchange(proxy_said_, -1));
}

}  // namespace cnplay::ssh
