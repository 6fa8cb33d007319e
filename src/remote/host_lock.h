// A named lock on a host: a channel of its own, whose shell holds flock on the lock's file until
// the channel ends, however it ends.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "remote/port.h"
#include "remote/remote.h"

namespace cnplay::remote {

class HostLock final : public PortUser, public std::enable_shared_from_this<HostLock> {
 public:
  // What came of it; whether the connection was lost with it.
  using Told = std::function<void(LockEnded, bool with_connection)>;

  HostLock(std::shared_ptr<ssh::Connection> connection, HostIndex host, std::string host_name,
           std::string name, std::string owner);
  ~HostLock() override;

  // `told` is called once for the answer, and once more (not acquired) if the lock is lost later.
  // `gone` when the channel is no more.
  void take(Duration timeout, Told told, std::function<void()> gone);
  void release();  // `gone` follows
  void abandon();  // without a word

  void port_bytes(Stream stream, std::string_view bytes) override;
  void port_closed(std::optional<int> status, const std::string& how,
                   const std::optional<ssh::TransportError>& error) override;

 private:
  void send();
  void answer();
  void end(std::string error, bool with_connection = false);

  std::shared_ptr<ssh::Connection> connection_;
  HostIndex host_;
  std::string host_name_;
  std::string name_;
  std::string owner_;
  std::string token_;
  Told told_;
  std::function<void()> gone_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Port> port_;
  std::shared_ptr<ssh::Channel> channel_;
  std::string out_;
  std::string err_;
  bool answered_ = false;
  bool held_ = false;
  bool releasing_ = false;
};

// The lock's name as a file's name: what is not [A-Za-z0-9._-], and a dot in front, as %XX.
std::string lock_file_name(std::string_view name);

}  // namespace cnplay::remote
