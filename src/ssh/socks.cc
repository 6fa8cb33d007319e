#include "ssh/socks.h"

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <utility>

namespace cnplay::ssh {
namespace {

constexpr char kVersion = 5;
constexpr char kNoAuthentication = 0;
constexpr char kConnect = 1;
enum Address : char { kIpv4 = 1, kName = 3, kIpv6 = 4 };
enum Answer : char { kDone = 0, kFailed = 1, kNoSuchCommand = 7, kNoSuchAddress = 8 };

std::size_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// Version, answer, a reserved byte, and the address 0.0.0.0:0, of which no client makes use.
std::string reply(Answer answer) {
  std::string bytes(10, '\0');
  bytes[0] = kVersion;
  bytes[1] = answer;
  bytes[3] = kIpv4;
  return bytes;
}

template <class Ip>
std::string address_text(std::string_view bytes) {
  typename Ip::bytes_type raw{};
  std::copy_n(bytes.begin(), raw.size(), raw.begin());
  return Ip(raw).to_string();
}

// A name goes to the host as it is: no control characters, no spaces, no NUL that would end it.
bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::string Socks::take(std::string_view bytes) {
  if (state_ == State::refused) return {};
  buffer_ += bytes;
  std::string out;
  if (state_ == State::greeting) out = greet();
  if (state_ == State::request) out += read_request();
  return out;
}

std::string Socks::refuse(std::string answer) {
  state_ = State::refused;
  buffer_.clear();
  return answer;
}

std::string Socks::greet() {
  // Another protocol (HTTP, SOCKS4) is recognised by its first byte, and is not answered.
  if (!buffer_.empty() && buffer_[0] != kVersion) return refuse({});
  if (buffer_.size() < 2 || buffer_.size() < 2 + byte_at(buffer_, 1)) return {};
  const std::string methods = buffer_.substr(2, byte_at(buffer_, 1));
  buffer_.erase(0, 2 + methods.size());
  if (methods.find(kNoAuthentication) == std::string::npos) return refuse("\x05\xff");
  state_ = State::request;
  return {kVersion, kNoAuthentication};
}

std::string Socks::read_request() {
  constexpr std::size_t kHead = 4;  // version, command, reserved, kind of address
  constexpr std::size_t kPort = 2;
  if (!buffer_.empty() && buffer_[0] != kVersion) return refuse({});
  if (buffer_.size() <= kHead) return {};
  if (buffer_[1] != kConnect) return refuse(reply(kNoSuchCommand));
  const char kind = buffer_[3];
  if (kind != kIpv4 && kind != kName && kind != kIpv6) return refuse(reply(kNoSuchAddress));
  const std::size_t begin = kind == kName ? kHead + 1 : kHead;
  const std::size_t size = kind == kIpv4 ? 4 : kind == kIpv6 ? 16 : byte_at(buffer_, kHead);
  if (buffer_.size() < begin + size + kPort) return {};
  const std::string_view address = std::string_view(buffer_).substr(begin, size);
  if (kind == kName && !is_name(address)) return refuse(reply(kFailed));
  target_.host = kind == kIpv4   ? address_text<boost::asio::ip::address_v4>(address)
                 : kind == kIpv6 ? address_text<boost::asio::ip::address_v6>(address)
                                 : std::string(address);
  target_.port = static_cast<std::uint16_t>(byte_at(buffer_, begin + size) * 256 +
                                            byte_at(buffer_, begin + size + 1));
  if (target_.port == 0) return refuse(reply(kFailed));
  buffer_.erase(0, begin + size + kPort);
  state_ = State::ready;
  return {};
}

std::string Socks::answer(bool reached) { return reply(reached ? kDone : kFailed); }

}  // namespace cnplay::ssh
