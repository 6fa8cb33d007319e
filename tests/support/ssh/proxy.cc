#include "support/ssh/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace cnplay::ssh::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::send(fd, data, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof(value));
}

}  // namespace

Proxy::Proxy(std::uint16_t target) : target_(target) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

Proxy::~Proxy() {
  stop_ = true;
  thread_.join();
  for (std::thread& connection : connections_) connection.join();
  ::close(listener_);
}

void Proxy::serve() {
  while (!stop_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, 10) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(target_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
      set_option(client, IPPROTO_TCP, TCP_NODELAY, 1);
      set_option(server, IPPROTO_TCP, TCP_NODELAY, 1);
      connections_.emplace_back([this, client, server] {
        forward(client, server);
        ::close(client);
        ::close(server);
      });
      continue;
    }
    ::close(client);
    ::close(server);
  }
}

// The fault of a connection whose server has sent so much: none of its own if another has had it.
Proxy::Fault Proxy::fault_at(std::uint64_t sent) {
  const Fault fault = fault_;
  if (fault == Fault::none || !once_ || fault == Fault::corrupt || sent < after_) return fault;
  return once_.exchange(false) ? fault_.exchange(Fault::none) : Fault::none;
}

void Proxy::forward(int client, int server) {
  std::array<char, 32 * 1024> buffer;
  std::uint64_t sent = 0;
  sent_ = 0;
  Fault had = Fault::none;
  while (!stop_) {
    if (had == Fault::none) {
      const Fault fault = fault_at(sent);
      if (sent >= after_ && fault != Fault::corrupt) had = fault;
    }
    const Fault fault = had == Fault::none ? fault_.load() : had;
    const std::uint64_t left = had != Fault::none ? 0
                               : fault == Fault::none || fault == Fault::corrupt
                                   ? buffer.size()
                                   : std::max(after_.load(), sent) - sent;
    if (left == 0) {
      if (fault == Fault::stall) {
        ::poll(nullptr, 0, 5);
        continue;
      }
      if (fault == Fault::rst) {
        const linger hard{1, 0};
        ::setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
      }
      return;  // closes both
    }
    std::array<pollfd, 2> waiting{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    if (::poll(waiting.data(), waiting.size(), 5) <= 0) continue;
    if (waiting[0].revents != 0) {
      const ssize_t n = ::recv(client, buffer.data(), buffer.size(), 0);
      if (n <= 0 || !send_all(server, buffer.data(), static_cast<std::size_t>(n))) return;
    }
    if (waiting[1].revents != 0) {
      const ssize_t n =
          ::recv(server, buffer.data(), std::min<std::size_t>(left, buffer.size()), 0);
      if (n <= 0) return;
      const std::uint64_t end = sent + static_cast<std::uint64_t>(n);
      if (fault == Fault::corrupt && end > after_) {
        buffer[static_cast<std::size_t>(std::max(after_.load(), sent) - sent)] ^= 0x55;
        fault_ = Fault::none;
      }
      if (!send_all(client, buffer.data(), static_cast<std::size_t>(n))) return;
      sent = end;
      sent_ = end;
    }
  }
}

}  // namespace cnplay::ssh::test
