// Inside of ssh/: one libssh session as an Asio loop wants it: never blocking, driven by one
// ssh_event, its descriptor closed exactly once on every path. Knows the traps of libssh 0.10,
// listed in design/engine.md, so that nobody else has to. Used by one thread at a time.
#pragma once

#include <libssh/libssh.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "ssh/transport.h"

namespace cnplay::ssh {

class Session {
 public:
  Session();
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes over the connected socket `fd`, whatever the result: it is closed here, and by nobody
  // else. `host_key_algorithms` is a comma list, never empty.
  Status start(int fd, const Settings& settings, const std::string& host_key_algorithms);

  // One step of the key exchange: SSH_OK, SSH_AGAIN (call again after a pump), SSH_ERROR.
  int connect_step();

  // Reads, writes and dispatches what the socket is ready for, within a bound that is fair to the
  // other connections of the loop. `more`: the bound was met, come again. `dead`: the transport
  // is gone; no channel callback tells that, so look here after every pump.
  // `enough`: no more is to be read than one poll takes; it is asked after each.
  enum class Pump { idle, more, dead };
  Pump pump(const std::function<bool()>& enough);
  bool dead() const;

  // The socket, to wait for it; -1 once it is closed, which any call into libssh may do.
  int fd() const { return ssh_get_fd(session_); }
  bool wants_write() const;    // wait for the socket to be writable, too
  bool write_pending() const;  // bytes are still in libssh's own buffer
  std::uint64_t bytes_received() const { return counter_.in_bytes; }

  ssh_session get() const { return session_; }
  // libssh's last error, cleaned for a person.
  std::string error() const;
  // Asks the peer for a sign of life.
  void send_keepalive();
  // Tells the peer goodbye, as far as the socket takes it at once.
  void say_goodbye();

 private:
  void keep_nonblocking();

  ssh_session session_ = nullptr;
  ssh_event event_ = nullptr;
  bool event_has_session_ = false;
  bool attached_ = false;  // libssh owns fd_
  int fd_ = -1;
  ssh_counter_struct counter_{};
};

}  // namespace cnplay::ssh
