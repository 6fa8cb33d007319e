// The face of the room connection/: a connection to a machine and exec channels on it, bytes in,
// bytes out. ssh/ implements it by SSH, local/ by child processes of the controller.
//
// Threads. A Connection is pinned to one event loop for life, and that loop is its strand.
// Connection::connect, open_exec, close and set_on_lost may be called from any thread: they post
// themselves to the strand if they are not on it. Everything else (all of Channel, connected(),
// peer()) is to be called on the strand, and every callback runs on it. Callbacks are never called
// from inside the call that caused them, and must not block: a loop serves many hosts.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cnplay::connection {

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
  // Bytes written but not yet taken by the layer below (libssh, a pipe).
  virtual std::size_t queued() const = 0;
  // End of stdin, after what is queued.
  virtual void send_eof() = 0;
  // Closes at once, queued bytes dropped; on_close follows, soon even if the peer is silent.
  // The remote command is not killed by this.
  virtual void close() = 0;
  // Stops, and goes on with, on_stdout and on_stderr. While paused at most one SSH window (some
  // MB), or one pipe, is kept for the channel; then the peer stalls. on_exit and on_close wait for
  // the output too.
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
  // channel: its bytes come as stdout. As open_exec otherwise. Where connections cannot go through,
  // it fails with no_channel.
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

}  // namespace cnplay::connection
