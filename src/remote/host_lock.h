// A named lock on a host: a channel of its own, whose shell holds flock on the lock's file until
// the channel ends, however it ends. The file says who holds it:
//
//   ana@desk, run 20261120-213005-update_code-4f2a
//   step: update_code/cutover/code
//   held since: 1795210205            seconds since 1970, by the host's clock
//   sign of life: 1795210325          of the controller, renewed while it lives
//   process: 4711 88213 on web1       the shell's number and start, and its machine
//
// A lock whose controller is silent for `expiry` (its machine died without a word, and the host's
// sshd has not noticed) may be taken over: the shell that holds it is ended, and the sshd above.
//
// A lock that the same run holds already (another name of this host, a home directory that hosts
// share) is joined: it counts as held, and this shell holds it once the other one does not.
//
// A lock that a run around this one holds is shared: nothing is taken or written, the shell only
// looks with every sign of life whether that run holds it still.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "remote/channel_relay.h"
#include "remote/remote.h"

namespace cnplay::remote {

struct LockTerms {
  Duration beat{std::chrono::seconds(10)};
  Duration expiry{std::chrono::minutes(3)};
  bool take = false;  // from a controller that has been silent for longer
  // Runs around this one: what they hold is shared, and lost once nobody has held it for `absence`.
  std::vector<std::string> around{};
  Duration absence{std::chrono::minutes(2)};
};

class HostLock final : public ChannelUser, public std::enable_shared_from_this<HostLock> {
 public:
  // What came of it; whether the connection was lost with it.
  using Told = std::function<void(LockEnded, bool with_connection)>;

  HostLock(std::shared_ptr<ssh::Connection> connection, HostIndex host, std::string host_name,
           std::string name, std::string owner, LockTerms terms = {});
  ~HostLock() override;

  // `told` is called once for the answer, and once more (not acquired) if the lock is lost later.
  // `gone` when the channel is no more.
  void take(Duration timeout, Told told, std::function<void()> gone);
  // The step at hand: told with the next sign of life.
  void note(const std::string& step);
  void release();  // `gone` follows
  void abandon();  // without a word

  void channel_bytes(Stream stream, std::string_view bytes) override;
  void channel_closed(std::optional<int> status, const std::string& how,
                      const std::optional<ssh::TransportError>& error) override;

 private:
  void send();
  void answer();
  void sign_of_life();
  void end(std::string error, bool with_connection = false);

  std::shared_ptr<ssh::Connection> connection_;
  HostIndex host_;
  std::string host_name_;
  std::string name_;
  std::string owner_;
  LockTerms terms_;
  std::string note_;
  std::string token_;
  Told told_;
  std::function<void()> gone_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer beat_;
  std::shared_ptr<ChannelRelay> relay_;
  std::shared_ptr<ssh::Channel> channel_;
  std::string out_;
  std::string err_;
  bool answered_ = false;
  bool held_ = false;
  bool releasing_ = false;
  bool no_channel_ = false;  // the server gave none
};

// The lock's name as a file's name: what is not [A-Za-z0-9._-], and a dot in front, as %XX.
std::string lock_file_name(std::string_view name);

}  // namespace cnplay::remote
