#include "ssh/forward.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "ssh/errors.h"

namespace cnplay::ssh {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// More than this is not taken from one side before the other has taken it.
constexpr std::size_t kMostQueued = 1024 * 1024;
// Out of descriptors: how long until the next connection is accepted.
constexpr auto kPause = std::chrono::milliseconds(200);

// One connection to the port, and the channel that it became. On the strand; kept alive by what it
// has under way.
class Relay final : public ChannelHandler, public std::enable_shared_from_this<Relay> {
 public:
  Relay(std::shared_ptr<Connection> connection, tcp::socket socket, Forward::Failed failed)
      : connection_(std::move(connection)),
        socket_(std::move(socket)),
        failed_(std::move(failed)) {}

  void start(const std::optional<Target>& target) {
    if (target) return open(*target);
    socks_.emplace();
    read_greeting();
  }
  void stop() {
    if (channel_) channel_->close();
    close_socket();
  }
  bool open() const { return socket_.is_open(); }

  void on_stdout(std::string_view bytes) override {
    queue_ += bytes;
    if (queue_.size() > kMostQueued && channel_) channel_->pause();
    write();
  }
  void on_stderr(std::string_view) override {}
  void on_exit(std::optional<int>, std::string) override {}
  void on_drained() override { read(); }
  void on_eof() override {
    peer_ended_ = true;
    write();
  }
  void on_close(std::optional<TransportError>) override {
    channel_.reset();
    over_ = true;
    write();
  }

 private:
  void open(Target target) {
    target_ = std::move(target);
    connection_->open_forward(
        target_.host, target_.port, shared_from_this(),
        [self = shared_from_this()](OpenResult result) { self->opened(std::move(result)); });
  }

  void opened(OpenResult result) {
    if (const auto* error = std::get_if<TransportError>(&result)) {
      failed_(target_, *error);
      return end_with(socks_ ? queue_ + Socks::answer(false) : std::string());
    }
    channel_ = std::get<std::shared_ptr<Channel>>(std::move(result));
    if (!open()) return channel_->close();
    if (socks_) {
      queue_ += Socks::answer(true);
      if (!socks_->rest().empty()) channel_->write(socks_->rest());
      write();
    }
    read();
  }

  void read_greeting() {
    socket_.async_read_some(
        asio::buffer(buffer_), [self = shared_from_this()](error_code error, std::size_t n) {
          if (error) return self->close_socket();
          std::string answer = self->socks_->take(std::string_view(self->buffer_.data(), n));
          if (self->socks_->state() == Socks::State::refused) {
            self->failed_({}, {Failure::protocol, "it is not a SOCKS5 request without a password",
                               "set the program's proxy to socks5h://127.0.0.1:PORT"});
            return self->end_with(std::move(answer));
          }
          if (self->socks_->state() == Socks::State::ready) {
            self->queue_ = std::move(answer);  // to a greeting that came together with its request
            return self->open(self->socks_->target());
          }
          self->answer(std::move(answer));
        });
  }

  // Sends a greeting's answer, then reads on.
  void answer(std::string bytes) {
    if (bytes.empty()) return read_greeting();
    writing_ = std::move(bytes);
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        self->writing_.clear();
                        if (error) return self->close_socket();
                        self->read_greeting();
                      });
  }

  void end_with(std::string bytes) {
    over_ = true;
    queue_ = std::move(bytes);
    write();
  }

  void read() {
    if (reading_ || ended_ || !channel_ || channel_->queued() > kMostQueued) return;
    reading_ = true;
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, std::size_t n) {
                              self->reading_ = false;
                              if (!self->channel_) return;
                              if (error == asio::error::eof) {
                                self->ended_ = true;
                                return self->channel_->send_eof();
                              }
                              if (error) return self->channel_->close();
                              self->channel_->write(std::string(self->buffer_.data(), n));
                              self->read();
                            });
  }

  void write() {
    if (!writing_.empty() || !socket_.is_open()) return;
    if (queue_.empty()) {
      error_code ignored;
      if (over_) {
        close_socket();
      } else if (peer_ended_) {
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
      }
      return;
    }
    writing_ = std::exchange(queue_, {});
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        self->writing_.clear();
                        if (error) return self->stop();
                        if (self->channel_) self->channel_->resume();
                        self->write();
                      });
  }

  void close_socket() {
    error_code ignored;
    socket_.close(ignored);
  }

  std::shared_ptr<Connection> connection_;
  tcp::socket socket_;
  Forward::Failed failed_;
  std::optional<Socks> socks_;
  Target target_;
  std::shared_ptr<Channel> channel_;
  std::array<char, 32 * 1024> buffer_{};
  std::string queue_;    // for the socket
  std::string writing_;  // of it: on its way
  bool reading_ = false;
  bool ended_ = false;       // nothing more comes from the socket
  bool peer_ended_ = false;  // nothing more comes from the host
  bool over_ = false;        // the channel is closed, or never was: what is queued is the last
};

class Port final : public Forward, public std::enable_shared_from_this<Port> {
 public:
  Port(std::shared_ptr<Connection> connection, int fd, std::optional<Target> target, Failed failed)
      : connection_(std::move(connection)),
        acceptor_(connection_->executor(), tcp::v4(), fd),
        pause_(connection_->executor()),
        target_(std::move(target)),
        failed_(std::move(failed)) {}

  void accept() {
    if (!acceptor_.is_open()) return;
    acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
      // One that was accepted just before stop() ends with its socket.
      if (error == asio::error::operation_aborted || !self->acceptor_.is_open()) return;
      if (error) return self->wait();
      self->take(std::move(socket));
      self->accept();
    });
  }

  void stop() override {
    asio::post(connection_->executor(), [self = shared_from_this()] {
      error_code ignored;
      self->acceptor_.close(ignored);
      self->pause_.cancel();
      for (const auto& weak : std::exchange(self->relays_, {})) {
        if (const auto relay = weak.lock()) relay->stop();
      }
    });
  }

 private:
  void wait() {
    pause_.expires_after(kPause);
    pause_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->accept();
    });
  }

  void take(tcp::socket socket) {
    std::erase_if(relays_, [](const auto& weak) { return weak.expired(); });
    if (relays_.size() >= kMostConnections) return;
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto relay = std::make_shared<Relay>(connection_, std::move(socket), failed_);
    relays_.push_back(relay);
    relay->start(target_);
  }

  std::shared_ptr<Connection> connection_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::optional<Target> target_;
  Failed failed_;
  std::vector<std::weak_ptr<Relay>> relays_;
};

Error not_open(std::uint16_t port, int error) {
  const std::string where = "127.0.0.1:" + std::to_string(port);
  if (error == EADDRINUSE) {
    return fail(
        where + " is in use: another program listens there",
        "choose another local port, such as " + std::to_string(port < 65535 ? port + 1 : 8000) +
            ":localhost:" + std::to_string(port) + ", or end that program (`ss -ltnp` names it)");
  }
  if (error == EACCES) {
    return fail(where + " cannot be opened: ports below 1024 are root's",
                "choose another local port, such as 8080:localhost:" + std::to_string(port));
  }
  return fail(where + " cannot be opened: " + std::strerror(error));
}

}  // namespace

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

Result<ForwardSpec> read_forward(std::string_view text) {
  if (const auto port = read_port(text)) return ForwardSpec{*port, {"localhost", *port}};
  const Error bad = fail("`" + shown(text) + "` is not a valid port, nor LOCAL:HOST:PORT",
                         "write 8000, or 8001:localhost:8000");
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (first == std::string_view::npos || first == last) return bad;
  const auto local = read_port(text.substr(0, first));
  const auto port = read_port(text.substr(last + 1));
  std::string_view host = text.substr(first + 1, last - first - 1);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool clean =
      std::ranges::all_of(host, [](char c) { return c > ' ' && c < 0x7f && c != '[' && c != ']'; });
  const bool colon = host.find(':') != std::string_view::npos;
  if (!local || !port || host.empty() || !clean || (colon && !bracketed)) return bad;
  return ForwardSpec{*local, {std::string(host), *port}};
}

Result<LocalPort> LocalPort::open(std::uint16_t number) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return not_open(number, errno);
  LocalPort port(fd, number);
  // A port that was closed a moment ago can be had again.
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(number);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(fd, SOMAXCONN) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return not_open(number, errno);
  }
  port.number_ = ntohs(address.sin_port);
  return port;
}

LocalPort::LocalPort(LocalPort&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), number_(other.number_) {}

LocalPort::~LocalPort() {
  if (fd_ >= 0) ::close(fd_);
}

int LocalPort::release() { return std::exchange(fd_, -1); }

std::shared_ptr<Forward> Forward::start(std::shared_ptr<Connection> connection, LocalPort port,
                                        std::optional<Target> target, Failed failed) {
  auto forward =
      std::make_shared<Port>(connection, port.release(), std::move(target), std::move(failed));
  asio::post(connection->executor(), [forward] { forward->accept(); });
  return forward;
}

}  // namespace cnplay::ssh
