#include "ssh/poller.h"

#include <sys/epoll.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace cnplay::ssh {
namespace {

int make_set() {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return set;
}

}  // namespace

Poller::Poller(boost::asio::io_context& io) : io_(io), set_(io, make_set()) {}

Status Poller::wait(Watch& watch, int fd, bool read, bool write, std::shared_ptr<Waiter> waiter) {
  const bool first = watch.number == 0;
  if (first) watch.number = ++last_;
  Wish& wish = wishes_[watch.number];
  const std::uint32_t events =
      wish.events | (read ? std::uint32_t{EPOLLIN} : 0U) | (write ? std::uint32_t{EPOLLOUT} : 0U);
  if (events != wish.events) {
    epoll_event event{};
    event.events = events | EPOLLONESHOT;
    event.data.u64 = watch.number;
    if (::epoll_ctl(set_.native_handle(), first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0) {
      const int code = errno;
      forget(watch);
      return fail(std::string("its socket cannot be waited for: ") + std::strerror(code),
                  code == ENOSPC ? "raise fs.epoll.max_user_watches (sysctl)" : "");
    }
  }
  wish.events = events;
  wish.waiter = std::move(waiter);
  listen();
  return {};
}

void Poller::forget(const Watch& watch) {
  wishes_.erase(watch.number);
  // A wait that nobody needs would keep the loop from its end.
  if (wishes_.empty() && listening_) set_.cancel();
}

void Poller::listen() {
  if (listening_ || wishes_.empty()) return;
  listening_ = true;
  set_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                  [this](const boost::system::error_code& stopped) {
                    listening_ = false;
                    if (!stopped) collect();
                    listen();
                  });
}

// Each waiter has a turn of its own in the loop: one that works long holds up no other's timers.
void Poller::collect() {
  std::array<epoll_event, 128> events;
  const int n = ::epoll_wait(set_.native_handle(), events.data(), events.size(), 0);
  for (int i = 0; i < n; ++i) {
    const auto found = wishes_.find(events[static_cast<std::size_t>(i)].data.u64);
    if (found == wishes_.end()) continue;
    boost::asio::post(io_, [waiter = std::move(found->second.waiter)] { waiter->socket_ready(); });
    wishes_.erase(found);
  }
}

}  // namespace cnplay::ssh
