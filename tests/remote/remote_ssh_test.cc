// The whole way: real sshd, real transport, real shells. What the fake cannot know.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "support/remote/world.h"
#include "support/ssh/sshd.h"

namespace cnplay::remote::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// The World of the fake, with another transport under it. Its home is the test sshd's directory.
class OverSsh : public ::testing::Test {
 protected:
  OverSsh() : real(ssh::make_transport({.threads = 1})) {
    world.settings.ssh = sshd.settings();
    world.options.run_id = "ssh-test-" + std::to_string(getpid());
    world.hosts = make_hosts(*real, {world.settings}, world.options);
  }
  ~OverSsh() override {
    world.hosts->close(seconds(5), Traces::remove);
    world.hosts.reset();
  }
  void up() {
    world.hosts->connect(0);
    world.wait_for<HostReady>();
  }
  ssh::test::Sshd sshd;
  std::unique_ptr<ssh::Transport> real;
  World world;
};

TEST_F(OverSsh, ATaskThroughAllStages) {
  up();
  const std::string flag = "/tmp/cnplay-remote-ssh-" + std::to_string(getpid());
  Task task = check_task("[ ! -e " + flag + " ] || ok\nfact who \"$(id -un)\"; change \"make it\"",
                         "echo \"as $who\"; : >" + flag);
  TaskResult r = world.run(task);
  ASSERT_EQ(r.stages.size(), 3u) << r.error;
  EXPECT_EQ(r.stages[2].verdict, Verdict::ok);
  EXPECT_THAT(r.tail.raw(), HasSubstr("as "));
  std::filesystem::remove(flag);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) world.run(apply_task(":"));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::printf("  over ssh, loopback: %.2f ms per task, in turn\n", took.count() / 100);
}

TEST_F(OverSsh, PreviewsGoWithTheEnd) {
  up();
  Task task = check_task("change x", ":", Mode::check);
  task.preview = "echo p >\"$preview/f\"";
  const TaskResult r = world.run(task);
  ASSERT_FALSE(r.preview.empty()) << r.error;
  EXPECT_TRUE(std::filesystem::exists(r.preview + "/f"));
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(r.preview).parent_path()));
}

TEST_F(OverSsh, TimeoutAndADeadShell) {
  up();
  const std::string mark = "41." + std::to_string(getpid());
  Task task = apply_task("(sleep " + mark + " & sleep " + mark + ")");
  task.timeout = milliseconds(300);
  EXPECT_EQ(world.run(task).ended, Ended::timed_out);
  EXPECT_TRUE(processes_with("sleep " + mark).empty());
  const TaskResult r = world.run(apply_task("sleep " + mark + " & kill -9 $$"));
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_THAT(r.error, HasSubstr("the shell ended under the task"));
  EXPECT_TRUE(processes_with("sleep " + mark).empty());
  EXPECT_EQ(world.run(apply_task("echo on")).tail.raw(), "on\n");
}

TEST_F(OverSsh, ManyAtOnceAndMuchOutput) {
  up();
  std::vector<TaskId> ids;
  for (int i = 0; i < 12; ++i) ids.push_back(world.start(apply_task("sleep 0.1; echo x")));
  for (const TaskId id : ids) EXPECT_EQ(world.wait_task(id).tail.raw(), "x\n");
  const TaskId id = world.start(apply_task("head -c 20000000 /dev/zero"));
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(world.wait_task(id).output_bytes, 20000000u);
}

TEST_F(OverSsh, LockAndLoss) {
  world.options.reconnect_within = seconds(0);
  world.hosts = make_hosts(*real, {world.settings}, world.options);
  up();
  world.hosts->lock(0, "cnplay test " + std::to_string(getpid()), "me");
  const LockEnded l = world.wait_for<LockEnded>();
  EXPECT_TRUE(l.acquired) << l.error;
  const TaskId id = world.start(apply_task("echo begun; kill -9 $PPID; sleep 0.1"));
  const TaskResult r = world.wait_task(id);  // its own sshd killed: a lost connection
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_TRUE(r.apply_possible);
  world.wait_for<HostLost>();
}

}  // namespace
}  // namespace cnplay::remote::testing
