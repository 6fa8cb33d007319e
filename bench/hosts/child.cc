// A real `sh`: a socket for its stdin and stdout, a pipe for its stderr, as a sshd would have it.
#include <fcntl.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <unordered_map>
#include <utility>

#include "command.h"

namespace cnplay::bench {
namespace {

class Child;
std::unordered_map<pid_t, Child*>& children() {
  static std::unordered_map<pid_t, Child*> all;
  return all;
}

class Child final : public Command {
 public:
  Child(Loop& loop, pid_t pid, int both, int err, Speaker speaker)
      : loop_(loop), speaker_(std::move(speaker)), pid_(pid), both_{*this, both}, err_{*this, err} {
    children()[pid] = this;
    for (End* end : {&both_, &err_}) {
      end->id = loop_.add(end->fd, *end);
      arm(*end);
    }
  }

  ~Child() override {
    // As with sshd: who ran in it is not killed, but finds nobody who listens.
    if (!status_) children().erase(pid_);
    for (End* end : {&both_, &err_}) shut(*end);
  }

  void input(std::string_view bytes) override {
    queue_ += bytes;
    write();
  }

  void input_ended() override {
    eof_ = true;
    write();
  }

  void exited(int status) {
    status_ = status;
    tell();
  }

 private:
  struct End final : Watcher {
    End(Child& of, int descriptor) : child(of), fd(descriptor) {}
    void ready(std::uint32_t events) override { child.ready(*this, events); }
    Child& child;
    int fd;
    std::uint64_t id = 0;
    bool open = true;  // for reading
  };

  void arm(End& end) {
    if (end.fd < 0) return;
    const bool more = &end == &both_ && !queue_.empty();
    loop_.wait(end.id, end.fd,
               (end.open ? std::uint32_t{EPOLLIN} : 0U) | (more ? std::uint32_t{EPOLLOUT} : 0U));
  }

  void shut(End& end) {
    loop_.remove(end.id, end.fd);
    if (end.fd >= 0) ::close(std::exchange(end.fd, -1));
    end.open = false;
  }

  void ready(End& end, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) write();
    std::array<char, 16384> buffer;
    const ssize_t n = ::read(end.fd, buffer.data(), buffer.size());
    if (n > 0) {
      speaker_.say(&end == &both_ ? 0 : 1, {buffer.data(), static_cast<std::size_t>(n)});
    } else if (n == 0 || errno != EAGAIN) {
      shut(end);
      return tell();
    }
    arm(end);
  }

  void write() {
    while (!queue_.empty() && both_.fd >= 0) {
      const ssize_t n = ::send(both_.fd, queue_.data(), queue_.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) return arm(both_);
      if (n < 0) queue_.clear();
      if (n > 0) queue_.erase(0, static_cast<std::size_t>(n));
    }
    if (queue_.empty() && eof_ && both_.fd >= 0) ::shutdown(both_.fd, SHUT_WR);
  }

  // The end, as sshd tells it: when the process is gone and nobody holds its outputs.
  void tell() {
    if (!status_ || both_.open || err_.open || std::exchange(told_, true)) return;
    speaker_.exit(*status_);
  }

  Loop& loop_;
  const Speaker speaker_;
  const pid_t pid_;
  End both_;
  End err_;
  std::string queue_;
  bool eof_ = false;
  bool told_ = false;
  std::optional<int> status_;
};

}  // namespace

std::unique_ptr<Command> make_child(Loop& loop, const std::string& directory,
                                    const std::string& command, Speaker speaker) {
  int both[2];
  int err[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0) return nullptr;
  if (::pipe2(err, O_CLOEXEC) != 0) {
    ::close(both[0]);
    ::close(both[1]);
    return nullptr;
  }
  ::fcntl(both[0], F_SETFL, O_NONBLOCK);
  ::fcntl(err[0], F_SETFL, O_NONBLOCK);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, both[1], 0);
  ::posix_spawn_file_actions_adddup2(&actions, both[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t pipe;
  ::sigemptyset(&none);
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &pipe);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const std::string home = "HOME=" + directory;
  const char* argv[] = {"sh", "-c", command.c_str(), nullptr};
  const char* environment[] = {home.c_str(), "PATH=/usr/bin:/bin", nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, const_cast<char**>(argv),
                                   const_cast<char**>(environment));
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  ::close(both[1]);
  ::close(err[1]);
  if (failed != 0) {
    ::close(both[0]);
    ::close(err[0]);
    errno = failed;
    return nullptr;
  }
  return std::make_unique<Child>(loop, pid, both[0], err[0], std::move(speaker));
}

void reap_children() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto found = children().find(pid);
    if (found == children().end()) continue;
    Child* child = found->second;
    children().erase(found);
    child->exited(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
}

}  // namespace cnplay::bench
