// What the parts of one host's session share. All of it on the connection's strand.
#pragma once

#include <memory>
#include <string>

#include "remote/event_queue.h"
#include "remote/session.h"
#include "remote/sources.h"

namespace cnplay::remote {

enum class Phase {
  fresh,
  connecting,
  ready,
  losing,  // a channel has said that the connection is gone; the connection has not yet
  reconnecting,
  failed,
  lost,
  closing,
  closed
};

struct HostContext {
  std::shared_ptr<ssh::Connection> connection;  // another one after a reconnect, on the same strand
  HostIndex index;
  HostSettings settings;
  Options options;
  std::shared_ptr<EventQueue> events;
  std::shared_ptr<Sources> sources;
  // Of the session: what a timer started has to hold on to while it works on a part.
  std::weak_ptr<void> session{};
  Phase phase = Phase::fresh;

  // By the last shell that was opened first on its connection.
  std::string boot_id{};
  long parent = 0;  // the sshd of the connection, on the host
  long long parent_since = 0;

  const std::string& name() const { return settings.ssh.name; }
  boost::asio::any_io_executor executor() const { return connection->executor(); }
  // There is a connection, or there will be one again.
  bool takes_work() const {
    return phase == Phase::ready || phase == Phase::losing || phase == Phase::reconnecting;
  }
  // Whether a connection that is lost now is to be replaced.
  bool may_reconnect() const {
    return options.reconnect_within > Duration::zero() &&
           (phase == Phase::ready || phase == Phase::losing);
  }
};

}  // namespace cnplay::remote
