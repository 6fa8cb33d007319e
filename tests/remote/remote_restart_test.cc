// A task that restarts its host: over when the host is back on another boot, and never done twice.
// The hosts' boot id is a file of the test's, mounted in the place of the kernel's: that takes
// root.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr const char* kBoot = "/proc/sys/kernel/random/boot_id";

class Restarts : public ::testing::TestWithParam<std::string> {
 protected:
  Restarts() : world(GetParam()) {
    boot("boot-1");
    const std::string shell = GetParam() == "busybox" ? "busybox sh" : GetParam();
    fs::remove(world.bin / "sh");
    world.write_file("bin/sh",
                     "#!/bin/dash\n"
                     "exec unshare -m /bin/dash -c 'mount --bind \"$0\" " +
                         std::string(kBoot) + " && exec /usr/bin/" + shell + " \"$@\"' " +
                         (world.root / "boot").string() + " \"$@\"\n",
                     0755);
  }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  // In place: a mount is of the file, not of its name.
  void boot(const std::string& id) { std::ofstream(world.root / "boot") << id << "\n"; }
  fs::path made() const { return world.root / "restarts"; }
  Task restart(const std::string& more = {}) {
    Task task =
        check_task("echo looking\nchange restart", "echo once >>" + made().string() + "\n" + more);
    task.verify = Verify::by_script;
    task.verify_script = std::string("read -r b <") + kBoot +
                         "\n[ \"$b\" = boot-2 ] || fail \"still $b\"\necho there\nok";
    task.reboots = seconds(60);
    return task;
  }
  // Its apply has said that it has ended, and the session has heard it.
  void wait_begun(TaskId id) {
    const fs::path claim =
        world.home / (".local/state/cnplay/run-test-run/t-" + std::to_string(id));
    ASSERT_TRUE(eventually([&] { return contents(claim).find("\nended") != std::string::npos; }));
    EXPECT_EQ(contents(made()), "once\n");
    world.pump(milliseconds(300));
    // What is sent now waits; a host that is not to restart would answer.
    held = world.start(apply_task(std::string("cat ") + kBoot));
    world.pump(milliseconds(300));
    EXPECT_EQ(world.out[held], "");
    for (const Event& event : world.seen) {
      const auto* ended = std::get_if<TaskEnded>(&event);
      ASSERT_TRUE(ended == nullptr || (ended->task != id && ended->task != held));
    }
  }
  void go_down() {
    world.transport->faults.refuse_connect = true;
    world.transport->cut();
    world.wait_for<HostReconnecting>();
  }
  void come_up(const std::string& id) {
    boot(id);
    world.transport->faults.refuse_connect = false;
  }
  static void expect_changed(const TaskResult& r) {
    ASSERT_EQ(r.ended, Ended::finished) << r.error;
    ASSERT_EQ(r.stages.size(), 3U);
    EXPECT_EQ(stage(r, Stage::check)->verdict, Verdict::change);
    EXPECT_EQ(stage(r, Stage::apply)->exit_code, 0);
    EXPECT_EQ(stage(r, Stage::apply)->verdict, Verdict::none);
    EXPECT_EQ(stage(r, Stage::verify)->verdict, Verdict::ok)
        << stage(r, Stage::verify)->message.display();
  }
  World world;
  TaskId held = 0;
};
INSTANTIATE_TEST_SUITE_P(Remote, Restarts, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(Restarts, ItIsOverWhenTheHostIsBack) {
  world.up();
  const bool locks = GetParam() != "mksh";  // it gives flock no descriptor above 2
  if (locks) {
    world.hosts->lock(0, "deploy", "ann");
    EXPECT_TRUE(world.wait_for<LockEnded>().acquired);
  }
  const TaskId id = world.start(restart());
  wait_begun(id);
  go_down();
  come_up("boot-2");
  EXPECT_EQ(world.wait_for<HostReconnected>().boot_id, "boot-2");
  const TaskResult r = world.wait_task(id);
  expect_changed(r);
  EXPECT_EQ(stage(r, Stage::check)->message.raw(), "restart");
  // What had waited was done on the new boot, and there the lock is held again.
  EXPECT_EQ(world.wait_task(held).ended, Ended::finished);
  EXPECT_EQ(world.out[held], "boot-2\n");
  EXPECT_EQ(contents(made()), "once\n");
  const fs::path lock = world.home / ".local/state/cnplay/locks/deploy";
  EXPECT_TRUE(!locks ||
              eventually([&] { return contents(lock).find("ann") != std::string::npos; }));
  for (const Event& event : world.seen) EXPECT_FALSE(std::holds_alternative<LockEnded>(event));
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_FALSE(fs::exists(world.home / ".local/state/cnplay/run-test-run"));
}

// The host may be gone before it could say that its apply has ended.
TEST_P(Restarts, FasterThanItsLastWord) {
  world.up();
  const TaskId id = world.start(restart("sleep 3"));
  ASSERT_TRUE(eventually([&] { return contents(made()) == "once\n"; }));
  go_down();
  come_up("boot-2");
  expect_changed(world.wait_task(id));
  EXPECT_EQ(contents(made()), "once\n");
}

TEST_P(Restarts, ALostConnectionIsNoRestart) {
  world.up();
  const TaskId id = world.start(restart());
  wait_begun(id);
  world.transport->cut();
  EXPECT_EQ(world.wait_for<HostReconnected>().boot_id, "boot-1");
  world.pump(milliseconds(300));
  EXPECT_EQ(world.out[held], "") << "it is still to go";
  go_down();
  come_up("boot-2");
  expect_changed(world.wait_task(id));
  EXPECT_EQ(world.wait_task(held).ended, Ended::finished);
  EXPECT_EQ(contents(made()), "once\n");
}

TEST_P(Restarts, WhoIsNotBackInTimeHasFailedOrIsUnknown) {
  world.options.reconnect_within = milliseconds(300);
  world.up();
  Task task = restart();
  task.reboots = seconds(2);
  const TaskResult stays = world.run(task);
  ASSERT_EQ(stays.ended, Ended::finished);
  EXPECT_EQ(stage(stays, Stage::verify)->verdict, Verdict::fail);
  EXPECT_EQ(stage(stays, Stage::verify)->message.raw(),
            "has not rebooted within 2 s: it is still the same boot");
  EXPECT_EQ(world.run(apply_task("echo on")).ended, Ended::finished);
  fs::remove(made());
  const TaskId id = world.start(task);
  wait_begun(id);
  go_down();
  const TaskResult gone = world.wait_task(id);
  EXPECT_EQ(gone.ended, Ended::lost);
  EXPECT_TRUE(gone.apply_possible);
  EXPECT_THAT(gone.error, HasSubstr("it was rebooting, and did not come back in time"));
  EXPECT_EQ(world.wait_task(held).ended, Ended::not_started);
  world.wait_for<HostLost>();
  EXPECT_EQ(contents(made()), "once\n");
}

TEST_P(Restarts, WhatVerifyFindsOnTheNewBootCounts) {
  world.up();
  const TaskId id = world.start(restart());
  wait_begun(id);
  go_down();
  come_up("boot-3");
  const TaskResult r = world.wait_task(id);
  ASSERT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_EQ(stage(r, Stage::verify)->verdict, Verdict::fail);
  EXPECT_EQ(stage(r, Stage::verify)->message.raw(), "still boot-3");
}

TEST_P(Restarts, WhereNothingIsToBeDoneOrItCannotBeNobodyWaits) {
  world.up();
  Task fine = restart();
  fine.check = "ok";
  const TaskResult ok = world.run(fine);
  EXPECT_EQ(ok.ended, Ended::finished);
  EXPECT_EQ(ok.stages.size(), 1U);
  EXPECT_EQ(contents(made()), "");
  const TaskResult failed = world.run(restart("exit 3"));
  EXPECT_EQ(failed.ended, Ended::finished);
  EXPECT_EQ(stage(failed, Stage::apply)->exit_code, 3);
  const TaskResult said = world.run(restart("fail \"not today\""));
  EXPECT_EQ(stage(said, Stage::apply)->message.raw(), "not today");
  Task dry = restart();
  dry.mode = Mode::check;
  EXPECT_EQ(stage(world.run(dry), Stage::check)->verdict, Verdict::change);
  EXPECT_EQ(contents(made()), "once\nonce\n") << "the dry run did it";
}

TEST_P(Restarts, NobodyWaitsForOneThatIsCancelled) {
  world.up();
  const TaskId id = world.start(restart());
  wait_begun(id);
  world.hosts->cancel(id);
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::cancelled);
  EXPECT_TRUE(r.apply_possible);
  EXPECT_EQ(world.wait_task(held).ended, Ended::finished);
}

// The controller dies, and another one takes up its run: before the host goes, or when it is back.
TEST_P(Restarts, AnotherControllerDoesNotRestartItAgain) {
  for (const bool back : {false, true}) {
    fs::remove(made());
    boot("boot-1");
    world.settings.users_before = {};
    world.up();
    Task task = restart();
    task.id = back ? 78 : 77;  // ids rise in a run
    world.hosts->start(task);
    ASSERT_TRUE(eventually([&] { return contents(made()) == "once\n"; }));
    world.hosts.reset();
    world.seen.clear();
    if (back) boot("boot-2");
    world.settings.users_before = {""};
    world.up();
    task.sent_under = "boot-1";
    world.hosts->start(task);
    if (!back) {
      world.pump(milliseconds(500));
      go_down();
      come_up("boot-2");
    }
    expect_changed(world.wait_task(task.id));
    EXPECT_EQ(contents(made()), "once\n") << (back ? "back" : "not yet");
    world.hosts->close(seconds(5), Traces::remove);
    world.hosts.reset();
  }
}

// It comes while the host is away: it knows that it may be, and for how long.
TEST_P(Restarts, AnotherControllerWaitsUntilTheHostIsBack) {
  world.up();
  Task task = restart();
  task.id = 79;
  world.hosts->start(task);
  ASSERT_TRUE(eventually([&] { return contents(made()) == "once\n"; }));
  world.hosts.reset();
  world.seen.clear();
  world.transport->faults.refuse_connect = true;
  world.settings.users_before = {""};
  for (const auto within : {milliseconds(0), milliseconds(700)}) {
    world.make();
    world.hosts->connect_within(0, within);
    EXPECT_EQ(world.wait_for<HostFailed>().kind, Unreachable::refused);
  }
  world.make();
  world.hosts->connect_within(0, seconds(60));
  world.pump(milliseconds(500));
  come_up("boot-2");
  EXPECT_EQ(world.wait_for<HostReady>().boot_id, "boot-2");
  task.sent_under = "boot-1";
  world.hosts->start(task);
  expect_changed(world.wait_task(task.id));
  EXPECT_EQ(contents(made()), "once\n");
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
}

}  // namespace
}  // namespace cnplay::remote::testing
