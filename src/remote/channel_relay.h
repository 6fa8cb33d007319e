// The handler of one channel, whose user changes while it lives: first the opener, then the shell.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "remote/remote.h"
#include "ssh/transport.h"

namespace cnplay::remote {

class ChannelUser {
 public:
  virtual ~ChannelUser() = default;
  virtual void channel_bytes(Stream stream, std::string_view bytes) = 0;
  // All that was written has gone to the SSH layer.
  virtual void channel_drained() {}
  // The command is over; its output may go on, for children may hold its pipes.
  virtual void channel_exited() {}
  // The end of the channel. `how`: "exit code 1", "killed by SIGKILL", "" if not said.
  virtual void channel_closed(std::optional<int> status, const std::string& how,
                              const std::optional<ssh::TransportError>& error) = 0;
};

class ChannelRelay final : public ssh::ChannelHandler {
 public:
  explicit ChannelRelay(ChannelUser* user) : user_(user) {}
  // Null: what still comes is dropped. The user must call this before it dies.
  void set_user(ChannelUser* user) { user_ = user; }

  void on_stdout(std::string_view bytes) override {
    if (user_) user_->channel_bytes(Stream::out, bytes);
  }
  void on_stderr(std::string_view bytes) override {
    if (user_) user_->channel_bytes(Stream::err, bytes);
  }
  void on_exit(std::optional<int> status, std::string signal) override {
    status_ = status;
    if (status) {
      how_ = "exit code " + std::to_string(*status);
    } else {
      how_ = "killed" + (signal.empty() ? "" : " by SIG" + signal);
    }
    if (user_) user_->channel_exited();
  }
  void on_drained() override {
    if (user_) user_->channel_drained();
  }
  void on_close(std::optional<ssh::TransportError> error) override {
    if (user_) user_->channel_closed(status_, how_, error);
  }

 private:
  ChannelUser* user_;
  std::optional<int> status_;
  std::string how_;
};

}  // namespace cnplay::remote
