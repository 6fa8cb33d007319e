// The face of the room ssh/: connections to hosts and exec channels on them, bytes in, bytes out.
// It knows nothing of tasks, shells or plays, and shows nothing of libssh.
//
//   auto transport = make_transport({});
//   auto web1 = transport->make(settings);
//   web1->connect([](std::optional<TransportError> error) { ... });
//
// Threads. A Transport owns a few threads, one event loop each; a Connection is pinned to one of
// them for life, and that loop is its strand. Connection::connect, open_exec, close and
// set_on_lost may be called from any thread: they post themselves to the strand if they are not on
// it. Everything else (all of Channel, connected(), peer()) is to be called on the strand, and
// every callback runs on it. Callbacks are never called from inside the call that caused them, and
// must not block: a loop serves many hosts.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/text.h"
#include "base/units.h"

namespace cnplay::ssh {

// One host, fully resolved by the caller: no ssh_config is read here (ssh/ssh_config.h reads them).
struct Settings {
  std::string name;     // the inventory's name, for messages only
  std::string address;  // a name or an IP address; what known_hosts is asked about
  std::uint16_t port = 22;
  std::string user;

  // How it is reached, if not by TCP from here: through this host, over one connection that all
  // hosts behind it share; or through a command's stdin and stdout, run by `sh -c`.
  std::shared_ptr<const Settings> jump{};
  std::string proxy_command{};

  // Authentication, in this order; each key and the password is tried at most once.
  std::vector<std::string> identities;  // private key files, `~` expanded by the caller
  // User certificates; KEY-cert.pub beside a key is used by itself.
  std::vector<std::string> certificates{};
  bool use_agent = true;           // then the keys of SSH_AUTH_SOCK, if that is set
  std::string agent{};             // another agent's socket
  bool identities_only = false;    // of the agent's keys only those of the files named above
  std::optional<Secret> password;  // then by `password`, else `keyboard-interactive`

  std::vector<std::string> known_hosts;  // empty: ~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts
  enum class HostKeys { strict, accept_new } host_keys = HostKeys::strict;
  std::string host_key_alias{};  // what known_hosts is asked about instead of address and port

  // TCP, key exchange and authentication as one bound. It does not run while the connection
  // waits for its turn under Options::max_connecting.
  Duration connect_timeout{std::chrono::seconds(10)};
  // How often a silent peer is asked whether it is alive; so many intervals of silence are its
  // loss. Zero: never.
  Duration keepalive{std::chrono::seconds(15)};
  unsigned keepalive_count = 3;
};

enum class Failure {
  resolve,           // the address is unknown, or not one that may be used
  refused,           // no TCP connection: refused, unreachable
  timeout,           // connect_timeout is over
  host_key_unknown,  // strict, and no key of this host is stored
  host_key_changed,  // another key is stored
  host_key_revoked,  // the key is marked @revoked
  authentication,    // no method that we have was accepted; or a key file cannot be used
  protocol,          // the peer, or our own limits, broke the SSH protocol
  lost,              // the connection died; or was closed by us while this was under way
  no_channel,        // the server opened no session channel, or refused the exec
};
std::string_view to_string(Failure f);

// What went wrong, for a person. Never holds a secret; what the peer said appears only as
// Untrusted::display()ed text.
struct TransportError {
  Failure kind = Failure::lost;
  std::string what;  // "web1 (10.0.1.1:22): connection refused"
  std::string help;  // the remedy; may be empty
};

// What a channel tells. Called on the connection's strand, never from inside a call to the Channel.
// The channel holds the handler until on_close has returned.
class ChannelHandler {
 public:
  virtual ~ChannelHandler() = default;
  // Bytes as they came, in order, any length above 0; valid only during the call.
  virtual void on_stdout(std::string_view bytes) = 0;
  virtual void on_stderr(std::string_view bytes) = 0;
  // The command ended: its exit status, or the name of the signal that killed it ("KILL",
  // "TERM", "" if none). At most once; never if the connection died first. Output may still follow.
  virtual void on_exit(std::optional<int> status, std::string signal) = 0;
  // The other side writes no more; the channel stays open for what is written to it. At most once,
  // after the last byte. A command's end is told by on_exit.
  virtual void on_eof() {}
  // The channel's write queue has gone from something to nothing: the moment to write more.
  virtual void on_drained() {}
  // The end, exactly once; nothing is called after it. An error if the connection was lost,
  // none if the channel was closed by either side.
  virtual void on_close(std::optional<TransportError> error) = 0;
};

// One exec channel. Calls after on_close do nothing. Dropping the last reference does not close
// the channel: close() does.
class Channel {
 public:
  virtual ~Channel() = default;
  // Queues bytes for the command's stdin; sent as the peer's window allows. The queue has no
  // limit of its own: whoever writes much keeps an eye on queued() and goes on in on_drained().
  virtual void write(std::string bytes) = 0;
  // Bytes written but not yet taken by the SSH layer.
  virtual std::size_t queued() const = 0;
  // End of stdin, after what is queued.
  virtual void send_eof() = 0;
  // Closes at once, queued bytes dropped; on_close follows, soon even if the peer is silent.
  // The remote command is not killed by this.
  virtual void close() = 0;
  // Stops, and goes on with, on_stdout and on_stderr. While paused at most one SSH window (some MB)
  // is kept for the channel; then the peer stalls. on_exit and on_close wait for the output too.
  virtual void pause() = 0;
  virtual void resume() = 0;
};

using OpenResult = std::variant<std::shared_ptr<Channel>, TransportError>;

// The connection to one host: connect once, then open channels. Made by Transport::make. It
// stays alive while it works; dropping the last reference closes it.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual boost::asio::any_io_executor executor() = 0;  // the strand
  // Connects and authenticates; `done` is called exactly once. Once per Connection: after a
  // failure or a loss, make a new one. A failed authentication is never tried again here, and
  // should not be by the caller: servers lock out who does.
  virtual void connect(std::function<void(std::optional<TransportError>)> done) = 0;
  // Runs `command` with the user's login shell on a new channel, with a pty if asked (then stderr
  // comes as stdout, and CR LF line ends with it). `done` is called exactly once, before any call
  // of the handler; with an error the handler is never called.
  virtual void open_exec(std::string command, bool pty, std::shared_ptr<ChannelHandler> handler,
                         std::function<void(OpenResult)> done) = 0;
  // A connection from the host to `address` (a name or an address, as the host sees it), as a
  // channel: its bytes come as stdout. As open_exec otherwise.
  virtual void open_forward(std::string address, std::uint16_t port,
                            std::shared_ptr<ChannelHandler> handler,
                            std::function<void(OpenResult)> done);
  // Graceful: channels are closed and the peer is told; hard after a short bound. What is under
  // way ends with Failure::lost, channels with on_close. Called a second time it does nothing.
  virtual void close() = 0;
  // Another connection to the same host, on the same strand; not connected yet.
  virtual std::shared_ptr<Connection> again() = 0;
  virtual bool connected() const = 0;
  virtual std::string peer() const = 0;  // "10.0.1.1:22", once TCP is connected; else ""
  // Called at most once, when an established connection dies otherwise than by close(). All
  // channels have had their on_close by then. Set it before connect().
  virtual void set_on_lost(std::function<void(TransportError)> on_lost) = 0;
};

// Abstract, so that the rooms above are tested with a fake here.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::shared_ptr<Connection> make(Settings settings) = 0;
};

struct Options {
  unsigned threads = 0;          // event loops; 0: one per core
  unsigned max_connecting = 50;  // not yet authenticated connections at one time (--forks); 0: any
  // The same for one server address: sshd's MaxStartups (10:30:100) drops what is above.
  unsigned max_connecting_per_address = 8;
  // For tests: called on the loop's thread with the time each handler took, when it took more
  // than `slow_handler_limit`. Null: not measured.
  std::function<void(std::chrono::microseconds, const char* where)> on_slow_handler{};
  std::chrono::microseconds slow_handler_limit{50000};
  // The passphrase of an encrypted key file, if it is known. Called at most once a file, on a
  // loop's thread: it must not block.
  std::function<std::optional<Secret>(const std::string& path)> passphrase{};
};

// Whether a private key file is there and encrypted: then a passphrase is needed to use it.
bool is_encrypted_key(const std::string& path);

// The real one: libssh on Boost.Asio. Its connections must not be used while it is being destroyed;
// calls on them after that do nothing. Raises RLIMIT_NOFILE to its hard limit. The destructor
// closes all connections (callbacks are called as with close()), joins the threads and thus
// must not run on one of them.
std::unique_ptr<Transport> make_transport(Options options);

}  // namespace cnplay::ssh
