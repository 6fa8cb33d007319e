// What the interface itself promises, whoever implements it.
#include "connection/connection.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <set>

namespace cnplay::connection {
namespace {

class Nowhere final : public Connection {
 public:
  boost::asio::any_io_executor executor() override { return io.get_executor(); }
  void connect(std::function<void(std::optional<TransportError>)>) override {}
  void open_exec(std::string, bool, std::shared_ptr<ChannelHandler>,
                 std::function<void(OpenResult)>) override {}
  void close() override {}
  std::shared_ptr<Connection> again() override { return nullptr; }
  bool connected() const override { return false; }
  std::string peer() const override { return ""; }
  void set_on_lost(std::function<void(TransportError)>) override {}

  boost::asio::io_context io;
};

TEST(Connections, OneThatCannotForwardSaysSoOnItsStrand) {
  Nowhere connection;
  std::optional<OpenResult> answer;
  connection.open_forward("web1", 80, nullptr, [&](OpenResult result) { answer = result; });
  EXPECT_FALSE(answer);  // never from inside the call
  connection.io.run();
  ASSERT_TRUE(answer);
  const auto* error = std::get_if<TransportError>(&*answer);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->kind, Failure::no_channel);
  EXPECT_EQ(error->what, "web1:80: connections go through no such host");
}

TEST(Connections, EachFailureHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int f = 0; f <= static_cast<int>(Failure::no_channel); ++f) {
    names.insert(to_string(static_cast<Failure>(f)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Failure::no_channel) + 1);
  EXPECT_FALSE(names.contains("?"));
}

}  // namespace
}  // namespace cnplay::connection
