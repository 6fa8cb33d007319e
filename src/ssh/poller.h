// Inside of ssh/: waits for the sockets of sessions. libssh closes its socket when it likes, so
// Asio can only wait for a duplicate of it; and two descriptors a host are one too many for ten
// thousand hosts. So here is an epoll set of its own, which a closed socket leaves by itself, and
// which one Asio descriptor waits for.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/result.h"

namespace cnplay::ssh {

// Of one loop, on its thread.
class Poller {
 public:
  class Waiter {
   public:
    virtual ~Waiter() = default;
    virtual void socket_ready() = 0;
  };
  // A socket in the set. Its number is never used again, so that an event that comes late
  // finds nobody, whoever has the descriptor's number by then.
  struct Watch {
    std::uint64_t number = 0;
  };

  // Throws if the system has no epoll set for us (std::system_error, as Asio itself).
  explicit Poller(boost::asio::io_context& io);

  // Calls socket_ready() once, from the loop, when `fd` can be read, or written, or is broken. A
  // second call before that adds to what is waited for. `fd` must be open, and the same for each
  // call with this watch. The waiter is kept alive until then.
  Status wait(Watch& watch, int fd, bool read, bool write, std::shared_ptr<Waiter> waiter);
  // Nobody waits there any more. Before the socket is closed or after.
  void forget(const Watch& watch);

 private:
  struct Wish {
    std::uint32_t events = 0;
    std::shared_ptr<Waiter> waiter;
  };
  void listen();
  void collect();

  boost::asio::io_context& io_;
  boost::asio::posix::stream_descriptor set_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, Wish> wishes_;
  bool listening_ = false;
};

}  // namespace cnplay::ssh
