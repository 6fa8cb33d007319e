// Inside of ssh/: a channel: a state machine that Core::step() advances, fed by libssh's
// channel callbacks. Calls from above never reach into libssh: they leave a wish and kick the core.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ssh/transport.h"

namespace cnplay::ssh {

class Core;

// What a channel is opened for: a command, or a way on to another host.
struct Purpose {
  std::string command;
  bool pty = false;
  std::string forward_to;  // direct-tcpip, if set
  std::uint16_t forward_port = 0;
};

class ExecChannel final : public Channel, public std::enable_shared_from_this<ExecChannel> {
 public:
  ExecChannel(Core& core, Purpose purpose, std::shared_ptr<ChannelHandler> handler,
              std::function<void(OpenResult)> done);
  ~ExecChannel() override;

  void write(std::string bytes) override;
  std::size_t queued() const override { return queued_; }
  void send_eof() override;
  void close() override;
  void pause() override;
  void resume() override;

  // For Core. Does what can be done now.
  void advance();
  bool finished() const { return state_ == State::finished; }
  // The end, whatever the state: answers `done` or calls on_close. `error` is what an opening
  // channel is told; an open one is told it only if `lost`.
  void finish(const TransportError& error, bool lost);

 private:
  enum class State { opening, requesting_pty, requesting_exec, running, finished };

  void advance_opening();
  void start_running();
  void refuse(std::string_view what);
  void deliver_held();
  void flush_queue();
  void end(std::optional<TransportError> error);
  void free_channel();
  void set_held(int stream, std::size_t bytes);
  void clear_queue();
  int take(const char* data, std::size_t size, int stream);
  void deliver(std::string_view bytes, int stream);

  Core* core_;  // null once finished
  Purpose purpose_;
  std::shared_ptr<ChannelHandler> handler_;
  std::function<void(OpenResult)> done_;

  ssh_channel channel_ = nullptr;
  ssh_channel_callbacks_struct callbacks_{};
  State state_ = State::opening;
  bool paused_ = false;
  bool close_wanted_ = false;
  bool closed_by_peer_ = false;
  bool ended_by_peer_ = false;
  bool end_told_ = false;
  bool eof_wanted_ = false;
  bool eof_sent_ = false;
  bool exited_ = false;
  bool exit_told_ = false;
  std::optional<int> exit_status_;
  std::string exit_signal_;
  std::array<std::size_t, 2> held_{};  // bytes of stdout and stderr that libssh keeps for us
  int turn_ = 0;                       // the stream whose held bytes are delivered next
  std::deque<std::string> queue_;
  std::size_t queued_ = 0;
  std::size_t front_sent_ = 0;
  std::uint64_t sent_ = 0;  // of all
};

}  // namespace cnplay::ssh
