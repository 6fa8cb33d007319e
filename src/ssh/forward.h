// Ports of this machine whose connections are made from a host: what `ssh -L` and `ssh -D` do.
//
//   auto port = LocalPort::open(8000);
//   auto forward = Forward::start(connection, *std::move(port), Target{"localhost", 8000}, failed);
//
// Threads: Forward::start and stop may be called from any thread, on a connection that is
// connected. Callbacks come on the connection's strand.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "ssh/socks.h"
#include "ssh/transport.h"

namespace cnplay::ssh {

// `8000`: this port here, and localhost:8000 on the host. `8000:db.internal:5432`: the port here, a
// name or address as the host sees it (IPv6 in brackets), and its port.
struct ForwardSpec {
  std::uint16_t local = 0;
  Target target;
};
Result<ForwardSpec> read_forward(std::string_view text);
// A port between 1 and 65535, in digits alone.
std::optional<std::uint16_t> read_port(std::string_view text);

// A listening socket on 127.0.0.1, and nowhere else.
class LocalPort {
 public:
  // 0: a port that is free. An Error says that the port is in use, or why it cannot be had.
  static Result<LocalPort> open(std::uint16_t port);
  LocalPort(LocalPort&& other) noexcept;
  LocalPort& operator=(LocalPort&&) = delete;
  ~LocalPort();

  std::uint16_t number() const { return number_; }
  int release();  // whoever calls it closes the descriptor

 private:
  LocalPort(int fd, std::uint16_t number) : fd_(fd), number_(number) {}
  int fd_;
  std::uint16_t number_;
};

// One port. Every connection to it becomes a channel to the target; at most kMostConnections at a
// time, the next are closed at once.
class Forward {
 public:
  static constexpr std::size_t kMostConnections = 1000;
  // A connection was not made: what it was for (an empty host: the client spoke no SOCKS5), and
  // why. The port stays open.
  using Failed = std::function<void(const Target&, const TransportError&)>;

  // `target`: for all connections; nullopt: each names its own, by SOCKS5.
  static std::shared_ptr<Forward> start(std::shared_ptr<Connection> connection, LocalPort port,
                                        std::optional<Target> target, Failed failed);
  virtual ~Forward() = default;
  // Closes the port and its connections. Callbacks may still come from what was under way.
  virtual void stop() = 0;
};

}  // namespace cnplay::ssh
