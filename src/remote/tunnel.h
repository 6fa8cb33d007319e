// A tunnel to one host: ports of this machine whose connections the host makes, and a command on it
// that lives as long as the tunnel.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "ssh/forward.h"
#include "ssh/transport.h"

namespace cnplay::remote {

struct TunnelPort {
  ssh::LocalPort port;                // open already
  std::optional<ssh::Target> target;  // as the host sees it; nullopt: SOCKS5
};

struct TunnelOptions {
  std::string command;  // POSIX sh that runs on the host meanwhile; "": none
  // How often the host is shown that the tunnel lives.
  Duration beat{std::chrono::seconds(10)};
  // From the last sign of life to the end of the command, which the host ends itself. In whole
  // seconds.
  Duration fuse{std::chrono::seconds(60)};
  // How long the end of the command is awaited after a request to stop.
  Duration patience{std::chrono::seconds(12)};
};

// Told on the thread of Tunnel::run().
class TunnelView {
 public:
  virtual ~TunnelView() = default;
  virtual void opened() = 0;
  // One connection was not made (its target's host is empty if the client spoke no SOCKS5). The
  // tunnel stays.
  virtual void failed(const ssh::Target& target, const ssh::TransportError& error) = 0;
  // What the command writes: bytes of the host, as they come.
  virtual void output(bool is_stderr, std::string_view bytes) = 0;
};

struct TunnelEnd {
  enum class Why { stopped, command_ended, lost, not_connected } why{};
  std::optional<ssh::TransportError> error;  // of lost, not_connected; of a command not started
  std::optional<int> status;                 // of the command, if it has one
  std::string signal;                        // that ended it; "" if none
  bool unconfirmed = false;                  // stopped, and the host has not said that it ended
};

class Tunnel {
 public:
  Tunnel(ssh::Transport& transport, ssh::Settings settings, std::vector<TunnelPort> ports,
         TunnelOptions options);
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  ~Tunnel();

  // Connects, forwards, and returns when it is over: `requests` is 1 or more (at 2 the end of the
  // command is not awaited), the command has ended, or the connection is lost. The ports are closed
  // then, and the command has ended, unless `unconfirmed`. Once.
  TunnelEnd run(TunnelView& view, const std::atomic<int>& requests);
  // Has run() look at `requests`. Any thread.
  void wake();

 private:
  class Command;
  struct Queue;

  std::optional<ssh::TransportError> connect(const std::atomic<int>& requests);
  void deliver(TunnelView& view);
  void stop(TunnelView& view, TunnelEnd& end, const std::atomic<int>& requests);

  std::shared_ptr<Queue> queue_;
  std::shared_ptr<ssh::Connection> connection_;
  std::vector<TunnelPort> ports_;
  std::vector<std::shared_ptr<ssh::Forward>> forwards_;
  std::shared_ptr<Command> command_;
  TunnelOptions options_;
};

}  // namespace cnplay::remote
