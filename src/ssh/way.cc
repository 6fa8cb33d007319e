#include "ssh/way.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "ssh/core.h"

namespace cnplay::ssh {
namespace {

using boost::system::error_code;

// More than this is not taken from one side before the other has taken it.
constexpr std::size_t kMostUnderWay = 1024 * 1024;

std::string key_of(const Settings& settings) {
  std::string key = settings.user + "@" + settings.address + ":" + std::to_string(settings.port);
  if (settings.jump) key += " through " + key_of(*settings.jump);
  return key + " " + settings.proxy_command;
}

}  // namespace

std::shared_ptr<Gate> Gate::to(const std::shared_ptr<Shard>& shard, const Settings& settings) {
  std::weak_ptr<Gate>& known = shard->gate(key_of(settings));
  auto gate = known.lock();
  const bool usable = gate && (!gate->result_ || (!*gate->result_ && gate->core_->connected()));
  if (usable) return gate;
  gate = std::make_shared<Gate>(std::make_shared<Core>(shard, settings));
  known = gate;
  gate->begin();
  return gate;
}

Gate::Gate(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Gate::~Gate() { core_->close(); }

void Gate::begin() {
  core_->shard().add(core_.get());
  core_->connect([weak = weak_from_this()](std::optional<TransportError> error) {
    if (const auto self = weak.lock()) self->answer(error);
  });
}

void Gate::answer(const std::optional<TransportError>& error) {
  result_ = error;
  for (const Told& told : std::exchange(waiting_, {})) told(error);
}

void Gate::when_open(Told told) {
  if (!result_) {
    waiting_.push_back(std::move(told));
    return;
  }
  boost::asio::post(core_->shard().io(),
                    [self = shared_from_this(), told = std::move(told)] { told(*self->result_); });
}

Bridge::Bridge(boost::asio::io_context& io, int fd, std::weak_ptr<Core> inner, std::string gate)
    : stream_(io, fd), inner_(std::move(inner)), gate_(std::move(gate)) {}

void Bridge::start(std::shared_ptr<Channel> channel) {
  channel_ = std::move(channel);
  read();
}

void Bridge::read() {
  if (reading_ || !channel_ || channel_->queued() > kMostUnderWay) return;
  reading_ = true;
  stream_.async_read_some(boost::asio::buffer(buffer_),
                          [self = shared_from_this()](error_code error, std::size_t n) {
                            self->reading_ = false;
                            if (!self->channel_) return;
                            if (error) return self->channel_->close();  // the session is over
                            self->channel_->write(std::string(self->buffer_.data(), n));
                            self->read();
                          });
}

void Bridge::on_stdout(std::string_view bytes) {
  queue_ += bytes;
  if (queue_.size() > kMostUnderWay && channel_) channel_->pause();
  write();
}

void Bridge::write() {
  if (!writing_.empty() || queue_.empty() || !stream_.is_open()) return;
  writing_ = std::exchange(queue_, {});
  boost::asio::async_write(stream_, boost::asio::buffer(writing_),
                           [self = shared_from_this()](error_code error, std::size_t) {
                             self->writing_.clear();
                             if (error) return;  // the reading side tells of it
                             if (self->channel_) self->channel_->resume();
                             self->write();
                           });
}

void Bridge::on_close(std::optional<TransportError> error) {
  channel_.reset();
  if (const auto inner = inner_.lock()) {
    inner->way_lost(error ? "its jump host is gone: " + error->what
                          : "the way through " + gate_ + " was closed");
  }
  error_code ignored;
  stream_.close(ignored);
}

Result<std::pair<int, int>> socket_pair() {
  int fds[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) {
    return fail(std::string("no pair of sockets can be made: ") + std::strerror(errno),
                "raise the limit of open files (ulimit -n), or lower --forks");
  }
  return std::pair(fds[0], fds[1]);
}

Result<std::pair<int, int>> run_proxy(const std::string& command) {
  auto sockets = socket_pair();
  if (!sockets) return sockets.error();
  const int said = ::memfd_create("proxy", MFD_CLOEXEC);
  const std::string text = "exec " + command;
  const char* argv[] = {"sh", "-c", text.c_str(), nullptr};
  const pid_t child = said < 0 ? -1 : ::fork();
  if (child == 0) {
    // Between fork and exec nothing but system calls: other threads may have held any lock. Twice,
    // so that nobody has to wait for it.
    if (::fork() != 0) ::_exit(0);
    ::setsid();
    ::dup2(sockets->second, 0);
    ::dup2(sockets->second, 1);
    ::dup2(said, 2);
    ::fcntl(0, F_SETFL, 0);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::execv("/bin/sh", const_cast<char* const*>(argv));
    ::_exit(127);
  }
  const int code = errno;
  ::close(sockets->second);
  if (child < 0) {
    ::close(sockets->first);
    if (said >= 0) ::close(said);
    return fail(std::string("no process can be started: ") + std::strerror(code), "");
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return std::pair(sockets->first, said);
}

}  // namespace cnplay::ssh
