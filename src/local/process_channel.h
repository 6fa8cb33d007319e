// Inside of local/: one child process as a channel. All on the strand.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "connection/connection.h"
#include "local/process.h"

namespace cnplay::local {

class ProcessChannel final : public connection::Channel,
                             public std::enable_shared_from_this<ProcessChannel> {
 public:
  // Takes over the process and its descriptors.
  ProcessChannel(boost::asio::io_context& io, const Process& process,
                 std::shared_ptr<connection::ChannelHandler> handler);

  // Begins to read and to wait for the end. The channel lives until its process has ended, or
  // forget().
  void start();
  // The process is awaited no more; the system does that once the controller has ended.
  void forget();
  bool finished() const { return finished_; }

  void write(std::string bytes) override;
  std::size_t queued() const override { return queued_; }
  void send_eof() override;
  void close() override;
  void pause() override { paused_ = true; }
  void resume() override;

 private:
  using Descriptor = boost::asio::posix::stream_descriptor;
  static constexpr std::size_t kBufferBytes = 32 * 1024;
  struct Stream {
    Stream(boost::asio::io_context& io, int fd);
    Descriptor descriptor;
    bool reading = false;
    bool over = false;
    std::size_t held = 0;  // bytes of the buffer that came while it was paused
    std::array<char, kBufferBytes> buffer;
  };

  void read(Stream& stream);
  void advance();
  void deliver(Stream& stream);
  void flush();
  void drop_input();
  void await_exit();
  void exited();
  void look();  // whether the end can be told
  Descriptor& input();

  boost::asio::io_context& io_;
  const pid_t pid_;
  const bool terminal_;
  std::shared_ptr<connection::ChannelHandler> handler_;
  Descriptor in_;  // of pipes
  Descriptor exit_;
  Stream out_;
  Stream err_;
  std::deque<std::string> queue_;
  std::size_t queued_ = 0;
  std::size_t front_sent_ = 0;
  bool writing_ = false;
  bool input_over_ = false;  // no more is written
  bool eof_wanted_ = false;
  bool paused_ = false;
  bool eof_told_ = false;
  bool exited_ = false;
  bool exit_told_ = false;
  bool finished_ = false;
  std::optional<int> status_;
  std::string signal_;
};

}  // namespace cnplay::local
