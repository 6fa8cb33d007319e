#include "delay.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "server.h"

namespace cnplay::bench {
namespace {

std::pair<int, int> pair_of_ends() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0) {
    return {ends[0], ends[1]};
  }
  std::perror("hosts: socketpair");
  std::exit(1);
}

// What can be read now; at its end, `ended`.
std::string read_some(int fd, bool& ended) {
  std::array<char, 65536> piece;
  const ssize_t n = ::read(fd, piece.data(), piece.size());
  if (n > 0) return {piece.data(), static_cast<std::size_t>(n)};
  ended = n == 0 || (errno != EAGAIN && errno != EINTR);
  return {};
}

// Drops from `bytes` what is taken; of an end that is gone, all.
void write_some(int fd, std::string& bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    bytes.erase(0, n < 0 ? bytes.size() : static_cast<std::size_t>(n));
  }
}

}  // namespace

DelayLine::DelayLine(World& world, int outside, std::uint64_t number)
    : world_(world),
      number_(number),
      ends_(pair_of_ends()),
      outside_(*this, outside, &DelayLine::outside_ready),
      middle_(*this, ends_.first, &DelayLine::middle_ready) {
  world_.lines.emplace(number_, this);
  for (End* end : {&outside_, &middle_}) end->watch = world_.loop.add(end->fd, *end);
  arm();
}

DelayLine::~DelayLine() {
  middle_ready();
  world_.lines.erase(number_);
  for (End* end : {&outside_, &middle_}) {
    world_.loop.remove(end->watch, end->fd);
    ::close(end->fd);
  }
}

void DelayLine::outside_ready() {
  if (!client_ended_) {
    std::string bytes = read_some(outside_.fd, client_ended_);
    if (!bytes.empty() || client_ended_) {
      way_in_.push_back(std::move(bytes));
      world_.late.push_back({std::chrono::steady_clock::now() + world_.options.delay, number_});
    }
  }
  send_out();
}

void DelayLine::middle_ready() {
  while (!host_ended_ && out_.empty()) {
    std::string bytes = read_some(middle_.fd, host_ended_);
    if (bytes.empty()) break;
    out_ = std::move(bytes);
    write_some(outside_.fd, out_);
  }
  send_in();
}

void DelayLine::deliver() {
  due_ += way_in_.front();
  way_in_.pop_front();
  send_in();
}

void DelayLine::send_in() {
  write_some(middle_.fd, due_);
  if (due_.empty() && way_in_.empty() && client_ended_ && !std::exchange(told_, true)) {
    ::shutdown(middle_.fd, SHUT_WR);
  }
  arm();
}

void DelayLine::send_out() {
  write_some(outside_.fd, out_);
  arm();
}

// An end that waits for nothing is still told of its hangup: not waited for at all then.
void DelayLine::arm() {
  const std::uint32_t from_client = (client_ended_ ? 0U : EPOLLIN) | (out_.empty() ? 0U : EPOLLOUT);
  const std::uint32_t from_host =
      (host_ended_ || !out_.empty() ? 0U : EPOLLIN) | (due_.empty() ? 0U : EPOLLOUT);
  if (from_client != 0) world_.loop.wait(outside_.watch, outside_.fd, from_client);
  if (from_host != 0) world_.loop.wait(middle_.watch, middle_.fd, from_host);
}

}  // namespace cnplay::bench
