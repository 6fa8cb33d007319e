// Commands on the controller itself: what they inherit, how they end, how much of them is kept.
#include "local/machine.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "support/ssh/client.h"

namespace cnplay::local {
namespace {

using connection::Failure;
using ssh::test::connect;
using ssh::test::eventually;
using ssh::test::exec;
using ssh::test::on_strand;
using ssh::test::open;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;
using ::testing::Not;

Settings made_up() {
  Settings settings = own_settings();
  settings.user = "kim";
  settings.home = "/srv/kim";
  return settings;
}

class Local : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "cnplay-local-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory = name;
    again();
  }
  void TearDown() override {
    link.reset();
    machine.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  void again() {
    link.reset();
    machine = make_machine(made_up());
    link = machine->make();
    ASSERT_FALSE(connect(*link));
  }
  std::string out_of(const std::string& command, const std::string& input = {}) {
    return exec(*link, command, input)->out();
  }

  std::filesystem::path directory;
  std::unique_ptr<Machine> machine;
  std::shared_ptr<connection::Connection> link;
};

TEST_F(Local, OutputOfBothStreamsAndTheExitCodeArrive) {
  const auto said = exec(*link, "echo out; echo err >&2; exit 7");
  EXPECT_EQ(said->out(), "out\n");
  EXPECT_EQ(said->err(), "err\n");
  EXPECT_EQ(said->status(), 7);
  EXPECT_EQ(said->exits(), 1);
  EXPECT_EQ(said->closes(), 1);
  EXPECT_FALSE(said->error());
  EXPECT_EQ(said->calls_after_close(), 0);
}

TEST_F(Local, ASignalThatEndsACommandIsNamed) {
  const auto said = exec(*link, "kill -TERM $$");
  EXPECT_FALSE(said->status());
  EXPECT_EQ(said->signal(), "TERM");
}

TEST_F(Local, TenMegabytesGoInAndComeBack) {
  std::string input;
  for (int line = 0; input.size() < 10'000'000; ++line) input += std::to_string(line) + "\n";
  EXPECT_EQ(out_of("cat", input), input);
}

TEST_F(Local, InputThatNobodyReadsIsDropped) {
  const auto said = exec(*link, "exit 3", std::string(1'000'000, 'x'));
  EXPECT_EQ(said->status(), 3);
}

// As a library may open them: without O_CLOEXEC.
TEST_F(Local, ACommandInheritsNoDescriptor) {
  const int low = ::open("/etc/passwd", O_RDONLY);
  const int fd = ::fcntl(low, F_DUPFD, 50);
  ASSERT_GE(fd, 50);
  const std::string mine = "/proc/$$/fd/" + std::to_string(fd);
  const std::string said = out_of("for f in /proc/$$/fd/*; do readlink \"$f\"; done; [ -e " + mine +
                                  " ] && echo inherited");
  ::close(fd);
  ::close(low);
  EXPECT_THAT(said, HasSubstr("pipe:"));
  EXPECT_THAT(said, Not(HasSubstr("inherited")));
  EXPECT_THAT(said, Not(HasSubstr("passwd")));
}

TEST_F(Local, TheEnvironmentIsThatOfALogin) {
  ::setenv("CNPLAY_TEST_PASSWORD", "swordfish", 1);
  const std::string environment = out_of("env");
  ::unsetenv("CNPLAY_TEST_PASSWORD");
  std::istringstream lines(environment);
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);) names.insert(line.substr(0, line.find('=')));
  EXPECT_THAT(names, IsSubsetOf({"HOME", "USER", "LOGNAME", "SHELL", "PATH", "PWD", "OLDPWD", "_",
                                 "SHLVL"}));
  EXPECT_THAT(environment, HasSubstr("HOME=/srv/kim\n"));
  EXPECT_THAT(environment, HasSubstr("USER=kim\n"));
}

TEST_F(Local, ACommandLeadsASessionWithoutATerminal) {
  const std::string said = out_of(
      "read -r l </proc/$$/stat; set -- ${l##*) }; echo $(($3 == $$)) $(($4 == $$)) $5; "
      "(: </dev/tty) 2>/dev/null && echo terminal");
  EXPECT_EQ(said, "1 1 0\n");
}

TEST_F(Local, SignalsAreNeitherBlockedNorIgnored) {
  ::signal(SIGPIPE, SIG_IGN);
  const std::string said = out_of("grep -E '^Sig(Blk|Ign)' /proc/self/status");
  ::signal(SIGPIPE, SIG_DFL);
  // 32 and 33 are glibc's own, which it has every child ignore.
  EXPECT_THAT(said, AnyOf("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
                          "SigBlk:\t0000000000000000\nSigIgn:\t0000000180000000\n"));
}

TEST_F(Local, ARaisedLimitOfOpenFilesIsTheControllersOwn) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 200;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  again();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(out_of("ulimit -S -n"), "200\n");
}

TEST_F(Local, APausedChannelHoldsTheCommandUp) {
  const std::string flag = (directory / "over").string();
  const auto paused = std::make_shared<ssh::test::Recorder>(false);
  const auto channel = open(*link, "head -c 10000000 /dev/zero; : >" + flag, false, paused).channel;
  on_strand(*link, [&] { channel->pause(); });
  EXPECT_EQ(out_of("head -c 10000000 /dev/zero").size(), 10'000'000u);  // another one goes through
  EXPECT_LT(paused->out_bytes(), 1'000'000u);
  EXPECT_FALSE(std::filesystem::exists(flag));
  EXPECT_EQ(paused->exits(), 0);
  on_strand(*link, [&] { channel->resume(); });
  ASSERT_TRUE(paused->wait_closed());
  EXPECT_EQ(paused->out_bytes(), 10'000'000u);
  EXPECT_TRUE(std::filesystem::exists(flag));
  EXPECT_EQ(paused->status(), 0);
}

TEST_F(Local, ACommandGoesOnWithoutItsChannelAndIsReaped) {
  const std::string flag = (directory / "over").string();
  const auto opened = open(*link, "cat >/dev/null; : >" + flag);
  on_strand(*link, [&] { opened.channel->close(); });
  ASSERT_TRUE(opened.recorder->wait_closed());
  EXPECT_EQ(opened.recorder->exits(), 0);
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(flag); }));
  EXPECT_TRUE(eventually([] { return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; }));
}

TEST_F(Local, ATerminalIsOneStream) {
  const auto said =
      exec(*link, "test -t 0 && test -t 1 && test -t 2 && echo yes; echo err >&2", {}, true);
  EXPECT_EQ(said->out(), "yes\r\nerr\r\n");
  EXPECT_EQ(said->err(), "");
  EXPECT_EQ(said->status(), 0);
}

TEST_F(Local, ATerminalIsReadFrom) {
  const auto opened = open(*link, "read -r word; echo \"got $word\"", true);
  on_strand(*link, [&] { opened.channel->write("it\n"); });
  ASSERT_TRUE(opened.recorder->wait_closed());
  EXPECT_THAT(opened.recorder->out(), HasSubstr("got it"));
}

TEST_F(Local, AClosedConnectionEndsItsChannelsAndOpensNone) {
  const auto opened = open(*link, "cat");
  link->close();
  EXPECT_TRUE(opened.recorder->wait_closed());
  EXPECT_FALSE(link->connected());
  const auto late = open(*link, "true");
  ASSERT_TRUE(late.error);
  EXPECT_EQ(late.error->kind, Failure::lost);
  const auto anew = link->again();
  ASSERT_FALSE(connect(*anew));
  EXPECT_EQ(exec(*anew, "echo on")->out(), "on\n");
}

TEST_F(Local, AMachineThatGoesAwayClosesWhatIsOpen) {
  const auto opened = open(*link, "cat");
  machine.reset();
  EXPECT_EQ(opened.recorder->closes(), 1);
  EXPECT_FALSE(opened.recorder->error());
  link->close();  // does nothing
}

TEST_F(Local, WithoutDescriptorsThereIsNoChannelAndTheRemedyIsNamed) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 4;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto opened = open(*link, "true");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(opened.error);
  EXPECT_EQ(opened.error->kind, Failure::no_channel);
  EXPECT_THAT(opened.error->what, HasSubstr("local: no pipe can be made"));
  EXPECT_THAT(opened.error->help, HasSubstr("ulimit -n"));
  EXPECT_EQ(out_of("echo on"), "on\n");
}

TEST(LocalSettings, AreOfTheUserWhateverHomeSays) {
  const char* const home = ::getenv("HOME");
  const std::string before = home == nullptr ? "" : home;
  const Settings real = own_settings();
  ::setenv("HOME", "/nowhere", 1);
  EXPECT_EQ(own_settings().home, real.home);
  if (home != nullptr) ::setenv("HOME", before.c_str(), 1);
}

TEST(MachineId, IsTheSystemsOwn) {
  std::ifstream file("/etc/machine-id");
  std::string id;
  if (!std::getline(file, id) || id.empty()) GTEST_SKIP() << "this system has none";
  EXPECT_EQ(machine_id(), id);
}

}  // namespace
}  // namespace cnplay::local
