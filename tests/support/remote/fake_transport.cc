#include "support/remote/fake_transport.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <deque>

namespace cnplay::remote::testing {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

class FakeChannel final : public ssh::Channel, public std::enable_shared_from_this<FakeChannel> {
 public:
  FakeChannel(FakeTransport& transport, std::shared_ptr<ssh::ChannelHandler> handler)
      : transport_(transport),
        handler_(std::move(handler)),
        in_(transport.io_),
        out_(transport.io_),
        err_(transport.io_),
        pid_fd_(transport.io_) {
    ++transport_.opened_;
    const unsigned now = ++transport_.channels_now_;
    if (now > transport_.channels_most_) transport_.channels_most_ = now;
  }

  void start(const std::string& command, bool pty);

  void write(std::string bytes) override {
    if (closed_ || !in_.is_open()) return;
    const bool idle = queue_.empty();
    queued_ += bytes.size();
    {
      const std::lock_guard lock(transport_.mutex_);
      transport_.input_ += bytes;
    }
    queue_.push_back(std::move(bytes));
    if (idle) write_next();
  }
  std::size_t queued() const override { return queued_; }
  void send_eof() override {
    eof_ = true;
    if (queue_.empty() && !pty_) close_in();
  }
  void close() override { finish(std::nullopt); }
  void pause() override { paused_ = true; }
  void resume() override {
    if (!std::exchange(paused_, false)) return;
    read(out_, ssh_out_);
    if (err_.is_open()) read(err_, ssh_err_);
  }
  void lose() {
    finish(ssh::TransportError{ssh::Failure::lost, "fake: the connection is lost", ""});
  }
  bool closed() const { return closed_; }
  // At the end of the test: what was started here must not stay.
  void kill_process() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    if (!exited_) ::kill(pid_, SIGKILL);
  }

 private:
  struct Side {
    bool err = false;
    bool reading = false;
    bool eof = false;
    std::array<char, 64 * 1024> buffer;
  };

  void write_next() {
    if (queue_.empty()) {
      if (eof_ && !pty_) close_in();
      return;
    }
    std::string& front = queue_.front();
    std::size_t n = front.size();
    if (transport_.input_bytes_ + n > transport_.faults.cut_input_after) {
      n = transport_.faults.cut_input_after - transport_.input_bytes_;
      front.resize(n);
      cut_after_ = true;
    }
    boost::asio::async_write(
        in_, boost::asio::buffer(front),
        [self = shared_from_this()](const error_code& error, std::size_t) { self->wrote(error); });
  }
  void wrote(const error_code& error) {
    if (closed_ || queue_.empty()) return;
    transport_.input_bytes_ += queue_.front().size();
    queued_ -= std::min(queued_, queue_.front().size());
    queue_.pop_front();
    if (cut_after_) return transport_.cut();
    if (error) queue_.clear();
    if (error) return;
    write_next();
    if (queue_.empty() && handler_) handler_->on_drained();
  }
  void close_in() {
    error_code ignored;
    in_.close(ignored);
  }
  void read(stream_descriptor& from, Side& side) {
    if (side.reading || side.eof || paused_ || closed_) return;
    side.reading = true;
    const std::size_t n = std::min(side.buffer.size(), transport_.faults.chunk);
    from.async_read_some(
        boost::asio::buffer(side.buffer.data(), n),
        [self = shared_from_this(), &from, &side](const error_code& error, std::size_t got) {
          side.reading = false;
          if (self->closed_) return;
          const std::string_view bytes(side.buffer.data(), got);
          if (got > 0 && side.err) self->handler_->on_stderr(bytes);
          if (got > 0 && !side.err) self->handler_->on_stdout(bytes);
          if (error) side.eof = true;
          self->read(from, side);
          self->check_end();
        });
  }
  // As sshd: the process is over and its pipes are at their end.
  void check_end() {
    if (closed_ || !exited_ || !ssh_out_.eof || !ssh_err_.eof) return;
    finish(std::nullopt);
  }
  void finish(std::optional<ssh::TransportError> error) {
    if (closed_) return;
    closed_ = true;
    --transport_.channels_now_;
    error_code ignored;
    in_.close(ignored);
    out_.close(ignored);
    err_.close(ignored);
    boost::asio::post(transport_.io_, [self = shared_from_this(), error] {
      const auto handler = std::exchange(self->handler_, nullptr);
      if (handler) handler->on_close(error);
    });
  }
  void reap();

  FakeTransport& transport_;
  std::shared_ptr<ssh::ChannelHandler> handler_;
  stream_descriptor in_;
  stream_descriptor out_;
  stream_descriptor err_;
  stream_descriptor pid_fd_;
  pid_t pid_ = 0;
  bool pty_ = false;
  Side ssh_out_;
  Side ssh_err_;
  std::deque<std::string> queue_;
  std::size_t queued_ = 0;
  bool eof_ = false;
  bool cut_after_ = false;
  bool paused_ = false;
  bool exited_ = false;
  bool closed_ = false;
};

void FakeChannel::start(const std::string& command, bool pty) {
  pty_ = pty;
  ssh_err_.err = true;
  int in[2] = {-1, -1};
  int out[2] = {-1, -1};
  int err[2] = {-1, -1};
  if (pty) {
    int master = -1;
    int slave = -1;
    if (openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) std::abort();
    fcntl(master, F_SETFD, FD_CLOEXEC);
    in[0] = slave;
    in[1] = fcntl(master, F_DUPFD_CLOEXEC, 0);
    out[0] = master;
    out[1] = fcntl(slave, F_DUPFD_CLOEXEC, 0);
    err[1] = fcntl(slave, F_DUPFD_CLOEXEC, 0);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    ssh_err_.eof = true;
  } else if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
    std::abort();
  }
  std::vector<std::string> variables;
  for (const auto& [name, value] : transport_.environment) variables.push_back(name + "=" + value);
  std::vector<char*> env;
  for (std::string& v : variables) env.push_back(v.data());
  env.push_back(nullptr);
  const auto path = transport_.environment.find("PATH");
  const std::string first = path->second.substr(0, path->second.find(':'));
  std::string program = first + "/sh";
  std::string name = "sh";
  std::string flag = "-c";
  std::string text =
      transport_.faults.forced_command.empty() ? command : transport_.faults.forced_command;
  std::array<char*, 4> argv = {name.data(), flag.data(), text.data(), nullptr};
  pid_ = fork();
  if (pid_ == 0) {
    setsid();
    if (pty) ioctl(in[0], TIOCSCTTY, 0);
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(err[1], 2);
    execve(program.c_str(), argv.data(), env.data());
    _exit(126);
  }
  ::close(in[0]);
  ::close(out[1]);
  ::close(err[1]);
  in_.assign(in[1]);
  out_.assign(out[0]);
  if (!pty) err_.assign(err[0]);
  pid_fd_.assign(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  pid_fd_.async_wait(stream_descriptor::wait_read,
                     [self = shared_from_this()](const error_code&) { self->reap(); });
  read(out_, ssh_out_);
  if (!pty) read(err_, ssh_err_);
}

void FakeChannel::reap() {
  int status = 0;
  waitpid(pid_, &status, 0);
  error_code ignored;
  pid_fd_.close(ignored);
  exited_ = true;
  if (closed_) return;
  if (WIFEXITED(status)) handler_->on_exit(WEXITSTATUS(status), {});
  if (WIFSIGNALED(status)) handler_->on_exit(std::nullopt, sigabbrev_np(WTERMSIG(status)));
  check_end();
}

class FakeConnection final : public ssh::Connection,
                             public std::enable_shared_from_this<FakeConnection> {
 public:
  FakeConnection(FakeTransport& transport) : transport_(transport) {}
  boost::asio::any_io_executor executor() override { return transport_.io_.get_executor(); }
  void connect(std::function<void(std::optional<ssh::TransportError>)> done) override {
    boost::asio::post(transport_.io_, [self = shared_from_this(), done = std::move(done)] {
      if (self->transport_.faults.refuse_connect) {
        return done(ssh::TransportError{ssh::Failure::refused, "fake: refused", "start it"});
      }
      self->connected_ = true;
      done(std::nullopt);
    });
  }
  void open_exec(std::string command, bool pty, std::shared_ptr<ssh::ChannelHandler> handler,
                 std::function<void(ssh::OpenResult)> done) override {
    boost::asio::post(transport_.io_, [self = shared_from_this(), command = std::move(command), pty,
                                       handler = std::move(handler), done = std::move(done)] {
      if (!self->connected_) return done(ssh::TransportError{ssh::Failure::lost, "fake: lost", ""});
      if (self->transport_.channels_now_ >= self->transport_.faults.max_channels) {
        return done(ssh::TransportError{ssh::Failure::no_channel, "fake: no channel", ""});
      }
      auto channel = std::make_shared<FakeChannel>(self->transport_, handler);
      self->transport_.all_.push_back(channel);
      std::erase_if(self->channels_, [](const auto& c) { return c->closed(); });
      self->channels_.push_back(channel);
      channel->start(command, pty);
      done(std::shared_ptr<ssh::Channel>(channel));
    });
  }
  void close() override {
    boost::asio::post(transport_.io_, [self = shared_from_this()] {
      self->connected_ = false;
      for (const auto& channel : std::exchange(self->channels_, {})) channel->close();
    });
  }
  std::shared_ptr<ssh::Connection> again() override { return transport_.make({}); }
  bool connected() const override { return connected_; }
  std::string peer() const override { return "fake:22"; }
  void set_on_lost(std::function<void(ssh::TransportError)> on_lost) override {
    on_lost_ = std::move(on_lost);
  }
  void lose() {
    if (!connected_.exchange(false)) return;
    for (const auto& channel : std::exchange(channels_, {})) channel->lose();
    boost::asio::post(transport_.io_, [self = shared_from_this()] {
      if (self->on_lost_) {
        self->on_lost_({ssh::Failure::lost, "fake: the connection is lost", ""});
      }
    });
  }

 private:
  FakeTransport& transport_;
  friend class FakeTransport;
  std::vector<std::shared_ptr<FakeChannel>> channels_;
  std::function<void(ssh::TransportError)> on_lost_;
  std::atomic<bool> connected_{false};
};

FakeTransport::FakeTransport()
    : work_(boost::asio::make_work_guard(io_)), thread_([this] { io_.run(); }) {
  signal(SIGPIPE, SIG_IGN);
}

FakeTransport::~FakeTransport() {
  boost::asio::post(io_, [this] {
    for (const auto& weak : connections_) {
      if (const auto connection = weak.lock()) connection->close();
    }
    for (const auto& weak : all_) {
      if (const auto channel = weak.lock()) channel->kill_process();
    }
    boost::asio::post(io_, [this] { work_.reset(); });
  });
  thread_.join();
}

std::shared_ptr<ssh::Connection> FakeTransport::make(ssh::Settings) {
  auto connection = std::make_shared<FakeConnection>(*this);
  boost::asio::post(io_,
                    [this, weak = std::weak_ptr(connection)] { connections_.push_back(weak); });
  return connection;
}

void FakeTransport::cut() {
  boost::asio::post(io_, [this] {
    for (const auto& weak : connections_) {
      if (const auto connection = weak.lock()) connection->lose();
    }
  });
}

std::string FakeTransport::input() const {
  const std::lock_guard lock(mutex_);
  return input_;
}

}  // namespace cnplay::remote::testing
