// Inside of ssh/: an ssh-agent of whose keys only some are offered, as `IdentitiesOnly` wants it.
// libssh offers all that the agent has; so it is given a socket of ours, behind which the agent's
// lists are shortened. The protocol: draft-ietf-sshm-ssh-agent, sections 3 and 3.5.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cnplay::ssh {

// The public keys, in base64, of these key files (KEY.pub beside them, the file itself) and of
// these certificates (and KEY-cert.pub). What cannot be read is left out. Reads files: it blocks.
std::set<std::string> public_keys(const std::vector<std::string>& identities,
                                  const std::vector<std::string>& certificates);

// A message of an agent, without its length, as it is to be passed on: of a list of keys those that
// are among `keys`. nullopt: it is no list that can be read.
std::optional<std::string> only_keys(std::string_view message, const std::set<std::string>& keys);

// Takes over `agent`, a connected socket. The socket to be used in its place, the caller's; -1 if
// there is none. Serves on `executor`, a strand, until either end is closed.
int filter_agent(const boost::asio::any_io_executor& executor, int agent,
                 std::set<std::string> keys);

}  // namespace cnplay::ssh
