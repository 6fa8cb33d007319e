// How tasks and connections end: kills, timeouts, losses, close. With four shells where they
// differ.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class Ends : public ::testing::TestWithParam<std::string> {
 protected:
  Ends() : world(GetParam()) {}
  World world;
};
INSTANTIATE_TEST_SUITE_P(Remote, Ends, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(Ends, TimeoutKillsTheWholeGroup) {
  world.up();
  const std::string mark = "31." + std::to_string(getpid());
  Task task = apply_task("echo begun; (sleep " + mark + " & sleep " + mark + "); echo not reached");
  task.timeout = milliseconds(300);
  const TaskResult r = world.run(task);
  EXPECT_EQ(r.ended, Ended::timed_out);
  EXPECT_THAT(r.tail.raw(), ::testing::StartsWith("begun\n"));  // mksh adds "Terminated"
  EXPECT_THAT(r.error, HasSubstr("300 ms"));
  EXPECT_TRUE(r.apply_possible);
  EXPECT_TRUE(processes_with("sleep " + mark).empty());  // at once: gone is what it means
  EXPECT_EQ(world.run(apply_task("echo next")).tail.raw(), "next\n");
}

TEST_P(Ends, CancelKillsWhatIgnoresTerm) {
  world.options.kill_patience = seconds(GetParam() == "dash" ? 2 : 1);
  world.up();
  const std::string mark = "32." + std::to_string(getpid());
  const TaskId id =
      world.start(apply_task("trap '' TERM; echo begun; sleep " + mark + "; sleep " + mark));
  world.wait_output(id, "begun");
  world.hosts->cancel(id);
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::cancelled);
  EXPECT_TRUE(processes_with("sleep " + mark).empty());
  EXPECT_GT(r.took, milliseconds(GetParam() == "dash" ? 1000 : 0));  // whole seconds of uptime
}

TEST_P(Ends, WhatTheDeadShellLeftIsKilled) {
  world.up();
  const std::string mark = "33." + std::to_string(getpid());
  const TaskResult r = world.run(apply_task("sleep " + mark + " & kill -9 $$; sleep 5"));
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_THAT(r.error, HasSubstr("the shell ended under the task"));
  EXPECT_TRUE(processes_with("sleep " + mark).empty());
}

TEST_P(Ends, ConnectionLostInCheckAndInApply) {
  world.options.reconnect_within = seconds(0);
  world.up();
  const TaskId in_check = world.start(check_task("sleep 5; ok", "", Mode::check));
  const TaskId unsure = world.start(check_task("sleep 5; ok", ":"));
  const TaskId in_apply = world.start(check_task("change x", "echo applying; sleep 5"));
  const TaskId said_ok = world.start(check_task("(exec sleep 0.4) & ok", ":"));
  world.wait_task(said_ok);
  world.wait_output(in_apply, "applying");
  world.transport->cut();
  TaskResult r = world.wait_task(in_check);
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_FALSE(r.apply_possible);
  r = world.wait_task(unsure);
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_TRUE(r.apply_possible);
  r = world.wait_task(in_apply);
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_TRUE(r.apply_possible);
  EXPECT_EQ(world.wait_for<HostLost>().host, 0u);
  r = world.run(apply_task(":"));
  EXPECT_EQ(r.ended, Ended::not_started);
}

TEST_P(Ends, TheHostKillsByItselfWhenNobodyElseDoes) {
  world.options.host_grace = milliseconds(500);
  world.options.reconnect_within = seconds(0);
  world.up();
  const std::string mark = "34." + std::to_string(getpid());
  Task task = apply_task("echo begun; sleep " + mark);
  task.timeout = milliseconds(400);
  const TaskId id = world.start(task);
  world.wait_output(id, "begun");
  world.transport->cut();
  EXPECT_EQ(world.wait_task(id).ended, Ended::lost);
  EXPECT_TRUE(eventually([&] { return !processes_with("sleep " + mark).empty(); }, seconds(1)));
  EXPECT_TRUE(eventually([&] { return processes_with("sleep " + mark).empty(); }, seconds(8)));
}

TEST_P(Ends, SecretsAreInNoProcessTable) {
  world.up();
  const std::string secret = "s3cr3t-" + std::to_string(getpid());
  Task task = check_task(
      "fact copied \"$password\"; sleep 0.01; change x",
      "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null >seen || :\n"
      "for p in self $$; do tr '\\0' '\\n' </proc/$p/environ; done >own\nenv >env; sleep 0.05");
  task.verify = Verify::none;
  task.variables = {{.name = "password", .value = secret, .secret = true}};
  const TaskId id = world.start(task);
  bool leaked = false;
  std::vector<int> found;
  for (int i = 0; i < 20; ++i) {
    found = processes_with(secret);
    leaked = leaked || !found.empty();
    world.pump(milliseconds(2));
  }
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.stages.size(), 2u);
  EXPECT_EQ(fact(r, "copied"), secret);
  EXPECT_FALSE(leaked);
  for (const char* file : {"seen", "own", "env"}) {
    std::ifstream in(world.home / file);
    std::stringstream text;
    text << in.rdbuf();
    EXPECT_FALSE(text.str().empty()) << file;
    EXPECT_EQ(text.str().find(secret), std::string::npos) << file;
    // Nor is the nonce: forging a mark would take it.
    const std::string sent = world.transport->input();
    const std::size_t at = sent.find("_cn_n=");
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(text.str().find(sent.substr(at + 6, 32)), std::string::npos) << file;
  }
}

TEST_P(Ends, ATornShipmentOnTheWire) {
  // Cut at a few places of the real thing; the exhaustive test is Torn's.
  for (const std::size_t back : {2u, 3u, 9u, 40u}) {
    World w(GetParam());
    w.options.reconnect_within = seconds(0);
    w.up();
    const std::size_t before = eventually([&] { return w.transport->input_bytes() > 3000; })
                                   ? w.transport->input_bytes()
                                   : 0;
    ASSERT_EQ(w.run(apply_task(":")).ended, Ended::finished);
    const std::size_t length = w.transport->input_bytes() - before;
    const auto evidence = w.root / "ran";
    const std::string script = "touch " + evidence.string();
    w.transport->faults.cut_input_after =
        w.transport->input_bytes() + length - 1 + script.size() - back;
    const TaskResult r = w.run(apply_task(script));
    EXPECT_EQ(r.ended, Ended::lost);
    EXPECT_TRUE(r.apply_possible);
    std::this_thread::sleep_for(milliseconds(30));
    EXPECT_FALSE(std::filesystem::exists(evidence)) << back;
  }
}

TEST(Closing, KillsWhatRunsAndSaysSo) {
  World world;
  world.up();
  const std::string mark = "35." + std::to_string(getpid());
  const TaskId id = world.start(apply_task("echo begun; sleep " + mark));
  world.wait_output(id, "begun");
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_EQ(world.wait_task(id).ended, Ended::cancelled);
  EXPECT_TRUE(processes_with("sleep " + mark).empty());
  EXPECT_EQ(world.transport->channels_now(), 0u);
}

TEST(Closing, IsBoundedAndLeavesDaemonsAlone) {
  World world;
  world.up();
  const std::string mark = "60." + std::to_string(getpid());
  world.run(apply_task("setsid sleep " + mark + " >/dev/null 2>&1 & sleep " + mark + " & :"));
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  const std::vector<int> daemons = processes_with("sleep " + mark);
  EXPECT_FALSE(daemons.empty());
  for (const int pid : daemons) kill(pid, SIGKILL);
}

TEST(Cancelling, ATaskThatWaitsIsNeverSent) {
  World world;
  world.options.max_channels = 2;
  world.up();
  const TaskId first = world.start(apply_task("sleep 0.3"));
  const TaskId second = world.start(apply_task("touch ran"));
  world.hosts->cancel(second);
  EXPECT_EQ(world.wait_task(second).ended, Ended::cancelled);
  EXPECT_EQ(world.wait_task(first).ended, Ended::finished);
  EXPECT_FALSE(std::filesystem::exists(world.home / "ran"));
}

TEST(Cancelling, ATaskThatWasFasterReportsItsResult) {
  World world;
  world.up();
  int finished = 0;
  for (int i = 0; i < 30; ++i) {
    const TaskId id = world.start(apply_task("echo x"));
    std::this_thread::sleep_for(std::chrono::microseconds(100 * i));
    world.hosts->cancel(id);
    const TaskResult r = world.wait_task(id);
    EXPECT_THAT(r.ended, ::testing::AnyOf(Ended::finished, Ended::cancelled)) << r.error;
    if (r.ended == Ended::finished) {
      ++finished;
      EXPECT_EQ(r.stages.at(0).exit_code, 0);
    }
  }
  EXPECT_EQ(world.run(apply_task("echo y")).tail.raw(), "y\n");
}

}  // namespace
}  // namespace cnplay::remote::testing
