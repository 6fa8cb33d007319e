// The limit to measure cnplay against: what one thread of hand-written, non-blocking libssh needs
// to log in to N hosts at once, open one shell on each, and run M commands there one after another.
//
//   limit PORT USER KEY COMMANDS ADDRESS...
//
// Host keys are not looked at, nothing is recorded, nothing is retried: it does no more than it
// must.
#include <arpa/inet.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

struct Host {
  enum class State { connecting, authenticating, opening, executing, running, done };
  State state = State::connecting;
  ssh_session session = nullptr;
  ssh_channel channel = nullptr;
  int fd = -1;
  int commands = 0;  // answered
  std::string seen;
};

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "limit: %s\n", what.c_str());
  std::exit(1);
}

int connect_to(const char* address, int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  if (fd < 0 || ::inet_pton(AF_INET, address, &to.sin_addr) != 1) die("bad address");
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) die(std::strerror(errno));
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

void send_command(Host& host) {
  const std::string line = "true; echo done" + std::to_string(host.commands) + "\n";
  if (ssh_channel_write(host.channel, line.data(), static_cast<std::uint32_t>(line.size())) !=
      static_cast<int>(line.size())) {
    die("a short write");
  }
}

// As far as it goes without waiting. Whether it has come further.
bool step(Host& host, ssh_key key, int commands) {
  int rc = SSH_ERROR;
  switch (host.state) {
    case Host::State::connecting:
      rc = ssh_connect(host.session);
      break;
    case Host::State::authenticating:
      rc = ssh_userauth_publickey(host.session, nullptr, key);
      if (rc == SSH_AUTH_AGAIN) return false;
      rc = rc == SSH_AUTH_SUCCESS ? SSH_OK : SSH_ERROR;
      break;
    case Host::State::opening:
      if (host.channel == nullptr) host.channel = ssh_channel_new(host.session);
      rc = ssh_channel_open_session(host.channel);
      break;
    case Host::State::executing:
      rc = ssh_channel_request_exec(host.channel, "exec sh");
      break;
    case Host::State::running: {
      char buffer[4096];
      const int n = ssh_channel_read_nonblocking(host.channel, buffer, sizeof buffer, 0);
      if (n < 0 && n != SSH_AGAIN) die(ssh_get_error(host.session));
      if (n <= 0) return false;
      host.seen.append(buffer, static_cast<std::size_t>(n));
      const std::string mark = "done" + std::to_string(host.commands) + "\n";
      if (host.seen.find(mark) == std::string::npos) return true;
      host.seen.clear();
      if (++host.commands == commands) {
        ssh_channel_close(host.channel);
        ssh_disconnect(host.session);
        host.state = Host::State::done;
      } else {
        send_command(host);
      }
      return true;
    }
    case Host::State::done:
      return false;
  }
  if (rc == SSH_AGAIN) return false;
  if (rc != SSH_OK) die(ssh_get_error(host.session));
  host.state = static_cast<Host::State>(static_cast<int>(host.state) + 1);
  if (host.state == Host::State::running) send_command(host);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) die("usage: limit PORT USER KEY COMMANDS ADDRESS...");
  const int commands = std::atoi(argv[4]);
  rlimit most{};
  ::getrlimit(RLIMIT_NOFILE, &most);
  most.rlim_cur = most.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &most);
  ssh_key key = nullptr;
  if (ssh_pki_import_privkey_file(argv[3], nullptr, nullptr, nullptr, &key) != SSH_OK) die("key");
  const auto begun = std::chrono::steady_clock::now();
  std::vector<Host> hosts(static_cast<std::size_t>(argc - 5));
  const int port = std::atoi(argv[1]);
  const int off = 0;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    Host& host = hosts[i];
    host.fd = connect_to(argv[i + 5], port);
    host.session = ssh_new();
    ssh_options_set(host.session, SSH_OPTIONS_HOST, argv[i + 5]);
    ssh_options_set(host.session, SSH_OPTIONS_USER, argv[2]);
    ssh_options_set(host.session, SSH_OPTIONS_FD, &host.fd);
    ssh_options_set(host.session, SSH_OPTIONS_PROCESS_CONFIG, &off);
    ssh_set_blocking(host.session, 0);
  }
  for (;;) {
    bool moved = false;
    std::vector<pollfd> polls;
    for (Host& host : hosts) {
      while (step(host, key, commands)) moved = true;
      if (host.state == Host::State::done) continue;
      const int flags = ssh_get_poll_flags(host.session);
      polls.push_back(
          {host.fd, static_cast<short>(POLLIN | ((flags & SSH_WRITE_PENDING) != 0 ? POLLOUT : 0)),
           0});
    }
    if (polls.empty()) break;
    if (!moved) ::poll(polls.data(), polls.size(), 1000);
  }
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  std::printf("{\"wall\": %.4f, \"cpu\": %.4f}\n", wall,
              seconds(used.ru_utime) + seconds(used.ru_stime));
  return 0;
}
