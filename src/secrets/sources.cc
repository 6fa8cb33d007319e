#include "secrets/sources.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "base/terminal_text.h"

extern char** environ;

namespace cnplay::secrets {
namespace {

constexpr std::size_t kMaxSecret = 64u << 10;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

}  // namespace

Result<Secret> TerminalPrompter::ask(const std::string& prompt) {
  const Descriptor tty(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (tty.get() < 0) {
    return fail("cannot ask `" + prompt + "`: there is no terminal",
                "run it on a terminal, or take the secret from env(...) or command(...)");
  }
  termios saved{};
  if (::tcgetattr(tty.get(), &saved) != 0) return fail("the terminal cannot be read");
  termios silent = saved;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  const std::string text = for_terminal(prompt) + ": ";
  if (::tcsetattr(tty.get(), TCSAFLUSH, &silent) != 0 ||
      ::write(tty.get(), text.data(), text.size()) < 0) {
    return fail("the terminal cannot be used to ask for a secret");
  }
  std::string line;
  line.reserve(kMaxSecret);  // a string that grows leaves what it held
  char c = 0;
  ssize_t n = 0;
  while ((n = ::read(tty.get(), &c, 1)) == 1 && c != '\n' && line.size() < kMaxSecret) line += c;
  const int error = errno;
  ::tcsetattr(tty.get(), TCSAFLUSH, &saved);
  if (::write(tty.get(), "\n", 1) < 0) return fail("the terminal is gone");
  if (n < 0) return fail("`" + prompt + "` was not answered: " + std::strerror(error));
  if (line.empty()) return fail("`" + prompt + "` was answered with nothing");
  return Secret(std::move(line));
}

Result<Secret> from_environment(const std::string& variable) {
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0') {
    return fail("the environment variable " + variable + " is not set",
                "export it, or read it from a file: " + variable + "=$(cat FILE) cnplay ...");
  }
  return Secret(value);
}

Result<Secret> from_command(const std::vector<std::string>& argv, Duration timeout) {
  if (argv.empty()) return fail("the secret's command is empty");
  const std::string shown = "the secret's command `" + argv[0] + "`";
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(shown + ": no pipe: " + std::strerror(errno));
  Descriptor out(ends[0]);
  Descriptor in(ends[1]);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, in.get(), 1);
  std::vector<char*> arguments;
  for (const std::string& a : argv) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int spawned =
      ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  in.reset();
  if (spawned != 0) {
    return fail(shown + " cannot be started: " + std::strerror(spawned), "is it installed?");
  }

  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::string text;
  std::string problem;
  for (char buffer[4096]; problem.empty();) {
    const auto left =
        std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{out.get(), POLLIN, 0};
    const int ready = left.count() > 0 ? ::poll(&waiting, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      problem = "did not end within " + human_duration(timeout);
      break;
    }
    const ssize_t n = ::read(out.get(), buffer, sizeof buffer);
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kMaxSecret) problem = "printed more than 64 KiB";
  }
  int status = 0;
  // A command may close its output and go on; it has no more time than is left.
  while (problem.empty()) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid || (ended < 0 && errno != EINTR)) break;
    if (std::chrono::steady_clock::now() >= deadline) {
      problem = "did not end within " + human_duration(timeout);
    } else {
      ::poll(nullptr, 0, 5);
    }
  }
  if (!problem.empty()) {
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
  }
  Secret secret(std::move(text));
  if (!problem.empty()) return fail(shown + " " + problem);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(
        shown + (WIFEXITED(status) ? " ended with exit code " + std::to_string(WEXITSTATUS(status))
                                   : " was killed"),
        "run it by hand to see why");
  }
  std::string value = secret.reveal();
  if (!value.empty() && value.back() == '\n') value.pop_back();
  if (value.empty()) return fail(shown + " printed nothing");
  return Secret(std::move(value));
}

}  // namespace cnplay::secrets
