#include "remote/tunnel.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace cnplay::remote {
namespace {

// Output of the command that is not printed yet, above which the host has to wait.
constexpr std::size_t kMostOutput = std::size_t{1} << 20;

// Reads its script as one line, so that it means the same in every login shell.
constexpr const char* kBootstrap = "exec sh -c 'IFS= read -r l && eval \"$(printf %b \"$l\")\"'";

// Runs the command of its next line in a session of its own, and ends all of that session's group
// when the command has ended, when stdin ends (the tunnel was closed, or its connection is lost),
// or when nothing has come from there for as many seconds as the line after says. TERM first, KILL
// after 5 seconds.
constexpr const char* kScript = R"SH(
IFS= read -r c && IFS= read -r fuse || exit 125
c=$(printf '%b.' "$c")
c=${c%.}
command -v setsid >/dev/null 2>&1 || {
  echo 'there is no setsid here, which ends the command with the tunnel: install util-linux' >&2
  exit 126
}
exec 3<&0 </dev/null
setsid sh -c "$c" 3<&- &
p=$!
trap '' HUP INT TERM
gone() { ! kill -0 "-$p" 2>/dev/null; }
finish() {
  kill -TERM "-$p" 2>/dev/null
  i=0
  while [ "$i" -lt 50 ] && ! gone; do
    sleep 0.1 2>/dev/null || { sleep 1; i=$((i + 9)); }
    i=$((i + 1))
  done
  kill -KILL "-$p" 2>/dev/null
}
(
  exec 3<&- >/dev/null 2>&1
  t=0
  trap 't=0' USR1
  while [ "$t" -lt "$fuse" ]; do
    sleep 1
    t=$((t + 1))
  done
  finish
) &
timer=$!
(
  exec >/dev/null 2>&1
  while read -r beat <&3; do kill -USR1 "$timer"; done
  kill -KILL "$timer"
  finish
) &
reader=$!
exec 3<&-
wait "$p" 2>/dev/null
s=$?
kill -KILL "$timer" "$reader" 2>/dev/null
gone || finish
exit "$s"
)SH";

// As printf's %b reads it back: on one line.
std::string one_line_for_printf(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c == '\\') line += '\\';
    if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  return line;
}

struct CommandEnd {
  std::optional<int> status;
  std::string signal;
  std::optional<ssh::TransportError> error;
};

}  // namespace

// What the strand tells the thread of run().
struct Tunnel::Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void(TunnelView&)>> calls;
  std::size_t output = 0;  // bytes in `calls`
  std::optional<std::optional<ssh::TransportError>> connected;
  std::optional<ssh::TransportError> lost;
  std::optional<CommandEnd> command_end;

  template <class F>
  void tell(F f) {
    const std::lock_guard lock(mutex);
    f(*this);
    changed.notify_all();
  }
  template <class F>
  bool wait_until(std::chrono::steady_clock::time_point end, F holds) {
    std::unique_lock lock(mutex);
    return changed.wait_until(lock, end, [&] { return holds(*this); });
  }
  template <class F>
  void wait(F holds) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return holds(*this); });
  }
};

// The command's channel. On the strand, but for start(), stop() and resume().
class Tunnel::Command final : public ssh::ChannelHandler,
                              public std::enable_shared_from_this<Command> {
 public:
  Command(std::shared_ptr<Queue> queue, std::shared_ptr<ssh::Connection> connection,
          const TunnelOptions& options)
      : queue_(std::move(queue)),
        connection_(std::move(connection)),
        options_(options),
        timer_(connection_->executor()) {}

  void start() {
    connection_->open_exec(
        kBootstrap, false, shared_from_this(), [self = shared_from_this()](ssh::OpenResult result) {
          if (auto* error = std::get_if<ssh::TransportError>(&result)) {
            return self->queue_->tell([&](Queue& q) { q.command_end = {{}, "", *error}; });
          }
          self->opened(std::get<std::shared_ptr<ssh::Channel>>(std::move(result)));
        });
  }
  void stop() {
    boost::asio::post(connection_->executor(), [self = shared_from_this()] {
      self->stopped_ = true;
      self->timer_.cancel();
      if (self->channel_) self->channel_->send_eof();
    });
  }
  void resume() {
    boost::asio::post(connection_->executor(), [self = shared_from_this()] {
      if (self->channel_) self->channel_->resume();
    });
  }

  void on_stdout(std::string_view bytes) override { output(false, bytes); }
  void on_stderr(std::string_view bytes) override { output(true, bytes); }
  void on_exit(std::optional<int> status, std::string signal) override {
    end_.status = status;
    end_.signal = std::move(signal);
  }
  void on_close(std::optional<ssh::TransportError> error) override {
    channel_.reset();
    timer_.cancel();
    end_.error = std::move(error);
    queue_->tell([&](Queue& q) { q.command_end = end_; });
  }

 private:
  void opened(std::shared_ptr<ssh::Channel> channel) {
    channel_ = std::move(channel);
    channel_->write(one_line_for_printf(kScript) + "\n" + one_line_for_printf(options_.command) +
                    "\n" + std::to_string(options_.fuse.count() / 1000) + "\n");
    if (stopped_) return channel_->send_eof();
    beat();
  }

  void beat() {
    timer_.expires_after(options_.beat);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (error || !self || !self->channel_ || self->stopped_) return;
      if (self->channel_->queued() == 0) self->channel_->write("\n");
      self->beat();
    });
  }

  void output(bool is_stderr, std::string_view bytes) {
    bool full = false;
    queue_->tell([&](Queue& q) {
      q.calls.emplace_back([is_stderr, text = std::string(bytes)](TunnelView& view) {
        view.output(is_stderr, text);
      });
      q.output += bytes.size();
      full = q.output > kMostOutput;
    });
    if (full && channel_) channel_->pause();
  }

  std::shared_ptr<Queue> queue_;
  std::shared_ptr<ssh::Connection> connection_;
  const TunnelOptions options_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<ssh::Channel> channel_;
  CommandEnd end_;
  bool stopped_ = false;
};

Tunnel::Tunnel(ssh::Transport& transport, ssh::Settings settings, std::vector<TunnelPort> ports,
               TunnelOptions options)
    : queue_(std::make_shared<Queue>()),
      connection_(transport.make(std::move(settings))),
      ports_(std::move(ports)),
      options_(std::move(options)) {}

Tunnel::~Tunnel() {
  for (const auto& forward : forwards_) forward->stop();
  connection_->close();
}

void Tunnel::wake() {
  queue_->tell([](Queue&) {});
}

std::optional<ssh::TransportError> Tunnel::connect(const std::atomic<int>& requests) {
  connection_->set_on_lost([queue = queue_](ssh::TransportError error) {
    queue->tell([&](Queue& q) { q.lost = std::move(error); });
  });
  connection_->connect([queue = queue_](std::optional<ssh::TransportError> error) {
    queue->tell([&](Queue& q) { q.connected = std::move(error); });
  });
  queue_->wait([&](const Queue& q) { return q.connected || requests > 0; });
  if (requests > 0) connection_->close();
  queue_->wait([&](const Queue& q) { return q.connected.has_value(); });
  return *queue_->connected;
}

void Tunnel::deliver(TunnelView& view) {
  std::deque<std::function<void(TunnelView&)>> calls;
  bool was_full = false;
  queue_->tell([&](Queue& q) {
    calls.swap(q.calls);
    was_full = std::exchange(q.output, 0) > kMostOutput;
  });
  for (const auto& call : calls) call(view);
  if (was_full && command_) command_->resume();
}

TunnelEnd Tunnel::run(TunnelView& view, const std::atomic<int>& requests) {
  TunnelEnd end;
  end.error = connect(requests);
  if (requests > 0) return {TunnelEnd::Why::stopped, {}, {}, "", false};
  if (end.error) {
    end.why = TunnelEnd::Why::not_connected;
    return end;
  }
  for (TunnelPort& one : ports_) {
    const auto failed = [queue = queue_](const ssh::Target& target,
                                         const ssh::TransportError& error) {
      queue->tell([&](Queue& q) {
        q.calls.emplace_back([target, error](TunnelView& to) { to.failed(target, error); });
      });
    };
    forwards_.push_back(
        ssh::Forward::start(connection_, std::move(one.port), std::move(one.target), failed));
  }
  view.opened();
  if (!options_.command.empty()) {
    command_ = std::make_shared<Command>(queue_, connection_, options_);
    command_->start();
  }
  const auto over = [](const Queue& q) { return q.lost || q.command_end; };
  for (bool done = false; !done;) {
    queue_->wait(
        [&](const Queue& q) { return !q.calls.empty() || over(q) || requests.load() > 0; });
    queue_->tell([&](const Queue& q) { done = over(q) || requests.load() > 0; });
    deliver(view);
  }
  stop(view, end, requests);
  return end;
}

// Closes the ports, has the host end the command, and says what it all came to.
void Tunnel::stop(TunnelView& view, TunnelEnd& end, const std::atomic<int>& requests) {
  using Why = TunnelEnd::Why;
  for (const auto& forward : forwards_) forward->stop();
  bool asked = false;  // nothing but a request ends it
  queue_->tell([&](const Queue& q) { asked = !q.lost && !q.command_end; });
  if (asked && command_) {
    command_->stop();
    const auto until = std::chrono::steady_clock::now() + options_.patience;
    for (bool waits = true; waits;) {
      const auto over = [&](const Queue& q) {
        return q.lost || q.command_end || requests.load() > 1;
      };
      const bool in_time =
          queue_->wait_until(until, [&](const Queue& q) { return !q.calls.empty() || over(q); });
      deliver(view);
      queue_->tell([&](const Queue& q) { waits = in_time && !over(q); });
    }
  }
  deliver(view);
  queue_->tell([&](const Queue& q) {
    if (q.command_end) {
      end.status = q.command_end->status;
      end.signal = q.command_end->signal;
      end.error = q.command_end->error;
    }
    if (q.lost) end.error = q.lost;
    const bool ended = end.status || !end.signal.empty();
    const bool lost = q.lost || (end.error && end.error->kind == ssh::Failure::lost);
    end.why = asked ? Why::stopped : lost && !ended ? Why::lost : Why::command_ended;
    end.unconfirmed = command_ && !ended && end.why != Why::command_ended;
  });
  connection_->close();
}

}  // namespace cnplay::remote
