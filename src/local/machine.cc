#include "local/machine.h"

#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "local/process_channel.h"

namespace cnplay::local {
namespace {

using connection::ChannelHandler;
using connection::Failure;
using connection::OpenResult;
using connection::TransportError;

unsigned long open_files_now() {
  rlimit limit{};
  constexpr unsigned long kUsual = 1024;
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : kUsual;
}

// What the connections of a machine share: the loop, and the channels whose processes are awaited.
struct Loop {
  explicit Loop(Settings s) : settings(std::move(s)), work(io.get_executor()) {}

  const Settings settings;
  const unsigned long open_files = open_files_now();
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  std::atomic<bool> open{true};  // false: the machine is going away, and nothing is posted any more
  std::vector<std::weak_ptr<ProcessChannel>> channels;  // on the strand
};

// What a connection is on the strand. It outlives the handle that its user holds.
class LocalCore : public std::enable_shared_from_this<LocalCore> {
 public:
  explicit LocalCore(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}

  void connect(const std::function<void(std::optional<TransportError>)>& done) {
    if (closed_) return done(lost());
    connected_ = true;
    done(std::nullopt);
  }

  void open_exec(const std::string& command, bool pty, std::shared_ptr<ChannelHandler> handler,
                 const std::function<void(OpenResult)>& done) {
    if (!connected_) return done(lost());
    const auto process = start_process(loop_->settings, command, pty, loop_->open_files);
    if (!process) {
      return done(TransportError{Failure::no_channel, "local: " + process.error().what,
                                 process.error().help});
    }
    const auto channel = std::make_shared<ProcessChannel>(loop_->io, *process, std::move(handler));
    remember(loop_->channels, channel);
    remember(channels_, channel);
    channel->start();
    done(std::shared_ptr<connection::Channel>(channel));
  }

  void close() {
    closed_ = true;
    connected_ = false;
    for (const auto& weak : std::exchange(channels_, {})) {
      if (const auto channel = weak.lock()) channel->close();
    }
  }

  bool connected() const { return connected_; }

 private:
  static void remember(std::vector<std::weak_ptr<ProcessChannel>>& list,
                       const std::shared_ptr<ProcessChannel>& channel) {
    std::erase_if(list, [](const auto& weak) { return weak.expired(); });
    list.push_back(channel);
  }
  static TransportError lost() { return {Failure::lost, "local: the connection was closed", ""}; }

  std::shared_ptr<Loop> loop_;
  bool connected_ = false;
  bool closed_ = false;
  std::vector<std::weak_ptr<ProcessChannel>> channels_;
};

// What the user holds. Its end closes the connection.
class LocalConnection final : public connection::Connection {
 public:
  explicit LocalConnection(std::shared_ptr<Loop> loop)
      : loop_(std::move(loop)), core_(std::make_shared<LocalCore>(loop_)) {}
  ~LocalConnection() override { close(); }

  boost::asio::any_io_executor executor() override { return loop_->io.get_executor(); }

  void connect(std::function<void(std::optional<TransportError>)> done) override {
    post([done = std::move(done)](LocalCore& core) { core.connect(done); });
  }

  void open_exec(std::string command, bool pty, std::shared_ptr<ChannelHandler> handler,
                 std::function<void(OpenResult)> done) override {
    post([command = std::move(command), pty, handler = std::move(handler), done = std::move(done)](
             LocalCore& core) { core.open_exec(command, pty, handler, done); });
  }

  void close() override {
    post([](LocalCore& core) { core.close(); });
  }

  std::shared_ptr<connection::Connection> again() override {
    return std::make_shared<LocalConnection>(loop_);
  }
  bool connected() const override { return core_->connected(); }
  std::string peer() const override { return core_->connected() ? "local" : ""; }
  // Nothing lies between the controller and itself.
  void set_on_lost(std::function<void(TransportError)>) override {}

 private:
  template <class F>
  void post(F call) {
    if (!loop_->open) return;
    boost::asio::post(loop_->io, [core = core_, call = std::move(call)] { call(*core); });
  }

  std::shared_ptr<Loop> loop_;
  std::shared_ptr<LocalCore> core_;
};

class LocalMachine final : public Machine {
 public:
  explicit LocalMachine(Settings settings) : loop_(std::make_shared<Loop>(std::move(settings))) {
    // Signals are the main thread's; SIGPIPE is the error of a write here.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([loop = loop_] { loop->io.run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  ~LocalMachine() override {
    boost::asio::post(loop_->io, [loop = loop_.get()] {
      loop->open = false;
      for (const auto& weak : std::exchange(loop->channels, {})) {
        const auto channel = weak.lock();
        if (!channel) continue;
        channel->close();
        channel->forget();
      }
      loop->work.reset();
    });
    thread_.join();
  }

  std::shared_ptr<connection::Connection> make() override {
    return std::make_shared<LocalConnection>(loop_);
  }

 private:
  std::shared_ptr<Loop> loop_;
  std::thread thread_;
};

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const bool plain = !line.empty() && line.size() <= 64 &&
                     std::all_of(line.begin(), line.end(),
                                 [](unsigned char c) { return std::isxdigit(c) != 0 || c == '-'; });
  return plain ? line : "";
}

}  // namespace

Settings own_settings() {
  const char* const home = std::getenv("HOME");
  Settings out;
  out.user = std::to_string(::getuid());
  out.home = home != nullptr && *home == '/' ? home : "/";
  out.shell = "/bin/sh";
  if (const passwd* entry = ::getpwuid(::getuid())) {
    out.user = entry->pw_name;
    if (*entry->pw_dir == '/') out.home = entry->pw_dir;
    if (*entry->pw_shell == '/') out.shell = entry->pw_shell;
  }
  return out;
}

std::string machine_id() {
  for (const char* path : {"/etc/machine-id", "/var/lib/dbus/machine-id"}) {
    if (std::string id = first_line(path); !id.empty()) return id;
  }
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  return std::string("host ") + name;
}

std::unique_ptr<Machine> make_machine(Settings settings) {
  return std::make_unique<LocalMachine>(std::move(settings));
}

}  // namespace cnplay::local
