// Inside of ssh/: the texts of errors, in one place, and the check of names that come from a
// person.
#pragma once

#include <boost/system/error_code.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ssh/transport.h"

namespace cnplay::ssh {

// "web1 (10.0.1.1:22): <what>". `peer` may be empty: then the settings' address and port.
TransportError make_error(Failure kind, const Settings& settings, std::string_view peer,
                          std::string_view what, std::string help = {});

// What the other side said, or libssh said of it: cleaned and cut for a person's screen.
std::string shown(std::string_view text);

// "address:port", an IPv6 address in brackets.
std::string endpoint_text(std::string_view address, std::uint16_t port);

// Refuses what could be taken for an option or break a line of known_hosts or of a log: an empty
// text, a leading `-`, blanks, control characters (CVE-2019-17361, CVE-2023-6004).
Status check_address(std::string_view address);
Status check_user(std::string_view user);

// The remedy where descriptors run out.
inline constexpr const char* kMoreFiles =
    "raise the hard limit of open files (`ulimit -Hn`; limits.conf or LimitNOFILE=), or run on "
    "fewer hosts at a time: --limit";

// The failure and the words for a connect() that did not succeed.
TransportError connect_error(const Settings& settings, std::string_view peer,
                             const boost::system::error_code& ec);

}  // namespace cnplay::ssh
