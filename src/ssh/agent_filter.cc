#include "ssh/agent_filter.h"

#include <libssh/libssh.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/base64.h"
#include "ssh/keys.h"

namespace cnplay::ssh {
namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

constexpr char kIdentitiesAnswer = 12;
constexpr std::uint32_t kLongest = 256 * 1024;  // as OpenSSH's agent has it

std::string number(std::uint32_t n) {
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
          static_cast<char>(n)};
}

std::optional<std::uint32_t> take_number(std::string_view& from) {
  if (from.size() < 4) return std::nullopt;
  std::uint32_t n = 0;
  for (int i = 0; i < 4; ++i) n = n << 8 | static_cast<unsigned char>(from[i]);
  from.remove_prefix(4);
  return n;
}

std::optional<std::string_view> take_string(std::string_view& from) {
  const auto size = take_number(from);
  if (!size || *size > from.size()) return std::nullopt;
  const std::string_view text = from.substr(0, *size);
  from.remove_prefix(*size);
  return text;
}

void add(std::set<std::string>& keys, const std::string& path, bool certificate) {
  ssh_key raw = nullptr;
  const int rc = certificate ? ssh_pki_import_cert_file(path.c_str(), &raw)
                             : ssh_pki_import_pubkey_file(path.c_str(), &raw);
  if (rc != SSH_OK) return;
  const Key key = adopt_key(raw);
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key.get(), &text) != SSH_OK) return;
  keys.insert(text);
  ssh_string_free_char(text);
}

// Both ends; whoever finds one of them closed closes the other.
struct Relay {
  Relay(const asio::any_io_executor& executor, int to_agent, int to_us,
        std::set<std::string> allowed)
      : agent(executor, {}, to_agent), us(executor, {}, to_us), keys(std::move(allowed)) {}
  void close() {
    boost::system::error_code ignored;
    agent.close(ignored);
    us.close(ignored);
  }
  Socket agent, us;
  const std::set<std::string> keys;
};

asio::awaitable<void> pass_on(std::shared_ptr<Relay> relay, Socket& from, Socket& to,
                              bool answers) {
  try {
    for (;;) {
      std::array<char, 4> head{};
      co_await asio::async_read(from, asio::buffer(head), asio::use_awaitable);
      std::string_view length(head.data(), head.size());
      const std::uint32_t size = *take_number(length);
      if (size == 0 || size > kLongest) break;
      std::string message(size, '\0');
      co_await asio::async_read(from, asio::buffer(message), asio::use_awaitable);
      if (answers && message[0] == kIdentitiesAnswer) {
        auto fewer = only_keys(message, relay->keys);
        if (!fewer) break;
        message = *std::move(fewer);
      }
      message.insert(0, number(static_cast<std::uint32_t>(message.size())));
      co_await asio::async_write(to, asio::buffer(message), asio::use_awaitable);
    }
  } catch (const boost::system::system_error&) {
    // The end of either.
  }
  relay->close();
}

}  // namespace

std::set<std::string> public_keys(const std::vector<std::string>& identities,
                                  const std::vector<std::string>& certificates) {
  std::set<std::string> keys;
  for (const std::string& path : identities) {
    add(keys, path, false);
    add(keys, path + ".pub", false);
    add(keys, path + "-cert.pub", true);
  }
  for (const std::string& path : certificates) add(keys, path, true);
  return keys;
}

std::optional<std::string> only_keys(std::string_view message, const std::set<std::string>& keys) {
  if (message.empty() || message[0] != kIdentitiesAnswer) return std::nullopt;
  message.remove_prefix(1);
  auto count = take_number(message);
  if (!count) return std::nullopt;
  std::string kept;
  std::uint32_t number_kept = 0;
  for (; *count > 0; --*count) {
    const auto key = take_string(message);
    const auto comment = key ? take_string(message) : std::nullopt;
    if (!comment) return std::nullopt;
    if (!keys.contains(base64_encode(*key))) continue;
    ++number_kept;
    kept.append(number(static_cast<std::uint32_t>(key->size()))).append(*key);
    kept.append(number(static_cast<std::uint32_t>(comment->size()))).append(*comment);
  }
  return kIdentitiesAnswer + number(number_kept) + kept;
}

int filter_agent(const asio::any_io_executor& executor, int agent, std::set<std::string> keys) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    ::close(agent);
    return -1;
  }
  const auto relay = std::make_shared<Relay>(executor, agent, ends[0], std::move(keys));
  asio::co_spawn(executor, pass_on(relay, relay->us, relay->agent, false), asio::detached);
  asio::co_spawn(executor, pass_on(relay, relay->agent, relay->us, true), asio::detached);
  return ends[1];
}

}  // namespace cnplay::ssh
