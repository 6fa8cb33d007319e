// The words that are exchanged with sudo, and what its refusals mean.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "remote/remote.h"

namespace cnplay::remote {

// Why a shell could not be had.
struct ShellFailure {
  Unreachable kind = Unreachable::shell;
  std::string what;  // names host and user; never a secret
  std::string help;
  bool no_channel = false;      // the server gave no channel: fewer at a time may do
  bool wrong_password = false;  // never to be tried again on this host
};

struct SudoTry {
  bool with_password = false;
  bool pty = false;
};

// Whether the user's name may be given to sudo at all: no option, no shell's or sudo's own syntax.
bool is_user_name(std::string_view user);

// The line for a login user's sh that becomes `user`: `token` on a line of its own is said by the
// new shell when it stands. `prompt`: what sudo says when it wants the password. Both are
// throwaway nonces: they are seen in argv.
std::string sudo_line(const SudoTry& how, const std::string& user, const std::string& prompt,
                      const std::string& token);

enum class Refusal {
  password_needed,
  wrong_password,
  tty_needed,
  not_allowed,
  no_sudo,
  no_user,
  no_setsid,
  other
};
Refusal classify(std::optional<int> status, std::string_view seen, bool prompted);

struct SudoNames {
  std::string host;   // the inventory's
  std::string login;  // who asks
  std::string user;   // who is to become
};
ShellFailure explain(Refusal refusal, const SudoNames& names, bool have_password,
                     const Untrusted& seen);

}  // namespace cnplay::remote
