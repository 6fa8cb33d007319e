// Connections that fail: nothing hangs, nothing leaks, and everything that must be told is told
// exactly once, at whatever moment the transport dies.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/ssh/client.h"
#include "support/ssh/loop_watch.h"
#include "support/ssh/proxy.h"
#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using Fault = Proxy::Fault;

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

class FaultTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { sshd_ = new Sshd; }
  static void TearDownTestSuite() { delete sshd_; }

  void SetUp() override {
    Options options;
    options.threads = 1;  // everything on one loop: what blocks it is seen
    watch_.watch(options);
    transport_ = make_transport(options);
  }

  void TearDown() override {
    transport_.reset();
    watch_.expect_nothing_blocked();
  }

  // Long enough for a busy machine; short where the timeout is what is waited for.
  Settings through(const Proxy& proxy, milliseconds timeout = milliseconds(20000)) {
    Settings s = sshd_->settings();
    s.port = proxy.port();
    s.known_hosts = {hosts_.path(std::to_string(proxy.port()))};
    write_file(s.known_hosts.front(),
               "[127.0.0.1]:" + std::to_string(proxy.port()) + " " + sshd_->host_public_key());
    s.connect_timeout = timeout;
    s.keepalive = milliseconds(60);
    return s;
  }

  static Sshd* sshd_;
  LoopWatch watch_;
  TempDir hosts_;
  std::unique_ptr<Transport> transport_;
};

Sshd* FaultTest::sshd_ = nullptr;

const char* name_of(Fault fault) {
  switch (fault) {
    case Fault::fin:
      return "fin";
    case Fault::rst:
      return "rst";
    case Fault::stall:
      return "stall";
    case Fault::corrupt:
      return "corrupt";
    default:
      return "none";
  }
}

// In a process of its own, which may have few files. Exits with 0 if all is as it should be.
[[noreturn]] void connect_with_few_files() {
  constexpr rlim_t kMost = 100;
  const rlimit few{kMost, kMost};
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 8) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      ::setrlimit(RLIMIT_NOFILE, &few) != 0) {
    ::_exit(2);
  }
  Settings settings;
  settings.name = "web1";
  settings.address = "127.0.0.1";
  settings.port = ntohs(address.sin_port);
  settings.user = "deploy";
  const auto transport = make_transport({.threads = 1});
  while (::dup(listener) < static_cast<int>(kMost) - 32) {
  }
  const auto error = connect(*transport->make(settings));
  const bool told = error && error->what.find("too many open files") != std::string::npos &&
                    error->help.find("ulimit") != std::string::npos;
  if (!told) std::fprintf(stderr, "%s\n", error ? error->what.c_str() : "no error");
  ::_exit(told && ::dup(listener) >= 0 ? 0 : 1);  // the run's record can still be written
}

TEST(Descriptors, SomeAreKeptBackForTheRecordOfTheRun) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(connect_with_few_files(), testing::ExitedWithCode(0), "");
}

TEST_F(FaultTest, RefusedSaysSoAndWhere) {
  Settings s = sshd_->settings();
  s.port = free_port();
  const auto connection = transport_->make(s);
  const auto error = connect(*connection);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::refused);
  EXPECT_EQ(error->what, "web1 (127.0.0.1:" + std::to_string(s.port) + "): connection refused");
  EXPECT_THAT(error->help, HasSubstr("sshd"));
}

TEST_F(FaultTest, TheNextAddressIsTried) {
  Settings s = sshd_->settings();
  s.address = "localhost";  // ::1 first on most machines, where this sshd does not listen
  s.known_hosts = {hosts_.path("kh")};
  write_file(s.known_hosts.front(),
             "[localhost]:" + std::to_string(s.port) + " " + sshd_->host_public_key());
  const auto connection = transport_->make(s);
  const auto error = connect(*connection);
  EXPECT_FALSE(error) << error->what;
}

TEST_F(FaultTest, APortThatSaysNothingTimesOut) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  Settings s = sshd_->settings();
  s.port = ntohs(address.sin_port);
  s.connect_timeout = milliseconds(300);
  const auto began = std::chrono::steady_clock::now();
  const auto connection = transport_->make(s);
  const auto error = connect(*connection);
  const auto took = std::chrono::steady_clock::now() - began;
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::timeout);
  EXPECT_THAT(error->what, HasSubstr("300 ms"));
  EXPECT_GE(took, milliseconds(290));
  ::close(listener);
}

// Every phase of the connection, by the bytes that the server has sent.
TEST_F(FaultTest, EveryFaultWhileConnectingIsOneError) {
  std::uint64_t whole = 0;
  {
    Proxy proxy(sshd_->port());
    const auto connection = transport_->make(through(proxy));
    ASSERT_FALSE(connect(*connection));
    whole = proxy.sent();
  }
  ASSERT_GT(whole, 1000U);
  const auto descriptors = open_descriptors();
  for (const Fault fault : {Fault::fin, Fault::rst, Fault::stall, Fault::corrupt}) {
    for (const std::uint64_t after : {std::uint64_t{0}, std::uint64_t{15}, std::uint64_t{300},
                                      whole / 2, whole - 400, whole - 150, whole - 60, whole - 1}) {
      Proxy proxy(sshd_->port());
      proxy.fail_after(after, fault);
      const auto connection = transport_->make(through(proxy, milliseconds(400)));
      LossCounter lost(*connection);
      const auto error = connect(*connection);
      ASSERT_TRUE(error) << name_of(fault) << " after " << after << " of " << whole;
      if (fault == Fault::stall) {
        EXPECT_EQ(error->kind, Failure::timeout) << error->what;
      }
      EXPECT_FALSE(error->what.empty());
      EXPECT_EQ(lost.count(), 0);
    }
  }
  // Sockets close on the loop, a moment after the answer.
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors; }));
}

TEST_F(FaultTest, EveryFaultOfAnIdleConnectionIsOneLoss) {
  for (const Fault fault : {Fault::fin, Fault::rst, Fault::stall, Fault::corrupt}) {
    SCOPED_TRACE(name_of(fault));
    Proxy proxy(sshd_->port());
    const auto connection = transport_->make(through(proxy));
    LossCounter lost(*connection);
    const auto error = connect(*connection);
    ASSERT_FALSE(error) << error->what;
    const auto opened = open(*connection, "exec cat");
    ASSERT_TRUE(opened.channel);
    proxy.fail_now(fault);
    ASSERT_TRUE(lost.wait());
    EXPECT_EQ(lost.error().kind, Failure::lost);
    EXPECT_THAT(lost.error().what, HasSubstr("web1 (127.0.0.1:"));
    EXPECT_EQ(opened.recorder->closes(), 1) << "told before the loss of the connection";
    EXPECT_EQ(opened.recorder->error()->kind, Failure::lost);
    EXPECT_EQ(opened.recorder->exits(), 0);
    const auto late = open(*connection, "true");
    ASSERT_TRUE(late.error);
    EXPECT_EQ(late.error->kind, Failure::lost);
    on_strand(*connection, [&] {
      EXPECT_FALSE(connection->connected());
      opened.channel->write("into the void");
      opened.channel->close();
      connection->close();
    });
    EXPECT_EQ(opened.recorder->closes(), 1);
    EXPECT_EQ(opened.recorder->calls_after_close(), 0);
    EXPECT_EQ(lost.count(), 1);
  }
}

TEST_F(FaultTest, EveryFaultInTheMiddleOfOutputIsOneLoss) {
  for (const Fault fault : {Fault::fin, Fault::rst, Fault::stall, Fault::corrupt}) {
    SCOPED_TRACE(name_of(fault));
    Proxy proxy(sshd_->port());
    const auto connection = transport_->make(through(proxy));
    LossCounter lost(*connection);
    ASSERT_FALSE(connect(*connection));
    std::vector<Opened> channels;
    for (int i = 0; i < 3; ++i) {
      channels.push_back(open(*connection, "exec yes", false, std::make_shared<Recorder>(false)));
      ASSERT_TRUE(channels.back().channel);
    }
    proxy.fail_after(proxy.sent() + 500000, fault);
    for (const auto& c : channels) {
      ASSERT_TRUE(c.recorder->wait_closed());
      ASSERT_TRUE(c.recorder->error());
      EXPECT_EQ(c.recorder->error()->kind, Failure::lost);
    }
    ASSERT_TRUE(lost.wait());
    connection->close();
    on_strand(*connection, [] {});
    for (const auto& c : channels) {
      EXPECT_EQ(c.recorder->closes(), 1);
      EXPECT_EQ(c.recorder->calls_after_close(), 0);
    }
    EXPECT_EQ(lost.count(), 1);
  }
}

// libssh would make the socket blocking, and the write to the stalled peer would stop the loop.
TEST_F(FaultTest, AStalledPeerHoldsUpNoOtherConnection) {
  Proxy proxy(sshd_->port());
  Settings s = through(proxy);
  s.keepalive = Duration(0);
  const auto stalled = transport_->make(s);
  ASSERT_FALSE(connect(*stalled));
  const auto opened = open(*stalled, "exec cat >/dev/null");
  ASSERT_TRUE(opened.channel);
  proxy.fail_now(Fault::stall);
  std::string much(30 * 1024 * 1024, 'x');  // made here: that alone would hold up the loop
  on_strand(*stalled, [&] { opened.channel->write(std::move(much)); });
  const auto other = transport_->make(sshd_->settings());
  ASSERT_FALSE(connect(*other));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(exec(*other, "exit 9")->status(), 9);
  on_strand(*stalled, [&] { EXPECT_GT(opened.channel->queued(), 20U * 1024 * 1024); });
  stalled->close();
  EXPECT_TRUE(opened.recorder->wait_closed());
  EXPECT_FALSE(opened.recorder->error());
}

TEST_F(FaultTest, KeepaliveLeavesAQuietButLivingPeerAlone) {
  Proxy proxy(sshd_->port());
  Settings s = through(proxy);
  s.keepalive = milliseconds(30);
  const auto connection = transport_->make(s);
  LossCounter lost(*connection);
  ASSERT_FALSE(connect(*connection));
  // Nothing but answers to a dozen keepalives, of 36 bytes at least, can bring so much.
  const std::uint64_t before = proxy.sent();
  ASSERT_TRUE(eventually([&] { return proxy.sent() >= before + 12 * 36; }));
  EXPECT_EQ(lost.count(), 0);
  EXPECT_EQ(exec(*connection, "exit 2")->status(), 2);
}

TEST_F(FaultTest, CloseEndsWhatIsUnderWay) {
  const auto connection = transport_->make(sshd_->settings());
  LossCounter lost(*connection);
  ASSERT_FALSE(connect(*connection));
  const auto running = open(*connection, "exec yes", false, std::make_shared<Recorder>(false));
  ASSERT_TRUE(running.channel);
  std::atomic<int> answers{0};
  connection->open_exec("true", false, std::make_shared<Recorder>(), [&](OpenResult result) {
    EXPECT_TRUE(std::holds_alternative<TransportError>(result));
    ++answers;
  });
  connection->close();
  ASSERT_TRUE(running.recorder->wait_closed());
  on_strand(*connection, [] {});
  EXPECT_EQ(answers, 1);
  EXPECT_FALSE(running.recorder->error());
  EXPECT_EQ(lost.count(), 0);
  EXPECT_EQ(running.recorder->calls_after_close(), 0);
}

TEST_F(FaultTest, ATransportMayEndAtAnyMoment) {
  Proxy stalled(sshd_->port());
  stalled.fail_now(Fault::stall);
  for (int i = 0; i < 20; ++i) {
    auto transport = make_transport({});
    std::vector<std::shared_ptr<Connection>> connections;
    std::atomic<int> answers{0};
    for (int k = 0; k < 4; ++k) {
      Settings s = k == 0 ? through(stalled) : sshd_->settings();
      s.connect_timeout = std::chrono::seconds(10);
      connections.push_back(transport->make(s));
      connections.back()->connect([&](auto) { ++answers; });
    }
    std::this_thread::sleep_for(milliseconds(i));
    if (i % 2 == 0) connections.clear();
    transport.reset();
    EXPECT_EQ(answers, 4) << "round " << i;
  }
}

TEST_F(FaultTest, DroppingTheLastReferenceClosesTheConnection) {
  auto connection = transport_->make(sshd_->settings());
  ASSERT_FALSE(connect(*connection));
  const auto opened = open(*connection, "exec cat");
  connection.reset();
  EXPECT_TRUE(opened.recorder->wait_closed());
}

TEST_F(FaultTest, ConnectIsForOneTime) {
  const auto connection = transport_->make(sshd_->settings());
  ASSERT_FALSE(connect(*connection));
  EXPECT_TRUE(connect(*connection));
  EXPECT_EQ(exec(*connection, "exit 3")->status(), 3);
}

}  // namespace
}  // namespace cnplay::ssh::test
