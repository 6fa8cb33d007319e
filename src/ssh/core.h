// Inside of ssh/: a connection as it lives on its loop. Kept alive by what it has under way; the
// caller holds a handle (transport.cc) whose end closes it. Everything here runs on the strand.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ssh/session.h"
#include "ssh/shard.h"
#include "ssh/transport.h"

namespace cnplay::ssh {

class ExecChannel;
class Gate;

class Core final : public Poller::Waiter, public std::enable_shared_from_this<Core> {
 public:
  using Done = std::function<void(std::optional<TransportError>)>;

  Core(std::shared_ptr<Shard> shard, Settings settings);
  ~Core() override;

  void connect(Done done);
  void open_exec(std::string command, bool pty, std::shared_ptr<ChannelHandler> handler,
                 std::function<void(OpenResult)> done);
  // A way on from the host, to another one; what comes from there is `stdout`.
  void open_forward(std::string host, std::uint16_t port, std::shared_ptr<ChannelHandler> handler,
                    std::function<void(OpenResult)> done);
  void close();
  void socket_ready() override { pump(); }
  // The way to the host is broken.
  void way_lost(const std::string& why);
  void on_lost(std::function<void(TransportError)> callback) { on_lost_ = std::move(callback); }
  bool connected() const { return state_ == State::established; }
  const std::string& peer() const { return peer_; }
  Shard& shard() { return *shard_; }
  const Settings& settings() const { return settings_; }

  // For channels.
  Session& session() { return *session_; }
  // Runs step() soon. Any number of calls makes one run.
  void kick();
  // A callback of libssh has changed a channel: step() goes round once more.
  void touch() { touched_ = true; }
  // Bytes that libssh holds for paused channels; beyond a cap the socket is not read.
  void hold(std::ptrdiff_t change);
  TransportError error(Failure kind, std::string_view what, std::string help = {}) const;

 private:
  enum class State { idle, connecting, established, closing, dead };

  // core.cc: the life of an established connection
  void pump();
  void step();
  void arm();
  bool full() const;
  void lose(std::string why, std::string help = {});
  void start_keepalive();
  void keepalive_tick();
  void finish_close();
  void tear_down();

  // core_connect.cc: name, address, key exchange, host key
  void fail_connect(TransportError error);
  void start_timer(Duration bound);
  boost::asio::awaitable<void> run_connect();
  boost::asio::awaitable<void> try_connect();
  boost::asio::awaitable<bool> wait_for_place(std::string address);
  boost::asio::awaitable<std::vector<boost::asio::ip::tcp::endpoint>> resolve();
  boost::asio::awaitable<bool> connect_tcp(
      const std::vector<boost::asio::ip::tcp::endpoint>& endpoints);
  // core_way.cc
  boost::asio::awaitable<bool> reach();
  boost::asio::awaitable<bool> open_gate();
  boost::asio::awaitable<bool> go_through_gate();
  bool go_through_command();
  std::string proxy_words() const;
  boost::asio::awaitable<void> sleep();

  boost::asio::awaitable<bool> exchange_keys();
  std::optional<TransportError> check_host_key();
  TransportError exchange_error() const;
  boost::asio::awaitable<void> progress();
  void wake();
  bool pending() const { return done_ != nullptr; }  // connect() has not been answered yet
  void release_place();

  // core_auth.cc: false and the connection failed, or true and authenticated
  struct AuthTrace;
  boost::asio::awaitable<bool> authenticate();
  TransportError ended_login(const AuthTrace& trace) const;
  boost::asio::awaitable<int> with_identities(AuthTrace& trace);
  boost::asio::awaitable<int> with_agent(AuthTrace& trace);
  boost::asio::awaitable<int> with_password(AuthTrace& trace);
  boost::asio::awaitable<int> with_keyboard_interactive(const std::string& answer);
  boost::asio::awaitable<int> drive(std::function<int()> call);
  void interrupt_agent();
  void release_agent();

  std::shared_ptr<Shard> shard_;
  const Settings settings_;
  State state_ = State::idle;
  std::string peer_;
  Done done_;
  std::function<void(TransportError)> on_lost_;

  boost::asio::ip::tcp::socket socket_;  // while TCP connects
  int fd_ = -1;                          // then, until the session takes it over
  Poller::Watch watch_;
  std::unique_ptr<Session> session_;
  std::vector<std::shared_ptr<ExecChannel>> channels_;
  bool borrowed_ = false;  // a worker thread has the session: hands off
  bool kicked_ = false;
  bool touched_ = false;
  bool stepping_ = false;
  std::ptrdiff_t held_ = 0;

  boost::asio::steady_timer timer_;      // connect_timeout; later the bound of close()
  boost::asio::steady_timer keepalive_;  //
  boost::asio::steady_timer wake_;       // a condition variable for the connecting coroutine
  bool woken_ = false;
  std::chrono::steady_clock::time_point connect_began_;
  std::string place_;  // the address a place is held for, "" if none
  std::string waiting_place_;
  std::uint64_t ticket_ = 0;
  std::vector<StoredKey> stored_keys_;
  bool keys_exchanged_ = false;
  int agent_fd_ = -1;
  std::shared_ptr<Gate> gate_;
  int proxy_said_ = -1;  // the file of a proxy command's stderr
  std::uint64_t bytes_seen_ = 0;
  unsigned silent_intervals_ = 0;
};

}  // namespace cnplay::ssh
