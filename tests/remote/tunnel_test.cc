// A command that lives as long as a tunnel, in each shell that a host may have: it ends with its
// tunnel, with its connection, and when nothing is heard of either.
#include "remote/tunnel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

using ::testing::HasSubstr;
using Why = TunnelEnd::Why;

class View final : public TunnelView {
 public:
  void opened() override { ++opens; }
  void failed(const ssh::Target&, const ssh::TransportError&) override {}
  void output(bool is_stderr, std::string_view bytes) override {
    (is_stderr ? err : out) += bytes;
    if (on_output) on_output();
  }
  int opens = 0;
  std::string out, err;
  std::function<void()> on_output;
};

class TunnelCommand : public ::testing::TestWithParam<std::string> {
 protected:
  TunnelCommand() : world_(GetParam()) {}

  TunnelEnd run(const std::string& command) {
    options_.command = command;
    Tunnel tunnel(*world_.transport, world_.settings.ssh, {}, options_);
    return tunnel.run(view_, requests_);
  }
  // Asks to stop once the command has printed `up`.
  void stop_when_up(int requests = 1) {
    view_.on_output = [this, requests] {
      if (view_.out.find("up\n") != std::string::npos) requests_ = requests;
    };
  }
  // Of this test's host: others may run the same at the same time.
  bool runs(const std::string& text) const {
    return std::ranges::any_of(processes_with(text), [this](int pid) {
      return contents("/proc/" + std::to_string(pid) + "/environ").find(world_.home.string()) !=
             std::string::npos;
    });
  }

  World world_;
  View view_;
  TunnelOptions options_;
  std::atomic<int> requests_{0};
};

TEST_P(TunnelCommand, ItsTextIsTakenAsItIsAndItsEndIsTold) {
  const auto end = run("x='a \\n %s'\nprintf '%s\\n' \"$x\"; cat; echo no >&2\nexit 7");
  EXPECT_EQ(end.why, Why::command_ended);
  EXPECT_EQ(end.status, 7);
  EXPECT_FALSE(end.unconfirmed);
  EXPECT_EQ(view_.out, "a \\n %s\n") << "and its stdin is empty";
  EXPECT_EQ(view_.err, "no\n");
  EXPECT_EQ(view_.opens, 1);
}

TEST_P(TunnelCommand, ARequestEndsItAndItsChildrenBeforeTheTunnel) {
  stop_when_up();
  const auto end = run("sleep 4001 & (trap '' HUP; sleep 4002) & echo up; exec sleep 4003");
  EXPECT_EQ(end.why, Why::stopped);
  EXPECT_FALSE(end.unconfirmed);
  EXPECT_TRUE(end.status || !end.signal.empty());
  for (const char* child : {"sleep 4001", "sleep 4002", "sleep 4003"}) {
    EXPECT_FALSE(runs(child)) << child;
  }
}

TEST_P(TunnelCommand, WhatIgnoresTermIsKilled) {
  stop_when_up();
  const auto end = run("trap '' TERM; echo up; while :; do sleep 1; : mark-4011; done");
  EXPECT_EQ(end.why, Why::stopped);
  EXPECT_FALSE(end.unconfirmed);
  EXPECT_FALSE(runs("mark-4011"));
}

TEST_P(TunnelCommand, ASecondRequestDoesNotWait) {
  stop_when_up(2);
  const auto end = run("trap '' TERM; echo up; while :; do sleep 1; : mark-4021; done");
  EXPECT_EQ(end.why, Why::stopped);
  EXPECT_TRUE(end.unconfirmed);
  EXPECT_TRUE(eventually([this] { return !runs("mark-4021"); }));
}

TEST_P(TunnelCommand, ALostConnectionEndsIt) {
  view_.on_output = [this] {
    EXPECT_TRUE(eventually([this] { return runs("sleep 4031"); }));
    world_.transport->cut();
  };
  const auto end = run("echo up; exec sleep 4031");
  EXPECT_EQ(end.why, Why::lost);
  EXPECT_TRUE(end.unconfirmed);
  EXPECT_TRUE(eventually([this] { return !runs("sleep 4031"); }));
}

TEST_P(TunnelCommand, TheHostEndsItWhenItHearsNothing) {
  options_.fuse = std::chrono::seconds(2);
  options_.beat = std::chrono::hours(1);
  const auto end = run("exec sleep 4041");
  EXPECT_EQ(end.why, Why::command_ended) << "though nobody has asked, and no connection is lost";
  EXPECT_NE(end.status, 0);
  EXPECT_FALSE(runs("sleep 4041"));
}

TEST_P(TunnelCommand, SignsOfLifeKeepIt) {
  options_.fuse = std::chrono::seconds(3);
  options_.beat = std::chrono::milliseconds(300);
  const auto end = run("sleep 6; echo through");
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(view_.out, "through\n");
}

INSTANTIATE_TEST_SUITE_P(Shells, TunnelCommand, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

class OnDash : public TunnelCommand {};

TEST_P(OnDash, AHostWithoutSetsidSaysWhatIsMissing) {
  world_.transport->environment["PATH"] = world_.bin.string();
  const auto end = run("echo up");
  EXPECT_EQ(end.status, 126);
  EXPECT_THAT(view_.err, HasSubstr("install util-linux"));
  EXPECT_EQ(view_.out, "");
}

TEST_P(OnDash, AHostThatRefusesTheConnectionIsNotOpened) {
  world_.transport->faults.refuse_connect = true;
  const auto end = run("echo up");
  EXPECT_EQ(end.why, Why::not_connected);
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->what, "fake: refused");
  EXPECT_EQ(view_.opens, 0);
}

TEST_P(OnDash, NoChannelIsToldAsTheCommandsEnd) {
  world_.transport->faults.max_channels = 0;
  const auto end = run("echo up");
  EXPECT_EQ(end.why, Why::command_ended);
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->what, "fake: no channel");
  EXPECT_FALSE(end.unconfirmed);
}

INSTANTIATE_TEST_SUITE_P(Shells, OnDash, ::testing::Values("dash"));

}  // namespace
}  // namespace cnplay::remote::testing
