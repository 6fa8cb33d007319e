// Inside of ssh/: the conditions of a `Match` line of ssh_config(5), and the tokens of its texts.
//
// Read: all, host, originalhost, user, localuser, final, canonical, exec, localnetwork and tagged.
// A condition that is none of these is an error, if all others of its line hold.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "ssh/ssh_config.h"

namespace cnplay::ssh {

// An Error that names the line.
Error at(const ConfigLine& line, const std::string& what, const std::string& help = {});

// What a line is asked about.
struct Subject {
  std::string host;  // HostName as far as it is known, else as `original`
  std::string original;
  std::string user;
  std::string local_user;
  std::string home;
  std::string alias;  // HostKeyAlias
  std::string tag;
  std::uint16_t port = 22;
  bool final = false;     // the configuration is read for the second time
  bool reachable = true;  // else nothing of the line counts but that it asks for a second reading
  bool may_exec = true;
};

struct Matched {
  bool holds = false;
  bool wants_final = false;
};

// May run a command, with the user's shell as ssh does: blocks until it has ended.
Result<Matched> match(const Subject& subject, const ConfigLine& line);

}  // namespace cnplay::ssh
