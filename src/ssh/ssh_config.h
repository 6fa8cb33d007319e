// OpenSSH's client configuration, as far as it is about reaching a host: read once, asked for each
// destination. The format is that of ssh_config(5); `ssh -G` is what tests compare with. Part of
// the face of ssh/.
//
// Read: Host, Match (see ssh/ssh_match.h), Include, and the keywords of ClientHost. Keywords that
// are about something else are skipped. What would be dangerous to skip is an error of the hosts
// that it holds for: StrictHostKeyChecking no, an unknown Match condition, a line that ssh could
// not read either.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace cnplay::ssh {

// What the configuration says of one destination: the first value of each keyword, as ssh does it.
// Unset where nothing is said. Paths and commands are as written, see expand().
struct ClientHost {
  std::string host_name;  // %h and %% are expanded; the destination, if none is set
  std::optional<std::uint16_t> port;
  std::string user;
  std::vector<std::string> identities;
  std::optional<bool> identities_only;
  std::vector<std::string> certificates;
  std::string identity_agent;  // a socket, `none`, `SSH_AUTH_SOCK`, `$VARIABLE`
  std::string proxy_jump;      // "none" if it was said
  std::string proxy_command;   // likewise
  std::vector<std::string> user_known_hosts;
  std::vector<std::string> global_known_hosts;
  std::string host_key_alias;
  std::optional<bool> accept_new;  // StrictHostKeyChecking
  std::optional<Duration> connect_timeout;
  std::optional<Duration> alive_interval;
  std::optional<std::uint32_t> alive_count;
};

struct ConfigLine {
  std::string keyword;  // in lower case
  std::vector<std::string> words;
  std::string rest;   // all behind the keyword, for ProxyCommand
  std::string where;  // "file:line"
};

class ClientConfig {
 public:
  // Nothing is configured.
  ClientConfig() = default;
  // The files in order, the earlier one wins. One that is not there counts as empty, unless
  // `must_exist`. `home` is what `~` means; a relative Include is looked for in ~/.ssh, in /etc/ssh
  // for files of /etc.
  static Result<ClientConfig> read(const std::vector<std::string>& files, const std::string& home,
                                   bool must_exist);
  // `Match exec` is an error from now on, where its command would be run.
  void forbid_exec() { may_exec_ = false; }

  // `destination`: as given; `user`: the one that is given besides, or "". `local_user`: who runs
  // this. Runs the commands of `Match exec`, as ssh does. Blocks as long as they do.
  Result<ClientHost> lookup(const std::string& destination, const std::string& user,
                            const std::string& local_user) const;

 private:
  Status read_file(const std::string& path, const std::string& home, bool must_exist, int depth);

  // One reading of all lines; whether a `Match final` asks for another one.
  Result<bool> walk(struct Asked& asked, bool final) const;

  std::vector<ConfigLine> lines_;  // Include resolved: `include-begin` and `include-end` around
  std::string home_;
  bool may_exec_ = true;
};

// What tokens stand for.
struct Tokens {
  std::string host_name;   // %h
  std::string original;    // %n
  std::string user;        // %r
  std::string local_user;  // %u
  std::string home;        // %d, and ~
  std::string alias;       // %k: the HostKeyAlias, else as %n
  std::string jump;        // %j: the name of the jump host
  std::uint16_t port = 22;
};
// %-tokens alone. %C is the hash of %l%h%p%r%j, as OpenSSH has it since 9.6.
Result<std::string> expand_tokens(std::string_view text, const Tokens& tokens);
// `~`, %-tokens and ${VARIABLE}s; an Error names what is unknown.
Result<std::string> expand(const std::string& text, const Tokens& tokens);

// Whether a name is matched by ssh's patterns: `*`, `?`, `!` in front; one that is negated and
// matches rules the name out. `patterns` are split at commas as well.
bool matches(const std::vector<std::string>& patterns, const std::string& name);

}  // namespace cnplay::ssh
