#include "remote/sudo.h"

#include <algorithm>

namespace cnplay::remote {

bool is_user_name(std::string_view user) {
  if (user.empty() || user.size() > 256 || user[0] == '-' || user[0] == '.') return false;
  return std::all_of(user.begin(), user.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '@' || c == '\\';
  });
}

std::string sudo_line(const SudoTry& how, const std::string& user, const std::string& prompt,
                      const std::string& token) {
  // What sudo runs says the token itself: sent from here, a question "are you there" would be a
  // second password to a sudo that asks again. It also makes the shell the leader of a session, so
  // that it can be killed with all of its children; a fork less where it is that already.
  std::string enter;
  if (how.pty) {
    // A sh whose stdin and stderr are a terminal would be interactive: give it a pipe. When it
    // ends, so must `cat`, which would wait for one more byte.
    enter = "printf \"%s\\n\" " + token + "; exec sh -c \"cat | { setsid sh; kill 0; }\"";
  } else {
    enter =
        "read -r s </proc/$$/stat; s=${s##*) }; set -- $s; if [ \"${3-}\" = \"$$\" ]; then "
        "printf \"%s\\n\" " +
        token + "; exec sh; else exec setsid sh -c \"printf \\\"%s\\\\n\\\" " + token +
        "; exec sh\"; fi";
  }
  std::string line = "LC_ALL=C; export LC_ALL; exec sudo ";
  line += how.with_password ? "-k -S -p " + prompt : "-n";
  line += " -H -u " + quote(user)->str() + " -- sh -c " + quote(enter)->str() + "\n";
  return line;
}

Refusal classify(std::optional<int> status, std::string_view seen, bool prompted) {
  auto says = [&](std::string_view text) { return seen.find(text) != std::string_view::npos; };
  if (says("setsid: not found") || says("setsid: command not found")) return Refusal::no_setsid;
  if (status == 127) return Refusal::no_sudo;
  if (says("must have a tty")) return Refusal::tty_needed;
  if (says("unknown user")) return Refusal::no_user;
  if (says("not in the sudoers") || says("may not run sudo") || says("is not allowed to")) {
    return Refusal::not_allowed;
  }
  if (prompted && (says("incorrect password") || says("incorrect authentication") ||
                   says("try again") || says("no password was provided"))) {
    return Refusal::wrong_password;
  }
  if (says("password is required") || says("authentication is required")) {
    return Refusal::password_needed;
  }
  return Refusal::other;
}

ShellFailure explain(Refusal refusal, const SudoNames& names, bool have_password,
                     const Untrusted& seen) {
  ShellFailure f;
  f.kind = Unreachable::authentication;
  f.what = names.host + ": " + names.login + " cannot become " + names.user + ": ";
  switch (refusal) {
    case Refusal::password_needed:
      f.what += have_password ? "sudo asked for no password, and refused"
                              : "sudo wants a password, and none was given";
      f.help = "give the password of " + names.login +
               " with -K, or as `become_password` in the inventory, or allow it without one in "
               "sudoers (NOPASSWD)";
      break;
    case Refusal::wrong_password:
      f.what += "sudo did not accept the password";
      f.help =
          "check the password of " + names.login +
          " for this host (-K, or `become_password` in the inventory); it was tried once and is "
          "not tried again in this run";
      f.wrong_password = true;
      break;
    case Refusal::tty_needed:
      f.what += "sudo insists on a terminal (requiretty), and did not accept ours";
      f.help = "take `requiretty` out of sudoers on " + names.host + " for " + names.login;
      break;
    case Refusal::not_allowed:
      f.what += "sudo does not allow it";
      f.help = "allow " + names.login + " to run `sh` as " + names.user + " in sudoers";
      break;
    case Refusal::no_sudo:
      f.what += "there is no sudo";
      f.help =
          "install sudo there, or log in as " + names.user + " (doas and su are not supported yet)";
      break;
    case Refusal::no_user:
      f.what += "there is no such user";
      f.help = "make the user on " + names.host + ", or correct the name after `as`";
      break;
    case Refusal::no_setsid:
      f.what += "there is no `setsid`";
      f.help = "install util-linux there: without it a task could not be killed as a whole";
      break;
    case Refusal::other:
      f.what += "sudo failed";
      break;
  }
  if (const std::string text = seen.display(500); !text.empty()) f.what += "; it said: " + text;
  while (f.what.ends_with('\n')) f.what.pop_back();
  return f;
}

}  // namespace cnplay::remote
