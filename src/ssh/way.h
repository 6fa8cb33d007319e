// Inside of ssh/: ways to a host other than TCP from here: a channel of a jump host's connection,
// which all hosts behind it share (one a loop), and a command's stdin and stdout. Everything on the
// strand.
#pragma once

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ssh/shard.h"
#include "ssh/transport.h"

namespace cnplay::ssh {

class Core;

// The connection to a jump host. Closed when the last host behind it has gone.
class Gate : public std::enable_shared_from_this<Gate> {
 public:
  using Told = std::function<void(const std::optional<TransportError>&)>;

  // The one of this loop; made if there is none, or if it is dead.
  static std::shared_ptr<Gate> to(const std::shared_ptr<Shard>& shard, const Settings& settings);
  explicit Gate(std::shared_ptr<Core> core);
  ~Gate();

  // `told` is called once it stands, or has failed; never from inside this call.
  void when_open(Told told);
  Core& core() { return *core_; }

 private:
  void begin();
  void answer(const std::optional<TransportError>& error);

  std::shared_ptr<Core> core_;
  std::optional<std::optional<TransportError>> result_;
  std::vector<Told> waiting_;
};

// Carries bytes between a channel to a host and the socket that the host's session works on.
class Bridge final : public ChannelHandler, public std::enable_shared_from_this<Bridge> {
 public:
  // Takes over `fd`. `inner`: whose way this is; told when it breaks.
  Bridge(boost::asio::io_context& io, int fd, std::weak_ptr<Core> inner, std::string gate);
  void start(std::shared_ptr<Channel> channel);

  void on_stdout(std::string_view bytes) override;
  void on_stderr(std::string_view) override {}
  void on_exit(std::optional<int>, std::string) override {}
  void on_drained() override { read(); }
  void on_close(std::optional<TransportError> error) override;

 private:
  void read();
  void write();

  boost::asio::posix::stream_descriptor stream_;
  std::weak_ptr<Core> inner_;
  std::string gate_;
  std::shared_ptr<Channel> channel_;
  std::array<char, 32 * 1024> buffer_{};
  std::string queue_;    // for the socket
  std::string writing_;  // of it: on its way
  bool reading_ = false;
};

// A pair of connected local sockets; an Error if the descriptors are used up.
Result<std::pair<int, int>> socket_pair();

// Runs `command` with `sh -c exec`, as ssh does, its stdin and stdout being one end of a socket
// pair; the other end is returned, the first of the pair. The second is a file that what it says on
// stderr goes to. It is nobody's child, and ends by the end of its stdin.
Result<std::pair<int, int>> run_proxy(const std::string& command);

}  // namespace cnplay::ssh
