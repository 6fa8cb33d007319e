#include "connection/connection.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace cnplay::connection {

std::string_view to_string(Failure f) {
  switch (f) {
    case Failure::resolve:
      return "resolve";
    case Failure::refused:
      return "refused";
    case Failure::timeout:
      return "timeout";
    case Failure::host_key_unknown:
      return "host_key_unknown";
    case Failure::host_key_changed:
      return "host_key_changed";
    case Failure::host_key_revoked:
      return "host_key_revoked";
    case Failure::authentication:
      return "authentication";
    case Failure::protocol:
      return "protocol";
    case Failure::lost:
      return "lost";
    case Failure::no_channel:
      return "no_channel";
  }
  return "?";
}

void Connection::open_forward(std::string address, std::uint16_t port,
                              std::shared_ptr<ChannelHandler> handler,
                              std::function<void(OpenResult)> done) {
  boost::asio::post(executor(), [what = std::move(address) + ":" + std::to_string(port),
                                 handler = std::move(handler), done = std::move(done)] {
    done(TransportError{Failure::no_channel, what + ": connections go through no such host", ""});
  });
}

}  // namespace cnplay::connection
