#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/descriptor.h"
#include "report/notify_ways.h"

namespace cnplay::report {
namespace {

using Clock = std::chrono::steady_clock;

// In a process group of its own, with no signal blocked or ignored.
int spawn(const std::vector<std::string>& argv, int in, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (const std::string& a : argv) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  const int error =
      ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// False: its time is over. Who closes its stdin early has read what it wanted.
bool feed(int to, const std::string& text, Clock::time_point deadline) {
  for (std::size_t at = 0; at < text.size();) {
    const auto left = std::chrono::duration_cast<Duration>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd ready{to, POLLOUT, 0};
    const int n = ::poll(&ready, 1, static_cast<int>(left.count()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    // A socket, not a pipe: no SIGPIPE.
    const ssize_t sent =
        ::send(to, text.data() + at, text.size() - at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return true;
    at += static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

Status to_command(const std::vector<std::string>& argv, const std::string& text, Duration timeout) {
  if (argv.empty() || argv[0].empty()) return fail("the command is empty");
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(std::string("no socket: ") + std::strerror(errno));
  }
  const Descriptor ours(ends[0]);
  pid_t pid = 0;
  int spawned = 0;
  {
    const Descriptor theirs(ends[1]);
    spawned = spawn(argv, theirs.get(), pid);
  }
  if (spawned != 0) {
    return fail("it cannot be started: " + std::string(std::strerror(spawned)),
                "is it installed and executable?");
  }
  const auto deadline = Clock::now() + timeout;
  bool late = !feed(ours.get(), text, deadline);
  ::shutdown(ours.get(), SHUT_WR);
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(pid, &status, late ? 0 : WNOHANG);
    if (ended == pid) break;
    if (ended < 0 && errno != EINTR) return fail("waiting for it failed");
    if (late || Clock::now() >= deadline) {
      late = true;
      ::kill(-pid, SIGKILL);
    } else {
      ::poll(nullptr, 0, 5);
    }
  }
  if (late) return fail("it did not end within " + human_duration(timeout));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(WIFEXITED(status) ? "it ended with exit code " + std::to_string(WEXITSTATUS(status))
                                : "it was killed",
              "run it by hand to see why: it reads JSON on its stdin");
}

}  // namespace cnplay::report
