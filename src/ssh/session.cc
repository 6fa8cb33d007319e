#include "ssh/session.h"

#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/server.h>
#include <unistd.h>

#include <new>

#include "ssh/errors.h"

namespace cnplay::ssh {
namespace {

// Polls of one wake-up. libssh reads 4 KiB to 64 KiB a poll, so this stays near a millisecond.
constexpr int kPollsPerPump = 32;

// What a server asks of a client (channels to us, port forwards) is denied at once. Without this
// libssh keeps every such request in a list for ever: memory at a hostile server's command.
int deny_request(ssh_session, ssh_message, void*) { return 1; }

}  // namespace

Session::Session() : session_(ssh_new()), event_(ssh_event_new()) {
  if (session_ == nullptr || event_ == nullptr) {
    ssh_event_free(event_);
    ssh_free(session_);
    throw std::bad_alloc();
  }
}

Session::~Session() {
  if (event_has_session_) ssh_event_remove_session(event_, session_);
  ssh_event_free(event_);
  if (!attached_) {
    if (fd_ >= 0) ::close(fd_);
  } else if (ssh_get_fd(session_) >= 0) {
    ssh_silent_disconnect(session_);
  }
  ssh_free(session_);
}

Status Session::start(int fd, const Settings& settings, const std::string& host_key_algorithms) {
  fd_ = fd;
  // Asio opens sockets without it: a proxy command would inherit them, and hold them open.
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ssh_set_blocking(session_, 0);
  const int no = 0;
  const unsigned port = settings.port;
  const char* user = settings.user.c_str();
  bool fine = true;
  auto set = [&](ssh_options_e option, const void* value) {
    fine = fine && ssh_options_set(session_, option, value) == SSH_OK;
  };
  set(SSH_OPTIONS_PROCESS_CONFIG, &no);  // the caller has read ssh_config already
  // The connection is ours, and so is the look-up of its key: libssh needs no name, and its own
  // check of names refuses some that are good.
  set(SSH_OPTIONS_HOST, "host");
  set(SSH_OPTIONS_PORT, &port);
  set(SSH_OPTIONS_USER, user);
  // Our own index answers for the host key: libssh would read the files anew each time.
  set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
  set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  set(SSH_OPTIONS_HOSTKEYS, host_key_algorithms.c_str());
  set(SSH_OPTIONS_FD, &fd);
  if (!fine) return fail("libssh refuses the settings: " + error());
  ssh_set_message_callback(session_, deny_request, nullptr);
  ssh_set_counters(session_, &counter_, nullptr);
  return {};
}

void Session::keep_nonblocking() {
  // libssh makes the socket blocking at its first POLLOUT; one stalled peer would then stop the
  // loop.
  const int fd = ssh_get_fd(session_);
  if (fd < 0) return;
  const int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) == 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int Session::connect_step() {
  const int rc = ssh_connect(session_);
  if (!attached_) {
    attached_ = true;
    // libssh closes a descriptor that was given to it on some error paths and leaves it open in
    // ssh_disconnect. Taking the option back makes it the owner on every path. (It reports an
    // invalid value, having done so.)
    if (rc != SSH_ERROR) ssh_options_set(session_, SSH_OPTIONS_FD, nullptr);
  }
  keep_nonblocking();
  // Only the first step makes the poll context that ssh_event takes the session from.
  if (!event_has_session_ && ssh_get_fd(session_) >= 0) {
    event_has_session_ = ssh_event_add_session(event_, session_) == SSH_OK;
  }
  return rc;
}

Session::Pump Session::pump(const std::function<bool()>& enough) {
  if (!event_has_session_) return dead() ? Pump::dead : Pump::idle;
  for (int i = 0; i < kPollsPerPump; ++i) {
    const int rc = ssh_event_dopoll(event_, 0);
    if (rc == SSH_ERROR || dead()) return Pump::dead;
    if (rc == SSH_AGAIN) return Pump::idle;
    if (enough()) return Pump::more;
  }
  return Pump::more;
}

bool Session::dead() const {
  return ssh_is_connected(session_) == 0 ||
         (ssh_get_status(session_) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}

bool Session::wants_write() const {
  return (ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) != 0;
}

bool Session::write_pending() const { return (ssh_get_status(session_) & SSH_WRITE_PENDING) != 0; }

std::string Session::error() const {
  const char* text = ssh_get_error(session_);
  return text == nullptr ? std::string() : shown(text);
}

void Session::send_keepalive() {
  // A reply that came is taken back only by the next call, which then sends nothing: so, twice.
  ssh_send_keepalive(session_);
  ssh_send_keepalive(session_);
}

void Session::say_goodbye() {
  if (ssh_get_fd(session_) < 0) return;
  if (event_has_session_) ssh_event_dopoll(event_, 0);  // learns whether a write would block
  if (ssh_get_fd(session_) < 0) return;
  if (event_has_session_) {
    ssh_event_remove_session(event_, session_);
    event_has_session_ = false;
  }
  ssh_disconnect(session_);
}

}  // namespace cnplay::ssh
