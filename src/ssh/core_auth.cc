// Authentication: the key files, then the agent's keys, then the password; each at most once,
// without the `none` and probing requests that cost a round trip each.
#include <libssh/libssh.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fcntl.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>

#include "ssh/agent_filter.h"
#include "ssh/core.h"
#include "ssh/errors.h"
#include "ssh/keys.h"

namespace cnplay::ssh {
namespace {

namespace asio = boost::asio;

// The agent's socket, or -1. Connecting to a local socket may block: on a worker.
int open_agent(const std::string& other) {
  const char* path = other.empty() ? std::getenv("SSH_AUTH_SOCK") : other.c_str();
  sockaddr_un address{};
  if (path == nullptr || *path == '\0' || std::strlen(path) >= sizeof(address.sun_path)) return -1;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

bool agent_announced() {
  const char* path = std::getenv("SSH_AUTH_SOCK");
  return path != nullptr && *path != '\0';
}

std::string method_names(int methods) {
  std::string out;
  for (const auto& [bit, name] : {std::pair{SSH_AUTH_METHOD_PUBLICKEY, "publickey"},
                                  std::pair{SSH_AUTH_METHOD_PASSWORD, "password"},
                                  std::pair{SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive"},
                                  std::pair{SSH_AUTH_METHOD_GSSAPI_MIC, "gssapi"},
                                  std::pair{SSH_AUTH_METHOD_HOSTBASED, "hostbased"}}) {
    if ((methods & bit) != 0) out.append(out.empty() ? "" : ", ").append(name);
  }
  return out;
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string out;
  for (const auto& part : parts) out.append(out.empty() ? "" : between).append(part);
  return out;
}

}  // namespace

struct Core::AuthTrace {
  std::vector<std::string> tried;
  std::vector<std::string> notes;  // why something could not be tried
  std::vector<std::string> helps;
};

asio::awaitable<bool> Core::authenticate() {
  AuthTrace trace;
  int rc = co_await with_identities(trace);
  const auto go_on = [&] {
    return pending() && (rc == SSH_AUTH_DENIED || rc == SSH_AUTH_PARTIAL) && !session_->dead();
  };
  const bool agent = !settings_.agent.empty() || agent_announced();
  if (go_on() && settings_.use_agent && agent) rc = co_await with_agent(trace);
  if (go_on() && settings_.password) rc = co_await with_password(trace);
  if (!pending()) co_return false;
  if (rc == SSH_AUTH_SUCCESS) co_return true;
  if (session_->dead()) {
    fail_connect(ended_login(trace));
    co_return false;
  }

  std::string what = "permission denied for " + shown(settings_.user);
  std::vector<std::string> helps = std::move(trace.helps);
  if (trace.tried.empty()) {
    what = "no key or password to log in with as " + shown(settings_.user);
    if (trace.notes.empty()) {
      helps.emplace_back("name an identity in the inventory, start ssh-agent, or give a password");
    }
  } else {
    what += " (tried " + joined(trace.tried, ", ") + ")";
  }
  const std::string accepted = method_names(ssh_userauth_list(session_->get(), nullptr));
  if (!accepted.empty()) what += "; the host accepts " + accepted;
  if (rc == SSH_AUTH_ERROR) what += "; " + session_->error();
  if (!trace.notes.empty()) what += "; " + joined(trace.notes, "; ");
  fail_connect(error(Failure::authentication, what, joined(helps, "; ")));
  co_return false;
}

// The server counts the attempts (sshd's MaxAuthTries, 6 by default) and disconnects after the
// last: the right key may be one that was not tried yet.
TransportError Core::ended_login(const AuthTrace& trace) const {
  const std::string said = session_->error();
  const std::string tried = trace.tried.empty() ? "" : " (tried " + joined(trace.tried, ", ") + ")";
  if (said.find("Too many authentication failures") == std::string::npos) {
    return error(Failure::authentication,
                 "the host closed the connection during the login as " + shown(settings_.user) +
                     tried + (said.empty() ? "" : ": " + said),
                 "the log of the host's sshd says why");
  }
  return error(Failure::authentication,
               "the host allows no more attempts to log in as " + shown(settings_.user) + tried +
                   ": too many authentication failures",
               "offer fewer keys: name the right one with `identity` in the inventory, or set "
               "`IdentitiesOnly yes` and `IdentityFile` for this host in the ssh configuration");
}

asio::awaitable<int> Core::with_identities(AuthTrace& trace) {
  int rc = SSH_AUTH_DENIED;
  for (const std::string& path : settings_.identities) {
    if (path.ends_with(".pub")) continue;  // it names a key that the agent has
    std::vector<std::string> certificates = settings_.certificates;
    const std::string beside = path + "-cert.pub";
    if (::access(beside.c_str(), R_OK) == 0) certificates.push_back(beside);
    for (const std::string& certificate : certificates) {
      const Result<Key> certified = shard_->shared().keys.certified(path, certificate);
      if (!certified) {
        // One that is named may belong to another of the keys.
        if (certificate == beside) trace.notes.push_back(certified.error().what);
        continue;
      }
      trace.tried.push_back("certificate " + certificate);
      rc = co_await drive(
          [&] { return ssh_userauth_publickey(session_->get(), nullptr, certified->get()); });
      if (!pending() || rc == SSH_AUTH_SUCCESS || rc == SSH_AUTH_ERROR) co_return rc;
    }
    const Result<Key> key = shard_->shared().keys.load(path);
    if (!key) {
      trace.notes.push_back(key.error().what);
      if (!key.error().help.empty()) trace.helps.push_back(key.error().help);
      continue;
    }
    trace.tried.push_back("key " + path);
    rc = co_await drive(
        [&] { return ssh_userauth_publickey(session_->get(), nullptr, key->get()); });
    if (!pending() || rc == SSH_AUTH_SUCCESS || rc == SSH_AUTH_ERROR) co_return rc;
  }
  co_return rc;
}

// libssh talks to the agent in blocking calls, and an agent may ask a person: every step that can
// reach the agent runs on a worker that borrows the session; waits for the host are the loop's.
asio::awaitable<int> Core::with_agent(AuthTrace& trace) {
  trace.tried.emplace_back("ssh-agent");
  bool first = true;
  const auto step = [this, &first]() -> asio::awaitable<int> {
    if (first) {
      const int copy = agent_fd_ >= 0 ? fcntl(agent_fd_, F_DUPFD_CLOEXEC, 0) : -1;
      if (copy < 0) co_return SSH_AUTH_DENIED;
      ssh_set_agent_socket(session_->get(), copy);
      first = false;
    }
    co_return ssh_userauth_agent(session_->get(), nullptr);
  };
  std::set<std::string> keys;
  auto open = [this, &keys]() -> asio::awaitable<int> {
    const int fd = open_agent(settings_.agent);
    if (fd >= 0 && settings_.identities_only) {
      keys = public_keys(settings_.identities, settings_.certificates);
    }
    co_return fd;
  };
  auto& workers = shard_->shared().workers();
  agent_fd_ = co_await asio::co_spawn(workers, open, asio::use_awaitable);
  if (agent_fd_ >= 0 && settings_.identities_only) {
    agent_fd_ = filter_agent(co_await asio::this_coro::executor, agent_fd_, std::move(keys));
  }
  if (!pending()) co_return SSH_AUTH_ERROR;
  if (agent_fd_ < 0) {
    trace.tried.pop_back();
    trace.notes.emplace_back("the ssh-agent of SSH_AUTH_SOCK cannot be reached");
    co_return SSH_AUTH_DENIED;
  }
  for (;;) {
    borrowed_ = true;
    const int rc = co_await asio::co_spawn(workers, step, asio::use_awaitable);
    borrowed_ = false;
    if (!pending()) co_return SSH_AUTH_ERROR;
    if (rc != SSH_AUTH_AGAIN) {
      release_agent();
      co_return rc;
    }
    // A session that has ended has nothing more to wait for.
    if (!session_->dead()) co_await progress();
    if (!pending() || session_->dead()) {
      if (pending()) release_agent();
      co_return SSH_AUTH_ERROR;
    }
  }
}

// Ends a read that a worker may be blocked in.
void Core::interrupt_agent() {
  if (agent_fd_ >= 0) ::shutdown(agent_fd_, SHUT_RDWR);
}

void Core::release_agent() {
  if (agent_fd_ >= 0) ::close(std::exchange(agent_fd_, -1));
}

asio::awaitable<int> Core::with_password(AuthTrace& trace) {
  const std::string& password = settings_.password->reveal();
  // Unknown (0) before the first refusal: then `password` it is, and the refusal tells the rest.
  const int before = ssh_userauth_list(session_->get(), nullptr);
  if (before == 0 || (before & SSH_AUTH_METHOD_PASSWORD) != 0) {
    trace.tried.emplace_back("password");
    const int rc = co_await drive(
        [&] { return ssh_userauth_password(session_->get(), nullptr, password.c_str()); });
    if (!pending() || rc != SSH_AUTH_DENIED) co_return rc;
    // Refused by a server that takes passwords: it is wrong, and a second try would only count
    // against us.
    if ((ssh_userauth_list(session_->get(), nullptr) & SSH_AUTH_METHOD_PASSWORD) != 0) co_return rc;
    trace.tried.pop_back();
  }
  if ((ssh_userauth_list(session_->get(), nullptr) & SSH_AUTH_METHOD_INTERACTIVE) == 0) {
    trace.notes.emplace_back("the host takes no passwords");
    co_return SSH_AUTH_DENIED;
  }
  trace.tried.emplace_back("keyboard-interactive");
  co_return co_await with_keyboard_interactive(password);
}

asio::awaitable<int> Core::with_keyboard_interactive(const std::string& answer) {
  bool answered = false;
  const auto ask = [&] { return ssh_userauth_kbdint(session_->get(), nullptr, nullptr); };
  int rc = co_await drive(ask);
  // A bound on the rounds: a hostile server could ask for ever. The password goes into hidden
  // prompts only, and once.
  for (int round = 0; pending() && rc == SSH_AUTH_INFO && round < 8; ++round) {
    const int prompts = ssh_userauth_kbdint_getnprompts(session_->get());
    for (int i = 0; i < prompts; ++i) {
      char echo = 0;
      ssh_userauth_kbdint_getprompt(session_->get(), static_cast<unsigned>(i), &echo);
      const bool give = echo == 0 && !answered;
      if (ssh_userauth_kbdint_setanswer(session_->get(), static_cast<unsigned>(i),
                                        give ? answer.c_str() : "") < 0) {
        co_return SSH_AUTH_ERROR;
      }
      answered = answered || give;
    }
    rc = co_await drive(ask);
  }
  co_return rc == SSH_AUTH_INFO ? static_cast<int>(SSH_AUTH_DENIED) : rc;
}

}  // namespace cnplay::ssh
