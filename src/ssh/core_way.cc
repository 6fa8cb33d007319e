// How the host is reached: by TCP, through a jump host, or through a command.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "ssh/core.h"
#include "ssh/errors.h"
#include "ssh/way.h"

namespace cnplay::ssh {

namespace asio = boost::asio;
using boost::system::error_code;

// Until wake(), whoever calls it.
asio::awaitable<void> Core::sleep() {
  if (!woken_) {
    error_code ignored;
    wake_.expires_at(asio::steady_timer::time_point::max());
    co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  woken_ = false;
}

// The jump host is reached first, on its own time: what waits for it holds no place that it may
// need.
asio::awaitable<bool> Core::open_gate() {
  gate_ = Gate::to(shard_, *settings_.jump);
  auto answer = std::make_shared<std::optional<std::optional<TransportError>>>();
  gate_->when_open([self = shared_from_this(), answer](const std::optional<TransportError>& error) {
    *answer = error;
    self->wake();
  });
  while (!*answer && pending()) co_await sleep();
  if (!pending()) co_return false;
  if (const auto& failed = **answer) {
    TransportError error = *failed;
    error.what = settings_.name + ": its jump host: " + error.what;
    fail_connect(std::move(error));
    co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Core::go_through_gate() {
  const auto sockets = socket_pair();
  if (!sockets) {
    fail_connect(error(Failure::protocol, sockets.error().what, sockets.error().help));
    co_return false;
  }
  const std::string through = settings_.jump->name;
  auto bridge = std::make_shared<Bridge>(shard_->io(), sockets->second, weak_from_this(), through);
  fd_ = sockets->first;
  auto answer = std::make_shared<std::optional<OpenResult>>();
  gate_->core().open_forward(settings_.address, settings_.port, bridge,
                             [self = shared_from_this(), answer](OpenResult result) {
                               *answer = std::move(result);
                               self->wake();
                             });
  while (!*answer && pending()) co_await sleep();
  auto* channel = *answer ? std::get_if<std::shared_ptr<Channel>>(&**answer) : nullptr;
  if (!pending()) {
    if (channel != nullptr) (*channel)->close();
    co_return false;
  }
  if (channel == nullptr) {
    const auto& failed = std::get<TransportError>(**answer);
    fail_connect(error(failed.kind == Failure::no_channel ? Failure::refused : failed.kind,
                       through + " cannot reach it: " + failed.what,
                       "is the host up, and its address right as " + through + " sees it?"));
    co_return false;
  }
  bridge->start(std::move(*channel));
  peer_ = endpoint_text(settings_.address, settings_.port) + " through " + through;
  co_return true;
}

bool Core::go_through_command() {
  const auto ends = run_proxy(settings_.proxy_command);
  if (!ends) {
    fail_connect(error(Failure::protocol, ends.error().what, ends.error().help));
    return false;
  }
  proxy_said_ = ends->second;
  fd_ = ends->first;
  peer_ = endpoint_text(settings_.address, settings_.port) + " through a command";
  return true;
}

// What the proxy command has said on stderr, for a message.
std::string Core::proxy_words() const {
  if (proxy_said_ < 0) return {};
  std::array<char, 400> text;
  const ssize_t n = ::pread(proxy_said_, text.data(), text.size(), 0);
  if (n <= 0) return {};
  std::string words = shown(std::string_view(text.data(), static_cast<std::size_t>(n)));
  return "; the proxy command said: " + words;
}

void Core::way_lost(const std::string& why) {
  if (state_ == State::established) return lose(why);
  if (pending()) fail_connect(error(Failure::lost, why));
}

}  // namespace cnplay::ssh
