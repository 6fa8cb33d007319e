// Commands on a real sshd: exit codes, streams, input, volume, several channels at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/ssh/client.h"
#include "support/ssh/loop_watch.h"
#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {
namespace {

using testing::HasSubstr;

class ExecTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { sshd_ = new Sshd; }
  static void TearDownTestSuite() { delete sshd_; }

  void SetUp() override {
    Options options;
    watch_.watch(options);
    transport_ = make_transport(options);
    connection_ = transport_->make(sshd_->settings());
    const auto error = connect(*connection_);
    ASSERT_FALSE(error) << error->what;
  }

  void TearDown() override {
    connection_.reset();
    transport_.reset();
    watch_.expect_nothing_blocked();
  }

  static Sshd* sshd_;
  LoopWatch watch_;
  std::unique_ptr<Transport> transport_;
  std::shared_ptr<Connection> connection_;
};

Sshd* ExecTest::sshd_ = nullptr;

std::set<int> open_descriptors() {
  std::set<int> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    open.insert(std::stoi(entry.path().filename()));
  }
  // The walk's own is among them, and closed by now.
  std::erase_if(open, [](int fd) { return ::fcntl(fd, F_GETFD) < 0; });
  return open;
}

// Ten thousand hosts are ten thousand descriptors, and no child of ours holds one of them open.
TEST_F(ExecTest, AConnectionIsOneDescriptorThatNoChildInherits) {
  const auto before = open_descriptors();
  const auto another = transport_->make(sshd_->settings());
  ASSERT_FALSE(connect(*another));
  EXPECT_EQ(exec(*another, "exit 3")->status(), 3);
  std::vector<int> made;
  std::ranges::set_difference(open_descriptors(), before, std::back_inserter(made));
  ASSERT_EQ(made.size(), 1U);
  EXPECT_NE(::fcntl(made.front(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ExecTest, ExitCodesAndStreams) {
  for (const int code : {0, 1, 42, 255}) {
    const auto r = exec(*connection_, "echo out; echo err >&2; exit " + std::to_string(code));
    EXPECT_EQ(r->status(), code);
    EXPECT_EQ(r->out(), "out\n");
    EXPECT_EQ(r->err(), "err\n");
    EXPECT_EQ(r->closes(), 1);
    EXPECT_EQ(r->exits(), 1);
    EXPECT_FALSE(r->error());
  }
}

TEST_F(ExecTest, AKilledCommandTellsItsSignal) {
  const auto r = exec(*connection_, "kill -KILL $$");
  EXPECT_EQ(r->status(), std::nullopt);
  EXPECT_EQ(r->signal(), "KILL");
}

TEST_F(ExecTest, BinaryInputComesBackUnchanged) {
  std::string bytes(3 * 1024 * 1024 + 17, '\0');
  std::uint32_t x = 1;
  for (char& c : bytes) {
    x = x * 1664525 + 1013904223;
    c = static_cast<char>(x >> 24);
  }
  const auto r = exec(*connection_, "exec cat", bytes);
  EXPECT_EQ(r->status(), 0);
  EXPECT_TRUE(r->out() == bytes) << "got " << r->out().size() << " bytes";
}

TEST_F(ExecTest, APtyMergesTheStreams) {
  const auto r = exec(*connection_, "test -t 0 && echo tty; echo err >&2", "", true);
  EXPECT_EQ(r->status(), 0);
  EXPECT_EQ(r->out(), "tty\r\nerr\r\n");
  EXPECT_EQ(r->err(), "");
}

TEST_F(ExecTest, SeveralChannelsAtOnce) {
  std::vector<Opened> channels;
  for (int i = 0; i < 8; ++i) {
    channels.push_back(open(*connection_, "read x; echo $x; yes " + std::to_string(i) +
                                              " | head -c 300000; exit " + std::to_string(i)));
    ASSERT_TRUE(channels.back().channel);
  }
  on_strand(*connection_, [&] {
    for (auto& c : channels) c.channel->write("go\n");
  });
  for (int i = 0; i < 8; ++i) {
    const auto& r = *channels[static_cast<std::size_t>(i)].recorder;
    ASSERT_TRUE(channels[static_cast<std::size_t>(i)].recorder->wait_closed());
    EXPECT_EQ(r.status(), i);
    ASSERT_EQ(r.out_bytes(), 300003U);
    EXPECT_EQ(r.out().substr(0, 4), "go\n" + std::to_string(i));
  }
}

std::size_t resident_kib() {
  std::ifstream in("/proc/self/status");
  std::string word;
  while (in >> word) {
    if (word == "VmRSS:") {
      std::size_t kib = 0;
      in >> kib;
      return kib;
    }
  }
  return 0;
}

void expect_grown_less(std::size_t before, std::size_t limit_kib) {
#ifdef __SANITIZE_ADDRESS__
  (void)before, (void)limit_kib;  // its quarantine keeps what was freed
#else
  EXPECT_LT(resident_kib(), before + limit_kib);
#endif
}

// Between two packets nothing is to be done.
TEST_F(ExecTest, AnIdleChannelTakesNoTime) {
  const auto recorder = std::make_shared<Recorder>(false);
  const auto opened = open(*connection_, "echo here; read x", false, recorder);
  const auto spent = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000;
  };
  const auto before = spent();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_LT(spent() - before, 100) << "milliseconds of CPU";
  on_strand(*connection_, [&] { opened.channel->write("go\n"); });
  ASSERT_TRUE(recorder->wait_closed());
}

// The consumer stops and goes on; the peer stalls meanwhile, and memory stays bounded.
TEST_F(ExecTest, AHundredMegabytesWithPauses) {
  constexpr std::size_t kTotal = 100 * 1000 * 1000;
  const auto recorder = std::make_shared<Recorder>(false);
  Channel* channel = nullptr;
  int pauses = 0;
  bool wrong = false;
  bool paused = false;
  std::size_t seen = 0;
  boost::asio::steady_timer timer(connection_->executor());
  recorder->on_bytes = [&](std::string_view bytes) {
    wrong = wrong || paused || bytes.find_first_not_of("abc\n") != std::string_view::npos;
    seen += bytes.size();
    if (channel == nullptr || pauses == 9 ||
        seen < kTotal / 10 * (static_cast<std::size_t>(pauses) + 1))
      return;
    ++pauses;
    paused = true;
    channel->pause();
    timer.expires_after(std::chrono::milliseconds(50));
    timer.async_wait([&](boost::system::error_code stopped) {
      if (stopped) return;
      paused = false;
      channel->resume();
    });
  };
  const std::size_t before = resident_kib();
  const auto opened =
      open(*connection_, "read x; yes abc | head -c " + std::to_string(kTotal), false, recorder);
  on_strand(*connection_, [&] {
    channel = opened.channel.get();
    opened.channel->write("go\n");
  });
  ASSERT_TRUE(recorder->wait_closed());
  EXPECT_EQ(recorder->out_bytes(), kTotal);
  EXPECT_EQ(recorder->status(), 0);
  EXPECT_EQ(pauses, 9);
  EXPECT_FALSE(wrong) << "bytes came while paused, or others than were sent";
  expect_grown_less(before, 24 * 1024);
}

TEST_F(ExecTest, PausedFromTheBeginningToTheEndNothingIsLost) {
  const auto recorder = std::make_shared<Recorder>();
  const std::string over = sshd_->dir().path("over");
  const auto opened =
      open(*connection_, "read x; printf out; printf err >&2; echo >" + over + "; exit 3", false,
           recorder);
  on_strand(*connection_, [&] {
    opened.channel->pause();
    opened.channel->write("\n");
  });
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(over); }));
  exec(*connection_, "true");  // by its answer the output of the paused channel has arrived, too
  EXPECT_EQ(recorder->out(), "");
  EXPECT_EQ(recorder->exits(), 0);
  EXPECT_EQ(recorder->closes(), 0);
  on_strand(*connection_, [&] { opened.channel->resume(); });
  ASSERT_TRUE(recorder->wait_closed());
  EXPECT_EQ(recorder->out(), "out");
  EXPECT_EQ(recorder->err(), "err");
  EXPECT_EQ(recorder->status(), 3);
}

// Two paused streams, one of them chatty: libssh opens the window again at each packet of the other
// stream, so only our own cap bounds what it keeps.
TEST_F(ExecTest, APausedChannelWithTwoStreamsIsBounded) {
  const auto recorder = std::make_shared<Recorder>(false);
  const auto opened = open(*connection_,
                           "i=0; while [ $i -lt 60 ]; do head -c 1000000 /dev/zero; echo e >&2; "
                           "i=$((i+1)); done",
                           false, recorder);
  const std::size_t before = resident_kib();
  on_strand(*connection_, [&] { opened.channel->pause(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  expect_grown_less(before, 40 * 1024);
  on_strand(*connection_, [&] { opened.channel->resume(); });
  ASSERT_TRUE(recorder->wait_closed());
  EXPECT_EQ(recorder->out_bytes(), 60U * 1000000U);
  EXPECT_EQ(recorder->err().size(), 120U);
}

// The peer reads nothing for a while: what was written waits in the queue, not in libssh.
TEST_F(ExecTest, WritesAreFlowControlled) {
  const std::string go = sshd_->dir().path("go");
  const auto opened = open(*connection_, "while [ ! -e " + go + " ]; do sleep 0.02; done; wc -c");
  constexpr std::size_t kTotal = 20 * 1024 * 1024;
  std::string much(kTotal, 'x');  // made here: that alone would hold up the loop
  on_strand(*connection_, [&] {
    opened.channel->write(std::move(much));
    opened.channel->send_eof();
    EXPECT_EQ(opened.channel->queued(), kTotal);
  });
  for (int i = 0; i < 5; ++i) exec(*connection_, "true");  // time enough to send it all
  on_strand(*connection_, [&] { EXPECT_GT(opened.channel->queued(), kTotal / 2); });
  exec(*connection_, "touch " + go);
  ASSERT_TRUE(opened.recorder->wait_closed());
  EXPECT_EQ(opened.recorder->out(), std::to_string(kTotal) + "\n");
}

TEST_F(ExecTest, DrainedTellsWhenToWriteMore) {
  const auto opened = open(*connection_, "cat >/dev/null");
  on_strand(*connection_, [&] { opened.channel->write("some"); });
  EXPECT_TRUE(opened.recorder->wait_drained());
  on_strand(*connection_, [&] { opened.channel->send_eof(); });
  EXPECT_TRUE(opened.recorder->wait_closed());
}

TEST_F(ExecTest, CloseEndsTheChannelAtOnceAndOnlyIt) {
  const auto opened = open(*connection_, "exec sleep 60");
  on_strand(*connection_, [&] { opened.channel->close(); });
  ASSERT_TRUE(opened.recorder->wait_closed());
  EXPECT_FALSE(opened.recorder->error());
  EXPECT_EQ(opened.recorder->exits(), 0);
  EXPECT_EQ(exec(*connection_, "exit 5")->status(), 5);
  EXPECT_EQ(opened.recorder->closes(), 1);
  EXPECT_EQ(opened.recorder->calls_after_close(), 0);
}

TEST_F(ExecTest, AnEleventhChannelIsRefusedAndTheConnectionLives) {
  std::vector<Opened> channels;
  for (int i = 0; i < 10; ++i) channels.push_back(open(*connection_, "exec cat"));
  const auto refused = open(*connection_, "exec cat");
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->kind, Failure::no_channel);
  EXPECT_THAT(refused.error->what, HasSubstr("web1 (127.0.0.1:"));
  EXPECT_THAT(refused.error->help, HasSubstr("MaxSessions"));
  on_strand(*connection_, [&] {
    for (auto& c : channels) c.channel->send_eof();
  });
  for (auto& c : channels) EXPECT_TRUE(c.recorder->wait_closed());
  EXPECT_EQ(exec(*connection_, "echo still")->out(), "still\n");
}

TEST_F(ExecTest, PeerIsTheAddressThatAnswered) {
  on_strand(*connection_, [&] {
    EXPECT_EQ(connection_->peer(), "127.0.0.1:" + std::to_string(sshd_->port()));
    EXPECT_TRUE(connection_->connected());
  });
}

// Without TCP_NODELAY each exec would wait 40 ms for a delayed acknowledgement.
TEST_F(ExecTest, NoExecWaitsForADelayedAcknowledgement) {
  int ours = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    sockaddr_in peer{};
    socklen_t size = sizeof(peer);
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != sshd_->port()) continue;
    ++ours;
    int without_delay = 0;
    size = sizeof(without_delay);
    ASSERT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &without_delay, &size), 0);
    EXPECT_NE(without_delay, 0);
  }
  EXPECT_GE(ours, 1);
}

}  // namespace
}  // namespace cnplay::ssh::test
