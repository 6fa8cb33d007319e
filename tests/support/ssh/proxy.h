// Test support: a TCP proxy on loopback that fails on command: it forwards so many bytes of the
// server, then ends the connection with FIN, with RST, goes silent, or spoils a byte. Any number of
// connections at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace cnplay::ssh::test {

class Proxy {
 public:
  enum class Fault { none, fin, rst, stall, corrupt };

  explicit Proxy(std::uint16_t target);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  std::uint16_t port() const { return port_; }
  // Applies when the server has sent `after` bytes on one connection, counted from its begin.
  void fail_after(std::uint64_t after, Fault fault) {
    after_ = after;
    fault_ = fault;
  }
  // The same, of one connection alone: the first one to get so far.
  void fail_once_after(std::uint64_t after, Fault fault) {
    once_ = true;
    fail_after(after, fault);
  }
  // The same at once, whatever has been sent.
  void fail_now(Fault fault) { fail_after(0, fault); }
  // Bytes the server has sent on the latest connection.
  std::uint64_t sent() const { return sent_; }

 private:
  void serve();
  void forward(int client, int server);
  Fault fault_at(std::uint64_t sent);

  const std::uint16_t target_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> after_{0};
  std::atomic<Fault> fault_{Fault::none};
  std::atomic<bool> once_{false};
  std::atomic<std::uint64_t> sent_{0};
  std::thread thread_;
  std::vector<std::thread> connections_;  // of thread_ alone, but at the end
};

}  // namespace cnplay::ssh::test
