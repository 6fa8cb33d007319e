#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "command.h"

namespace cnplay::bench {

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ >= 0) return;
  std::perror("hosts: epoll");
  std::exit(1);
}

Loop::~Loop() { ::close(epoll_); }

std::uint64_t Loop::add(int fd, Watcher& watcher) {
  epoll_event event{};
  event.events = EPOLLONESHOT;
  event.data.u64 = ++last_;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    std::perror("hosts: epoll_ctl");
    std::exit(1);
  }
  watchers_.emplace(last_, &watcher);
  return last_;
}

void Loop::wait(std::uint64_t id, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events | EPOLLONESHOT;
  event.data.u64 = id;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void Loop::remove(std::uint64_t id, int fd) {
  if (watchers_.erase(id) > 0 && fd >= 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void Loop::run_once(int milliseconds) {
  std::array<epoll_event, 256> events;
  const int n = ::epoll_wait(epoll_, events.data(), events.size(), milliseconds);
  for (int i = 0; i < n; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    const auto found = watchers_.find(event.data.u64);
    if (found != watchers_.end()) found->second->ready(event.events);
  }
}

}  // namespace cnplay::bench
