#include "cli/signals.h"

#include <pthread.h>
#include <signal.h>

namespace cnplay::cli {
namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR2);  // our own, to end the thread
  return set;
}

}  // namespace

SignalWatch::SignalWatch() {
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
  ending_ = true;
  ::pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
}

void SignalWatch::on_signal(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void SignalWatch::watch() {
  const sigset_t set = watched();
  for (;;) {
    int signal = 0;
    if (::sigwait(&set, &signal) != 0) continue;
    if (ending_) return;
    if (signal == SIGUSR2) continue;
    ++requests_;
    const std::lock_guard lock(mutex_);
    if (wake_) wake_();
  }
}

}  // namespace cnplay::cli
