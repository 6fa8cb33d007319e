#include "support/ssh/client.h"

#include <atomic>
#include <boost/asio/post.hpp>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

namespace cnplay::ssh::test {

template <class F>
bool Recorder::wait(F f) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, f);
}

template <class F>
void Recorder::note(F f) {
  {
    const std::lock_guard lock(mutex_);
    if (closes_ > 0) ++late_;
    f();
  }
  changed_.notify_all();
}

void Recorder::on_stdout(std::string_view bytes) {
  note([&] {
    out_bytes_ += bytes.size();
    if (keep_output_) out_.append(bytes);
  });
  if (on_bytes) on_bytes(bytes);
}

void Recorder::on_stderr(std::string_view bytes) {
  note([&] { err_.append(bytes); });
}

void Recorder::on_exit(std::optional<int> status, std::string signal) {
  note([&] {
    ++exits_;
    status_ = status;
    signal_ = std::move(signal);
  });
}

void Recorder::on_drained() {
  note([&] { ++drained_; });
}

void Recorder::on_close(std::optional<TransportError> error) {
  note([&] {
    ++closes_;
    error_ = std::move(error);
  });
}

bool Recorder::wait_closed() {
  return wait([&] { return closes_ > 0; });
}
bool Recorder::wait_output(std::size_t bytes) {
  return wait([&] { return out_bytes_ >= bytes; });
}
bool Recorder::wait_drained() {
  return wait([&] { return drained_ > 0; });
}

std::string Recorder::out() const {
  const std::lock_guard lock(mutex_);
  return out_;
}
std::string Recorder::err() const {
  const std::lock_guard lock(mutex_);
  return err_;
}
std::size_t Recorder::out_bytes() const {
  const std::lock_guard lock(mutex_);
  return out_bytes_;
}
std::optional<int> Recorder::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}
std::string Recorder::signal() const {
  const std::lock_guard lock(mutex_);
  return signal_;
}
std::optional<TransportError> Recorder::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}
int Recorder::closes() const {
  const std::lock_guard lock(mutex_);
  return closes_;
}
int Recorder::exits() const {
  const std::lock_guard lock(mutex_);
  return exits_;
}
int Recorder::calls_after_close() const {
  const std::lock_guard lock(mutex_);
  return late_;
}

namespace {

// A promise that survives the caller's giving up; a second answer throws in the loop and ends the
// test.
template <class T>
class Answer {
 public:
  void set(T value) { promise_.set_value(std::move(value)); }
  T get(const char* what) {
    auto future = promise_.get_future();
    if (future.wait_for(kPatience) != std::future_status::ready) {
      throw std::runtime_error(std::string("no answer to ") + what);
    }
    return future.get();
  }

 private:
  std::promise<T> promise_;
};

}  // namespace

bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

std::optional<TransportError> connect(Connection& connection) {
  auto answer = std::make_shared<Answer<std::optional<TransportError>>>();
  connection.connect([answer](std::optional<TransportError> e) { answer->set(std::move(e)); });
  return answer->get("connect");
}

Opened open(Connection& connection, const std::string& command, bool pty,
            std::shared_ptr<Recorder> recorder) {
  if (!recorder) recorder = std::make_shared<Recorder>();
  auto answer = std::make_shared<Answer<OpenResult>>();
  connection.open_exec(command, pty, recorder,
                       [answer](OpenResult result) { answer->set(std::move(result)); });
  OpenResult result = answer->get("open_exec");
  Opened opened{nullptr, std::nullopt, std::move(recorder)};
  if (auto* channel = std::get_if<std::shared_ptr<Channel>>(&result)) {
    opened.channel = std::move(*channel);
  } else {
    opened.error = std::get<TransportError>(std::move(result));
  }
  return opened;
}

std::shared_ptr<Recorder> exec(Connection& connection, const std::string& command,
                               const std::string& input, bool pty) {
  const Opened opened = open(connection, command, pty);
  if (opened.error) throw std::runtime_error("open_exec: " + opened.error->what);
  on_strand(connection, [&] {
    if (!input.empty()) opened.channel->write(input);
    if (!pty) opened.channel->send_eof();
  });
  if (!opened.recorder->wait_closed()) throw std::runtime_error("never closed: " + command);
  return opened.recorder;
}

void on_strand(Connection& connection, const std::function<void()>& f) {
  auto answer = std::make_shared<Answer<bool>>();
  boost::asio::post(connection.executor(), [&f, answer] {
    f();
    answer->set(true);
  });
  answer->get("a call on the strand");
}

struct LossCounter::State {
  std::mutex mutex;
  std::condition_variable changed;
  int count = 0;
  TransportError error;
};

LossCounter::LossCounter(Connection& connection) : state_(std::make_shared<State>()) {
  connection.set_on_lost([state = state_](TransportError error) {
    const std::lock_guard lock(state->mutex);
    ++state->count;
    state->error = std::move(error);
    state->changed.notify_all();
  });
}

bool LossCounter::wait() {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, kPatience, [&] { return state_->count > 0; });
}

int LossCounter::count() const {
  const std::lock_guard lock(state_->mutex);
  return state_->count;
}

TransportError LossCounter::error() const {
  const std::lock_guard lock(state_->mutex);
  return state_->error;
}

}  // namespace cnplay::ssh::test
