// N hosts in one process: a SSH server on libssh that answers on all loopback addresses of a port,
// so that ten thousand hosts fit on the machine that measures them.
//
//   hosts --host-key FILE --port N [--port N ...] [--key FILE.pub] [--sh DIRECTORY]
//         [--delay MS] [--drop N] [--stall N] [--corrupt N] [--after BYTES] [--always]
//
// Says `ready` when it listens. Any key may log in, or the given one alone; where real shells are
// run (--sh) it must be given, for a port on loopback is open to all users of the machine. Without
// --sh a built-in responder plays the shell (responder.cc says what it knows).
//
// Faults: each N-th address ends its connection with RST, falls silent, or spoils a packet, once
// its shells have said so many bytes (1), on its first connection alone or --always. --delay holds
// what clients send for so long: a link with that round trip (delay.h).
//
// Ends by SIGTERM or SIGINT and prints what it has seen, as JSON.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "server.h"

namespace cnplay::bench {
namespace {

volatile std::sig_atomic_t stop = 0;
volatile std::sig_atomic_t child = 0;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "hosts: %s\n", what.c_str());
  std::exit(1);
}

class Listener final : public Watcher {
 public:
  Listener(World& world, std::uint16_t port) : world_(world), port_(port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int one = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    // All of 127.0.0.0/8, and nobody from outside.
    if (::setsockopt(fd_, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0) {
      die(std::string("the port cannot be bound to `lo`: ") + std::strerror(errno));
    }
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(fd_, 4096) != 0) {
      die("port " + std::to_string(port) + ": " + std::strerror(errno));
    }
    watch_ = world_.loop.add(fd_, *this);
    world_.loop.wait(watch_, fd_, EPOLLIN);
  }

  ~Listener() override {
    world_.loop.remove(watch_, fd_);
    ::close(fd_);
  }

  void ready(std::uint32_t) override {
    for (int i = 0; i < 64; ++i) {
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) break;
      sockaddr_in local{};
      socklen_t size = sizeof local;
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size);
      const std::uint32_t address = ntohl(local.sin_addr.s_addr);
      if (address >> 24 != 127) {
        ::close(fd);
        continue;
      }
      const int one = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      auto made = std::make_unique<HostConnection>(world_, fd, address, port_, ++world_.accepted);
      auto* raw = made.get();
      world_.connections.emplace(raw, std::move(made));
      world_.most = std::max(world_.most, world_.connections.size());
    }
    world_.loop.wait(watch_, fd_, EPOLLIN);
  }

 private:
  World& world_;
  const std::uint16_t port_;
  int fd_ = -1;
  std::uint64_t watch_ = 0;
};

std::uint64_t number(const std::string& option, const std::string& text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) {
    die(option + " wants a number up to " + std::to_string(most));
  }
  return value;
}

std::vector<std::uint16_t> read_options(int argc, char** argv, Options& options) {
  std::vector<std::uint16_t> ports;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--always") {
      options.always = true;
      continue;
    }
    if (++i == argc) die(option + " wants a value");
    const std::string value = argv[i];
    const auto count = [&] { return static_cast<unsigned>(number(option, value, 1U << 30U)); };
    if (option == "--host-key") {
      options.host_key = value;
    } else if (option == "--port") {
      ports.push_back(static_cast<std::uint16_t>(number(option, value, 65535)));
    } else if (option == "--key") {
      if (ssh_pki_import_pubkey_file(value.c_str(), &options.key) != SSH_OK) {
        die(value + " is no public key");
      }
    } else if (option == "--sh") {
      options.directory = value;
    } else if (option == "--delay") {
      options.delay = std::chrono::milliseconds(count());
    } else if (option == "--drop") {
      options.drop = count();
    } else if (option == "--stall") {
      options.stall = count();
    } else if (option == "--corrupt") {
      options.corrupt = count();
    } else if (option == "--after") {
      options.after = number(option, value, UINT64_MAX);
    } else {
      die("no such option: " + option);
    }
  }
  if (ports.empty() || options.host_key.empty()) die("--port and --host-key are needed");
  if (!options.directory.empty() && options.key == nullptr) {
    die("--sh runs commands: it needs --key, or every user of this machine could run them");
  }
  return ports;
}

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = [](int signal) { (signal == SIGCHLD ? child : stop) = 1; };
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD}) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

// What has been on its way long enough. Milliseconds to the next one; -1: there is none.
int deliver_late(World& world) {
  using std::chrono::steady_clock;
  while (!world.late.empty()) {
    const auto left = world.late.front().when - steady_clock::now();
    if (left > steady_clock::duration::zero()) {
      return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
    }
    const auto found = world.lines.find(world.late.front().line);
    world.late.pop_front();
    if (found != world.lines.end()) found->second->deliver();
  }
  return -1;
}

int serve(int argc, char** argv) {
  World world;
  const auto ports = read_options(argc, argv, world.options);
  rlimit most{};
  ::getrlimit(RLIMIT_NOFILE, &most);
  most.rlim_cur = most.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &most);
  world.bind = ssh_bind_new();
  const bool no = false;
  ssh_bind_options_set(world.bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
  if (ssh_bind_options_set(world.bind, SSH_BIND_OPTIONS_HOSTKEY, world.options.host_key.c_str()) !=
      SSH_OK) {
    die(ssh_get_error(world.bind));
  }
  handle_signals();
  {
    std::vector<std::unique_ptr<Listener>> listeners;
    for (const std::uint16_t port : ports) {
      listeners.push_back(std::make_unique<Listener>(world, port));
    }
    std::puts("ready");
    std::fflush(stdout);
    while (stop == 0) {
      const int next = deliver_late(world);
      // A signal between here and epoll_wait is seen a second later at the most.
      world.loop.run_once(next < 0 ? 1000 : std::min(next, 1000));
      if (child != 0) {
        child = 0;
        reap_children();
      }
      for (HostConnection* one : std::exchange(world.finished, {})) world.connections.erase(one);
    }
    world.connections.clear();
  }
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  std::printf(
      "{\"accepted\": %llu, \"authenticated\": %llu, \"most\": %zu, \"commands\": %llu, "
      "\"faults\": %llu, \"cpu_s\": %.3f, \"max_rss_kb\": %ld}\n",
      static_cast<unsigned long long>(world.accepted),
      static_cast<unsigned long long>(world.authenticated), world.most,
      static_cast<unsigned long long>(world.commands),
      static_cast<unsigned long long>(world.faults),
      seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss);
  ssh_bind_free(world.bind);
  ssh_key_free(world.options.key);
  return 0;
}

}  // namespace
}  // namespace cnplay::bench

int main(int argc, char** argv) { return cnplay::bench::serve(argc, argv); }
