#include "local/process.h"

#include <fcntl.h>
#include <paths.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace cnplay::local {
namespace {

constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Closed with its owner, unless it was taken.
class End {
 public:
  End() = default;
  explicit End(int fd) : fd_(fd) {}
  End(End&& other) noexcept : fd_(other.take()) {}
  End& operator=(End&& other) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.take();
    return *this;
  }
  ~End() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int take() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// Where the controller's own stdin is closed, a new descriptor may be 0: the child's 0 to 2 are
// made from these, so that none of them may be one.
End above_stderr(int fd) {
  if (fd < 0 || fd > 2) return End(fd);
  End low(fd);
  return End(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

struct Pipe {
  End read, write;
  bool open() {
    int fds[2] = {-1, -1};
    if (::pipe2(fds, O_CLOEXEC) != 0) return false;
    read = above_stderr(fds[0]);
    write = above_stderr(fds[1]);
    return read.get() >= 0 && write.get() >= 0;
  }
};

// The attributes and file actions of posix_spawn, destroyed with it.
struct Spawn {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  Spawn() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;
  ~Spawn() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }
};

Error system_error(const std::string& what, int code) {
  const bool files = code == EMFILE || code == ENFILE;
  const bool processes = code == EAGAIN || code == ENOMEM;
  return fail(what + ": " + std::strerror(code),
              files ? "raise the limit of open files (ulimit -n)"
              : processes
                  ? "too many processes, or too little memory: end some, or raise `ulimit -u`"
                  : "");
}

// The terminal's own side, and the path of the child's; "": there is none, and errno says why.
std::string open_terminal(End& master) {
  master = above_stderr(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  char name[64];
  if (master.get() < 0 || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0 ||
      ::ptsname_r(master.get(), name, sizeof name) != 0) {
    return {};
  }
  return name;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::vector<std::string> environment_of(const Settings& settings, bool terminal) {
  std::vector<std::string> out = {
      "HOME=" + settings.home,   "USER=" + settings.user,      "LOGNAME=" + settings.user,
      "SHELL=" + settings.shell, std::string("PATH=") + kPath,
  };
  if (terminal) out.emplace_back("TERM=dumb");
  return out;
}

Result<Process> start_process(const Settings& settings, const std::string& command, bool terminal,
                              unsigned long open_files) {
  Pipe in, out, err;
  End master;
  std::string slave;
  if (terminal) {
    slave = open_terminal(master);
    if (slave.empty()) return system_error("no terminal (pty) can be made", errno);
  } else if (!in.open() || !out.open() || !err.open()) {
    return system_error("no pipe can be made", errno);
  }

  Spawn spawn;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setflags(&spawn.attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::posix_spawnattr_setsigmask(&spawn.attributes, &none);
  ::posix_spawnattr_setsigdefault(&spawn.attributes, &all);
  if (terminal) {
    // Of a leader of a session that has none: it becomes its controlling terminal.
    ::posix_spawn_file_actions_addopen(&spawn.actions, 0, slave.c_str(), O_RDWR, 0);
    ::posix_spawn_file_actions_adddup2(&spawn.actions, 0, 1);
    ::posix_spawn_file_actions_adddup2(&spawn.actions, 0, 2);
  } else {
    ::posix_spawn_file_actions_adddup2(&spawn.actions, in.read.get(), 0);
    ::posix_spawn_file_actions_adddup2(&spawn.actions, out.write.get(), 1);
    ::posix_spawn_file_actions_adddup2(&spawn.actions, err.write.get(), 2);
  }
  // Libraries may have opened some without O_CLOEXEC.
  ::posix_spawn_file_actions_addclosefrom_np(&spawn.actions, 3);
  ::posix_spawn_file_actions_addchdir_np(&spawn.actions, "/");

  // The controller raises its limit of descriptors for its connections; a task has the one before.
  std::vector<std::string> words = {
      "sh", "-c", "ulimit -S -n " + std::to_string(open_files) + " 2>/dev/null; " + command};
  std::vector<std::string> environment = environment_of(settings, terminal);
  Process process;
  const int code = ::posix_spawn(&process.pid, _PATH_BSHELL, &spawn.actions, &spawn.attributes,
                                 pointers(words).data(), pointers(environment).data());
  if (code != 0) return system_error("no process can be started", code);
  process.exit = static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0));
  if (process.exit < 0) {
    const int why = errno;
    ::kill(process.pid, SIGKILL);
    while (::waitpid(process.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (why != ENOSYS) return system_error("no process can be watched", why);
    return fail("this kernel cannot watch a process (pidfd_open)",
                "steps on `local` need Linux 5.3 or newer");
  }
  process.in = in.write.take();
  process.out = terminal ? master.take() : out.read.take();
  process.err = err.read.take();
  return process;
}

}  // namespace cnplay::local
