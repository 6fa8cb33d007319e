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

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "base/units.h"
#include "connection/connection.h"

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

// What a connection is and can fail at: the same for every kind (connection/connection.h).
using connection::Channel;
using connection::ChannelHandler;
using connection::Connection;
using connection::Failure;
using connection::OpenResult;
using connection::to_string;
using connection::TransportError;

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
