// How the runner gets its Hosts: remote.h is what it does with them, this is what it gives.
//
//   auto transport = ssh::make_transport({});
//   auto hosts = remote::make_hosts(*transport, settings_by_host_index, {.run_id = id});
//
// Threads: the functions of Hosts are for one thread (wake() for any). All work on a host is done
// on its connection's strand; between the two stands one queue of events.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "base/units.h"
#include "remote/around.h"  // what Options::around is found by
#include "remote/remote.h"
#include "ssh/transport.h"

namespace cnplay::remote {

struct HostSettings {
  ssh::Settings ssh;
  // The password for sudo; asked for at most once a host, when sudo wants one. Called on the
  // host's strand: it must not block, so have it ready before. Null or nullopt: there is none.
  std::function<std::optional<Secret>()> become_password;
  // Makes the connection of a host that is not reached by SSH, of which `ssh` has the name and the
  // user alone. Null: the transport makes it.
  std::function<std::shared_ptr<connection::Connection>()> connect{};
  // The users ("" = the login user) for whom an earlier controller of the run has started tasks
  // here: what these have left is removed with the rest.
  std::vector<std::string> users_before{};
};

struct Options {
  std::string run_id;  // [A-Za-z0-9_.-]+; names the private directory on the hosts
  // The highest id that an earlier controller of the run has given to a task.
  TaskId last_before = 0;
  // From the opening of a shell's channel to its first word, sudo's answer included.
  Duration ready_timeout{std::chrono::seconds(15)};
  // Undelivered TaskOutput bytes of one host, above which its channels are held.
  std::size_t output_high = std::size_t{1} << 20;
  std::size_t tail_bytes = 16 * 1024;
  // sshd's MaxSessions is 10 by default: of these one is kept for kills, the others are shells
  // with a task and locks.
  unsigned max_channels = 8;
  // How long after its timeout a task is killed by the host itself, if nobody else did.
  Duration host_grace{std::chrono::seconds(5)};
  // From TERM to KILL; in whole seconds.
  Duration kill_patience{std::chrono::seconds(2)};
  // How long a kill may take, TERM and KILL and the proof that the group is gone.
  Duration kill_timeout{std::chrono::seconds(20)};
  // How long a lost connection is tried to be made anew, with growing pauses. Zero: not at all.
  Duration reconnect_within{std::chrono::minutes(2)};
  // How long a lock that another holds is waited for, and how often it is asked for meanwhile.
  Duration lock_wait{0};
  Duration lock_pause{std::chrono::seconds(2)};
  // Locks of controllers that have been silent for `lock_expiry` are taken over. Longer than
  // `reconnect_within`: a controller that comes back in time finds its lock.
  bool take_locks = false;
  Duration lock_beat{std::chrono::seconds(10)};
  Duration lock_expiry{std::chrono::minutes(3)};
  // The runs around this one, the innermost first (around.h): a lock that one of them holds counts
  // as held, and is not taken, renewed or released. It is lost if it is another's, or nobody's for
  // so long: as long as the controller around may take to come back.
  std::vector<std::string> around{};
  Duration lock_absence{std::chrono::minutes(2)};
  // What a shell may have printed before another one takes its place, so that what is kept on
  // the host can be removed.
  std::uint64_t spool_limit = std::uint64_t{1} << 20;
};

// `hosts[i]` is the host of HostIndex i. `transport` must outlive the result. An invalid
// run_id is a bug of the caller (std::invalid_argument). The destructor closes hard what
// close() has not ended.
std::unique_ptr<Hosts> make_hosts(ssh::Transport& transport, std::vector<HostSettings> hosts,
                                  Options options);

}  // namespace cnplay::remote
