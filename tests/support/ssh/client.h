// Test support: a connection, made synchronous, and strict about its promises: every callback
// that must come exactly once is counted, and a call after on_close is recorded as a fault.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "ssh/transport.h"

namespace cnplay::ssh::test {

inline constexpr std::chrono::seconds kPatience{20};

// Records what a channel tells. Thread-safe; wait_* return false when patience is over.
class Recorder : public ChannelHandler {
 public:
  explicit Recorder(bool keep_output = true) : keep_output_(keep_output) {}

  void on_stdout(std::string_view bytes) override;
  void on_stderr(std::string_view bytes) override;
  void on_exit(std::optional<int> status, std::string signal) override;
  void on_drained() override;
  void on_close(std::optional<TransportError> error) override;

  // Called on the strand with each piece of stdout; set before the channel is opened.
  std::function<void(std::string_view)> on_bytes;

  bool wait_closed();
  bool wait_output(std::size_t bytes);
  bool wait_drained();

  std::string out() const;
  std::string err() const;
  std::size_t out_bytes() const;
  std::optional<int> status() const;
  std::string signal() const;
  std::optional<TransportError> error() const;
  int closes() const;
  int exits() const;
  int calls_after_close() const;

 private:
  template <class F>
  bool wait(F f);
  template <class F>
  void note(F f);

  const bool keep_output_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string out_, err_, signal_;
  std::size_t out_bytes_ = 0;
  std::optional<int> status_;
  std::optional<TransportError> error_;
  int exits_ = 0, closes_ = 0, late_ = 0, drained_ = 0;
};

// Connects; nullopt is success. Throws when patience is over or `done` is called twice.
std::optional<TransportError> connect(Connection& connection);

struct Opened {
  std::shared_ptr<Channel> channel;  // null if it failed
  std::optional<TransportError> error;
  std::shared_ptr<Recorder> recorder;
};
Opened open(Connection& connection, const std::string& command, bool pty = false,
            std::shared_ptr<Recorder> recorder = nullptr);

// Opens, sends `input` and EOF, waits for the end.
std::shared_ptr<Recorder> exec(Connection& connection, const std::string& command,
                               const std::string& input = {}, bool pty = false);

// Runs `f` on the connection's strand and waits.
void on_strand(Connection& connection, const std::function<void()>& f);

// Looks again and again until `holds`; false when patience is over. For what no callback tells.
bool eventually(const std::function<bool()>& holds);

// Counts the calls of on_lost.
class LossCounter {
 public:
  explicit LossCounter(Connection& connection);
  bool wait();  // for the first
  int count() const;
  TransportError error() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace cnplay::ssh::test
