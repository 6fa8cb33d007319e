// Local ports through a real sshd, and through a jump host: bytes both ways, ends of each side,
// ports that are closed or in use, and nothing that stays behind.
#include "ssh/forward.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/ssh/client.h"
#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

int socket_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{kPatience.count(), 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

// A client's end of a connection.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  explicit Peer(std::uint16_t port) : fd_(socket_to(port)) {}
  ~Peer() {
    if (fd_ >= 0) ::close(fd_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  bool connected() const { return fd_ >= 0; }
  void send(const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t n = ::send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<std::size_t>(n);
    }
  }
  void end() { ::shutdown(fd_, SHUT_WR); }
  // All of it, or what came until `bytes` were there; "(no end)" if the end does not come. A reset
  // is an end.
  std::string read(std::size_t bytes = std::string::npos) {
    std::string text;
    char piece[65536];
    while (text.size() < bytes) {
      const ssize_t n = ::recv(fd_, piece, std::min(sizeof piece, bytes - text.size()), 0);
      if (n < 0 && errno != ECONNRESET) return text + "(no end)";
      if (n <= 0) break;
      text.append(piece, static_cast<std::size_t>(n));
    }
    return text;
  }

 private:
  int fd_;
};

// A server on the host's side, which handles one connection after the other.
class Server {
 public:
  explicit Server(std::function<void(Peer&)> handle) : handle_(std::move(handle)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(fd_, 64);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int one = 0; (one = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        Peer peer(one);
        handle_(peer);
      }
    });
  }
  ~Server() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::uint16_t port() const { return port_; }

 private:
  std::function<void(Peer&)> handle_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

void echo_all(Peer& peer) { peer.send("got " + peer.read()); }

class Forwarded : public ::testing::Test {
 protected:
  Forwarded() : transport_(make_transport({.threads = 1})) {}
  void connect(const Settings& settings) {
    connection_ = transport_->make(settings);
    const auto error = test::connect(*connection_);
    ASSERT_FALSE(error) << error->what;
  }
  ~Forwarded() override {
    for (const auto& forward : forwards_) forward->stop();
    if (connection_) connection_->close();
  }
  std::uint16_t forward(std::optional<Target> target) {
    auto port = LocalPort::open(0);
    const std::uint16_t number = port->number();
    forwards_.push_back(Forward::start(connection_, *std::move(port), std::move(target),
                                       [this](const Target& to, const TransportError& error) {
                                         const std::lock_guard lock(mutex_);
                                         failed_.push_back(to.host + " " + error.what + "; " +
                                                           error.help);
                                       }));
    return number;
  }
  std::vector<std::string> failed() {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

  Sshd sshd_;
  std::unique_ptr<Transport> transport_;
  std::shared_ptr<Connection> connection_;
  std::vector<std::shared_ptr<Forward>> forwards_;
  std::mutex mutex_;
  std::vector<std::string> failed_;
};

TEST_F(Forwarded, BytesPassBothWaysUntilBothSidesHaveEnded) {
  connect(sshd_.settings());
  Server server(echo_all);
  const auto port = forward(Target{"localhost", server.port()});
  for (int i = 0; i < 3; ++i) {
    Peer peer(port);
    peer.send("hello");
    peer.end();
    EXPECT_EQ(peer.read(), "got hello");
  }
}

TEST_F(Forwarded, AServerThatEndsFirstEndsTheClientsReading) {
  connect(sshd_.settings());
  Server server([](Peer& peer) { peer.send("bye"); });
  Peer peer(forward(Target{"127.0.0.1", server.port()}));
  EXPECT_EQ(peer.read(), "bye") << "without the client having ended its own side";
}

TEST_F(Forwarded, MuchPassesWholeWhileNobodyReads) {
  connect(sshd_.settings());
  const std::string much(std::size_t{24} << 20, 'x');
  Server server([&](Peer& peer) {
    const std::string got = peer.read(much.size());
    peer.send(got);
  });
  Peer peer(forward(Target{"127.0.0.1", server.port()}));
  std::thread sender([&] { peer.send(much); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // both sides are full by then
  EXPECT_TRUE(peer.read(much.size()) == much);
  sender.join();
}

TEST_F(Forwarded, ManyConnectionsAtOnce) {
  connect(sshd_.settings());
  Server server(echo_all);
  const auto port = forward(Target{"127.0.0.1", server.port()});
  std::deque<Peer> peers;
  for (int i = 0; i < 30; ++i) peers.emplace_back(port);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    peers[i].send(std::to_string(i));
    peers[i].end();
  }
  for (std::size_t i = 0; i < peers.size(); ++i) {
    EXPECT_EQ(peers[i].read(), "got " + std::to_string(i));
  }
}

TEST_F(Forwarded, AClosedPortOnTheHostIsToldAndThePortStays) {
  connect(sshd_.settings());
  const std::uint16_t closed = free_port();
  const auto port = forward(Target{"127.0.0.1", closed});
  for (std::size_t i = 1; i <= 2; ++i) {
    Peer peer(port);
    EXPECT_EQ(peer.read(), "");
    EXPECT_TRUE(eventually([&] { return failed().size() == i; }));
  }
  EXPECT_THAT(failed()[0], HasSubstr("127.0.0.1 "));
  EXPECT_THAT(failed()[0], HasSubstr("Connection refused"));
  EXPECT_TRUE(connection_->connected());
}

TEST_F(Forwarded, AServerThatForbidsItSaysSo) {
  Sshd strict("AllowTcpForwarding no\n");
  connect(strict.settings());
  Peer peer(forward(Target{"127.0.0.1", 80}));
  EXPECT_EQ(peer.read(), "");
  EXPECT_TRUE(eventually([&] { return !failed().empty(); }));
  EXPECT_THAT(failed()[0], HasSubstr("AllowTcpForwarding must be yes"));
}

TEST_F(Forwarded, ThroughAJumpHost) {
  Sshd inner;
  Settings settings = inner.settings();
  settings.jump = std::make_shared<const Settings>(sshd_.settings());
  connect(settings);
  Server server(echo_all);
  Peer peer(forward(Target{"127.0.0.1", server.port()}));
  peer.send("inside");
  peer.end();
  EXPECT_EQ(peer.read(), "got inside");
}

TEST_F(Forwarded, SocksReachesWhatTheClientNames) {
  connect(sshd_.settings());
  Server server(echo_all);
  const auto port = forward(std::nullopt);
  Peer peer(port);
  peer.send("\x05\x01\x00"s);
  EXPECT_EQ(peer.read(2), "\x05\x00"s);
  peer.send("\x05\x01\x00\x03\x09localhost"s + static_cast<char>(server.port() / 256) +
            static_cast<char>(server.port() % 256) + "early");
  EXPECT_EQ(peer.read(10), Socks::answer(true));
  peer.send(" and late");
  peer.end();
  EXPECT_EQ(peer.read(), "got early and late");
}

TEST_F(Forwarded, SocksSaysWhatItCannotReachAndRefusesOtherProtocols) {
  connect(sshd_.settings());
  const auto port = forward(std::nullopt);
  const std::uint16_t closed = free_port();
  Peer refused(port);
  refused.send("\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01"s + static_cast<char>(closed / 256) +
               static_cast<char>(closed % 256));
  EXPECT_EQ(refused.read(), "\x05\x00"s + Socks::answer(false));
  Peer http(port);
  http.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(http.read(), "");
  Peer silent(port);  // it may wait as long as it likes
  EXPECT_TRUE(eventually([&] { return failed().size() == 2; }));
  EXPECT_THAT(failed()[1], HasSubstr("not a SOCKS5 request"));
}

TEST_F(Forwarded, StopClosesThePortAndItsConnections) {
  connect(sshd_.settings());
  Server server([](Peer& peer) { peer.read(); });
  const auto port = forward(Target{"127.0.0.1", server.port()});
  Peer peer(port);
  peer.send("x");
  EXPECT_TRUE(peer.connected());
  forwards_[0]->stop();
  EXPECT_EQ(peer.read(), "");
  EXPECT_TRUE(eventually([&] { return socket_to(port) < 0; }));
}

TEST_F(Forwarded, ALostConnectionEndsItsConnections) {
  connect(sshd_.settings());
  Server server([](Peer& peer) { peer.read(); });
  Peer peer(forward(Target{"127.0.0.1", server.port()}));
  peer.send("x");
  run("pkill -9 -P " + std::to_string(sshd_.pid()));
  EXPECT_EQ(peer.read(), "");
}

TEST(LocalPorts, AreOfTheLoopbackAloneAndExclusive) {
  auto first = LocalPort::open(0);
  ASSERT_TRUE(first);
  const std::string port = std::to_string(first->number());
  EXPECT_THAT(run("ss -Hltn 'sport = :" + port + "'"), HasSubstr(" 127.0.0.1:" + port));
  const auto second = LocalPort::open(first->number());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().what, "127.0.0.1:" + port + " is in use: another program listens there");
  const std::uint16_t number = first->number();
  { const LocalPort closed = *std::move(first); }
  EXPECT_TRUE(LocalPort::open(number));
}

TEST(ForwardSpecs, APortOrThreeParts) {
  const auto one = read_forward("8000");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->local, 8000);
  EXPECT_EQ(one->target.host, "localhost");
  EXPECT_EQ(one->target.port, 8000);
  const auto three = read_forward("9000:db.internal:5432");
  ASSERT_TRUE(three);
  EXPECT_EQ(three->local, 9000);
  EXPECT_EQ(three->target.host, "db.internal");
  EXPECT_EQ(three->target.port, 5432);
  EXPECT_EQ(read_forward("9000:[fe80::1]:80")->target.host, "fe80::1");
  for (const char* bad : {"", "0", "65536", "-1", "+80", " 80", "80x", "8000:8000", "1:h:", ":h:1",
                          "1::2", "1:a b:2", "1:fe80::1:2", "1:[]:2", "1:[x:2", "a:h:1", "1:h:2:3",
                          "1:h\x01:2", "99999999999999999999"}) {
    const auto read = read_forward(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_THAT(read.error().help, HasSubstr("8000")) << bad;
  }
}

}  // namespace
}  // namespace cnplay::ssh::test
