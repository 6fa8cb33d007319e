#include "ssh/errors.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>

namespace cnplay::ssh {
namespace {

constexpr std::size_t kShownBytes = 300;  // of a peer's text: enough for any honest message

Status check_name(std::string_view kind, std::string_view text,
                  std::string_view allowed_punctuation) {
  if (text.empty()) return fail("the " + std::string(kind) + " is empty");
  if (text.size() > 255) return fail("the " + std::string(kind) + " is longer than 255 characters");
  if (text.front() == '-') {
    return fail("the " + std::string(kind) + " '" + shown(text) + "' begins with '-'",
                "a name like this would be read as an option; correct it in the inventory");
  }
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    const bool fine =
        std::isalnum(u) || u >= 0x80 || allowed_punctuation.find(c) != std::string::npos;
    if (!fine) {
      return fail("the " + std::string(kind) + " '" + shown(text) + "' holds a character that no " +
                      std::string(kind) + " has",
                  "letters, digits and '" + std::string(allowed_punctuation) + "' are allowed");
    }
  }
  return {};
}

}  // namespace

TransportError make_error(Failure kind, const Settings& settings, std::string_view peer,
                          std::string_view what, std::string help) {
  const std::string where =
      peer.empty() ? endpoint_text(shown(settings.address), settings.port) : std::string(peer);
  return {kind, shown(settings.name) + " (" + where + "): " + std::string(what), std::move(help)};
}

std::string shown(std::string_view text) {
  std::string line = Untrusted(std::string(text)).display(kShownBytes);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string endpoint_text(std::string_view address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string_view::npos;
  const std::string host(address);
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Status check_address(std::string_view address) { return check_name("address", address, ".-_:%"); }

// A backslash and an @ occur in the names of directory services (DOMAIN\user, user@realm).
Status check_user(std::string_view user) { return check_name("user name", user, ".-_@\\+$"); }

TransportError connect_error(const Settings& settings, std::string_view peer,
                             const boost::system::error_code& ec) {
  namespace error = boost::asio::error;
  if (ec == error::connection_refused) {
    return make_error(
        Failure::refused, settings, peer, "connection refused",
        "is sshd running there, and is " + std::to_string(settings.port) + " its port?");
  }
  if (ec == error::timed_out || ec == error::operation_aborted) {
    return make_error(Failure::timeout, settings, peer, "no answer to the connection",
                      "is the host up, and does a firewall drop the packets?");
  }
  const bool files = ec == boost::system::errc::too_many_files_open;
  return make_error(Failure::refused, settings, peer, "cannot connect: " + shown(ec.message()),
                    files ? kMoreFiles : "");
}

}  // namespace cnplay::ssh
