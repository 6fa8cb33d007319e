// Ctrl-C and its like, taken by a thread of its own, so that no handler interrupts anything.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace cnplay::cli {

// From construction to destruction SIGINT, SIGTERM and SIGHUP count up `requests` and then call
// `wake` (on the watching thread). Construct it before any other thread begins: the signals are
// blocked in all threads made after. SIGPIPE is ignored from then on.
class SignalWatch {
 public:
  SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();

  std::atomic<int>& requests() { return requests_; }
  // What is called after each signal; replaced before it may vanish.
  void on_signal(std::function<void()> wake);

 private:
  void watch();

  std::atomic<int> requests_{0};
  std::atomic<bool> ending_{false};
  std::mutex mutex_;  // guards wake_
  std::function<void()> wake_;
  std::thread thread_;
};

}  // namespace cnplay::cli
