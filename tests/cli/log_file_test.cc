#include "cli/log_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/redaction.h"
#include "support/events/story.h"

namespace cnplay::cli {
namespace {

using namespace events;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class Log : public ::testing::Test {
 protected:
  Log() {
    std::string name = "/tmp/cnplay-log.XXXXXX";
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ / "run.log";
    plan_.hosts.resize(1);
    plan_.hosts[0].name = "web1";
    plan_.nodes.resize(1);
    plan_.nodes[0].path = "p/code";
  }
  ~Log() override { fs::remove_all(directory_); }

  std::string problem(const fs::path& path) {
    const auto log = LogFile::open(path.string(), LogLevel::debug, plan_);
    return log ? "" : log.error().what;
  }
  std::string text() {
    std::ostringstream out;
    out << std::ifstream(path_).rdbuf();
    return out.str();
  }
  // What a run that had trouble leaves at that level.
  std::string run(LogLevel level) {
    auto log = LogFile::open(path_.string(), level, plan_);
    EXPECT_TRUE(log);
    RedactingSink sink(**log, redaction(redactor_));
    cnplay::testing::Story story(sink);
    RunStarted started;
    started.run = "r1";
    story.tell(started);
    story.tell(HostConnecting{0});
    story.tell(HostConnected{0, "ubuntu", "b00t"});
    story.tell(RetryScheduled{0, 0, 2, 4, Duration{5000}});
    story.tell(HostReconnecting{0, "no answer"});
    story.end(story.begin(0, 0), 0, 0, Outcome::failed, "exploded\nwith s3cret \x1b[2J", 1.5);
    log->reset();
    return text();
  }

  secrets::Redactor redactor_;
  fs::path directory_, path_;
  plan::Plan plan_;
};

TEST_F(Log, HasConnectionsAttemptsAndTimes) {
  const std::string all = run(LogLevel::debug);
  for (const char* line :
       {"info  run r1", "info  web1: connecting\n", "connected as ubuntu, boot b00t\n",
        "warn  web1: p/code attempt 2 of 4 in 5000 ms\n",
        "connection lost, reconnecting: no answer", "debug web1: p/code action 0 task 1 started\n",
        "error web1: p/code action 0 task 1 failed, 1500 ms: exploded with s3cret \n",
        "info  web1: p/code failed"}) {
    EXPECT_THAT(all, HasSubstr(line));
  }
  EXPECT_THAT(all, Not(HasSubstr("\x1b")));
  EXPECT_EQ(all.find("20"), 0U) << "each line begins with its time";
}

TEST_F(Log, ALevelLeavesOutWhatIsBelow) {
  EXPECT_THAT(run(LogLevel::info), Not(HasSubstr("debug")));
  fs::remove(path_);
  const std::string few = run(LogLevel::error);
  EXPECT_THAT(few, HasSubstr("error web1: p/code"));
  EXPECT_THAT(few, Not(HasSubstr("attempt")));
}

TEST_F(Log, ASecretIsRedacted) {
  redactor_.add("key", Secret(std::string("s3cret")));
  const std::string all = run(LogLevel::debug);
  EXPECT_THAT(all, HasSubstr("exploded with [secret key]"));
  EXPECT_THAT(all, Not(HasSubstr("s3cret")));
}

TEST_F(Log, IsItsOwnersAloneAndIsAppendedTo) {
  run(LogLevel::info);
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto once = text().size();
  run(LogLevel::info);
  EXPECT_EQ(text().size(), 2 * once);
}

TEST_F(Log, WhatIsNoFileIsRefused) {
  EXPECT_THAT(problem(directory_), HasSubstr("cannot be written"));
  EXPECT_THAT(problem(directory_ / "none/x.log"), HasSubstr("No such file"));
  fs::create_symlink("/etc/passwd", directory_ / "link");
  EXPECT_THAT(problem(directory_ / "link"), HasSubstr("cannot be written"));
  ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(problem(directory_ / "pipe"), HasSubstr("cannot be written"));
}

}  // namespace
}  // namespace cnplay::cli
