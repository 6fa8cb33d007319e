// A transport without SSH: each exec channel is a local process, started as sshd starts it (a
// session of its own, pipes or a pty), with a choice of what `sh` is. And it can be made to
// misbehave: cut, stall, split into single bytes, refuse channels.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "ssh/transport.h"

namespace cnplay::remote::testing {

struct Faults {
  std::size_t chunk = 64 * 1024;                  // output arrives in pieces of at most this
  std::size_t cut_input_after = ~std::size_t{0};  // bytes of stdin that arrive; then all is cut
  unsigned max_channels = 10;                     // MaxSessions
  std::string forced_command;                     // instead of what is asked for
  bool refuse_connect = false;
};

class FakeTransport final : public ssh::Transport {
 public:
  FakeTransport();
  ~FakeTransport() override;
  std::shared_ptr<ssh::Connection> make(ssh::Settings settings) override;

  std::map<std::string, std::string> environment;  // of the processes
  Faults faults;

  // The connections die, as by a broken network. The processes see the end of their stdin.
  void cut();
  // The bytes that were written to the stdin of all channels so far.
  std::size_t input_bytes() const { return input_bytes_; }
  unsigned channels_now() const { return channels_now_; }
  unsigned channels_most() const { return channels_most_; }
  unsigned channels_opened() const { return opened_; }
  std::string input() const;  // all that was sent to any channel

 private:
  friend class FakeConnection;
  friend class FakeChannel;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::weak_ptr<class FakeConnection>> connections_;
  std::vector<std::weak_ptr<class FakeChannel>> all_;
  std::atomic<std::size_t> input_bytes_{0};
  std::atomic<unsigned> channels_now_{0};
  std::atomic<unsigned> channels_most_{0};
  std::atomic<unsigned> opened_{0};
  mutable std::mutex mutex_;
  std::string input_;
  std::thread thread_;
};

}  // namespace cnplay::remote::testing
