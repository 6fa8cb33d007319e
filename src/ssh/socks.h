// What a client of a SOCKS5 proxy says first (RFC 1928), and what it is answered: no
// authentication, CONNECT only. Pure: bytes in, bytes out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cnplay::ssh {

// Where a connection goes, as the host sees it.
struct Target {
  std::string host;  // a name or an address without brackets
  std::uint16_t port = 0;
};

class Socks {
 public:
  enum class State {
    greeting,  // more bytes are needed
    request,   // likewise
    ready,     // target() is known; the client waits for answer()
    refused,   // send what take() returned, then close
  };

  // Takes what the client has sent, in any pieces; returns what it is to be sent.
  std::string take(std::string_view bytes);

  State state() const { return state_; }
  const Target& target() const { return target_; }
  // What came after the request: the beginning of what goes to the target.
  const std::string& rest() const { return buffer_; }

  // Sent once it is known whether the target was reached.
  static std::string answer(bool reached);

 private:
  std::string refuse(std::string answer);
  std::string greet();
  std::string read_request();

  State state_ = State::greeting;
  std::string buffer_;  // what is not read yet; a request has at most 262 bytes
  Target target_;
};

}  // namespace cnplay::ssh
