// Brings a channel to a POSIX sh that has read the prelude and answered: through motd and rc noise,
// and through sudo. One opener makes one shell; it may need several channels for it (sudo -n
// refused, then with the password; a terminal wanted).
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "remote/channel_relay.h"
#include "remote/session.h"
#include "remote/sudo.h"

namespace cnplay::remote {

// What has been learned of sudo on a host: shared by all of its openers, so that nothing is asked
// in vain, and no wrong password twice.
struct SudoMemory {
  SudoTry how;
  bool password_refused = false;
  // What the login shell starts with redirects stderr (an `exec 2>...` in ~/.bashrc): one stream.
  bool no_stderr = false;
};

struct Opened {
  std::shared_ptr<ssh::Channel> channel;
  std::shared_ptr<ChannelRelay> relay;
  long pid = 0;  // of the sh; also its process group and session
  std::string boot_id;
  bool merged = false;    // stderr comes as stdout: on a pty, or where stderr would not come
  bool terminal = false;  // a pty
  // Its parent, and when that was started: for a login shell the sshd of the connection. 0 if
  // unknown.
  long parent = 0;
  long long parent_since = 0;
  // What it was told of itself (make_bootstrap()).
  std::string nonce, spool;
};

class Opener final : public ChannelUser, public std::enable_shared_from_this<Opener> {
 public:
  using Done = std::function<void(std::variant<Opened, ShellFailure>)>;

  // All on the connection's strand. `user`: "" for the login user. `settings` and `memory` outlive
  // the opener.
  Opener(std::shared_ptr<ssh::Connection> connection, const HostSettings& settings,
         Duration ready_timeout, std::string user, SudoMemory& memory, std::string run_id,
         std::vector<std::string> around = {});
  ~Opener() override;

  void start(Done done);  // `done` is called exactly once, unless stop() came first
  void stop();

  void channel_bytes(Stream stream, std::string_view bytes) override;
  void channel_closed(std::optional<int> status, const std::string& how,
                      const std::optional<ssh::TransportError>& error) override;

 private:
  enum class Step { channel, raw, entering, session, asking, listening, done };

  void try_once();
  void opened(std::shared_ptr<ssh::Channel> channel);
  void ask();                     // here is the prelude; are you a POSIX sh, and who
  void look();                    // at what has come so far
  void listen(std::string line);  // the answer has come; on both streams?
  void answer(std::string_view line);
  bool take_prompt();
  void finish(std::variant<Opened, ShellFailure> result);
  void fail_shell(const std::string& what);
  void close_channel();
  void again(SudoTry how);
  bool have_password() const;
  Untrusted seen() const;

  std::shared_ptr<ssh::Connection> connection_;
  const HostSettings& settings_;
  Duration ready_timeout_;
  std::string user_;
  SudoMemory& memory_;
  std::string run_id_;
  std::vector<std::string> around_;  // runs, likewise
  SudoTry how_;
  Done done_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer stderr_timer_;

  Step step_ = Step::channel;
  std::shared_ptr<ChannelRelay> relay_;
  std::shared_ptr<ssh::Channel> channel_;
  std::string token_;   // what is waited for
  std::string prompt_;  // sudo's
  std::string nonce_, spool_;
  int prompts_ = 0;
  bool made_session_ = false;
  bool one_stream_ = false;  // stderr was made to go where stdout goes
  std::string answer_;       // while its counterpart on stderr is waited for
  std::string out_;          // the last of what came, for look() and for the error's text
  std::string err_;
};

}  // namespace cnplay::remote
