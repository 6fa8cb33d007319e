// The face of the room local/: the controller itself as a machine that commands are run on, over
// the same interface as a host behind SSH. A channel is a child process, started as sshd starts
// one: in a session of its own, with a clean environment. It ends by the end of its stdin, not by
// ours.
//
//   auto machine = local::make_machine(local::own_settings());
//   auto connection = machine->connect();
//   connection->connect([](std::optional<connection::TransportError> error) { ... });
//
// Threads. A Machine owns one thread with one event loop, the strand of all of its connections.
#pragma once

#include <memory>
#include <string>

#include "connection/connection.h"

namespace cnplay::local {

// Who runs cnplay, by the system's list of users: whatever HOME and USER say, so that a run that is
// resumed from another shell finds what it has left in the home.
struct Settings {
  std::string user;
  std::string home;   // where the list has none: $HOME, else /
  std::string shell;  // for $SHELL; commands are run by /bin/sh
};
Settings own_settings();

// The machine's id of systemd (/etc/machine-id); where there is none, its host name after `host `.
std::string machine_id();

class Machine {
 public:
  virtual ~Machine() = default;
  // A connection that can be connected at once; it never fails to, and is never lost. A process
  // that cannot be started is Failure::no_channel.
  virtual std::shared_ptr<connection::Connection> make() = 0;
};

// The limit of open files that its commands get is the one in force now: make it before anything
// raises the limit. Its connections must not be used while it is being destroyed; calls on them
// after that do nothing. The destructor closes all connections (callbacks are called as with
// close()), joins its thread and thus must not run on it. What still runs is neither killed nor
// awaited.
std::unique_ptr<Machine> make_machine(Settings settings);

}  // namespace cnplay::local
