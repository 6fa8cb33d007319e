// The promise: a task is started at most once under its id, and its result is read back, whatever
// becomes of the connection, the session, the controller.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>
#include <type_traits>

#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class Promise : public ::testing::TestWithParam<std::string> {
 protected:
  Promise() : world(GetParam()) {}
  // A task that leaves one line in a file each time that it is run.
  Task witnessed(const std::string& then) const {
    return apply_task("echo ran >>'" + witness().string() + "'\n" + then);
  }
  fs::path witness() const { return world.root / "witness"; }
  fs::path run_directory() const { return world.home / ".local/state/cnplay/run-test-run"; }
  void go() { std::ofstream(world.root / "go") << "go"; }
  std::string await_go() const {
    return "while [ ! -e '" + (world.root / "go").string() + "' ]; do sleep 0.02; done\n";
  }
  std::unique_ptr<Hosts> another_controller() {
    auto hosts = make_hosts(*world.transport, {world.settings}, world.options);
    hosts->connect(0);
    return hosts;
  }
  World world;
};
INSTANTIATE_TEST_SUITE_P(Remote, Promise, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(Promise, TheSameIdTwentyTimesIsOneEffect) {
  world.transport->faults.max_channels = 30;
  Task task = witnessed("echo out; echo err >&2; exit 3");
  task.id = 7;
  std::vector<std::unique_ptr<Hosts>> controllers;
  for (int i = 0; i < 20; ++i) controllers.push_back(another_controller());
  auto wait = [](Hosts& hosts, auto& found) {
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    while (std::chrono::steady_clock::now() < end) {
      auto event = hosts.next(seconds(1));
      using T = std::remove_reference_t<decltype(found)>;
      if (!event) continue;
      if (T* it = std::get_if<T>(&*event)) return found = std::move(*it), true;
    }
    return false;
  };
  for (const auto& hosts : controllers) {
    HostReady ready;
    ASSERT_TRUE(wait(*hosts, ready));
  }
  for (const auto& hosts : controllers) hosts->start(task);
  for (const auto& hosts : controllers) {
    TaskEnded ended;
    ASSERT_TRUE(wait(*hosts, ended));
    EXPECT_EQ(ended.result.ended, Ended::finished) << ended.result.error;
    ASSERT_NE(stage(ended.result, Stage::apply), nullptr);
    EXPECT_EQ(stage(ended.result, Stage::apply)->exit_code, 3);
    EXPECT_EQ(ended.result.output_bytes, 8u);
  }
  EXPECT_EQ(contents(witness()), "ran\n");
}

TEST_P(Promise, CutWhileItRunsItGoesOnAndIsReadBack) {
  world.up();
  world.run(apply_task("echo before"));  // the spool holds more than the task's own output
  const TaskId id =
      world.start(witnessed("echo first; " + await_go() + "echo second; echo third >&2; exit 4"));
  world.wait_output(id, "first");
  world.transport->cut();
  EXPECT_THAT(world.wait_for<HostReconnecting>().message, HasSubstr("lost"));
  world.wait_for<HostReconnected>();
  go();
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_EQ(stage(r, Stage::apply)->exit_code, 4);
  EXPECT_EQ(world.out[id], "first\nsecond\n");
  EXPECT_EQ(world.err[id], "third\n");
  EXPECT_EQ(contents(witness()), "ran\n");
  EXPECT_EQ(world.run(apply_task("echo next")).tail.raw(), "next\n");
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_FALSE(fs::exists(run_directory()));
}

TEST_P(Promise, EndedWhileNobodyListened) {
  world.options.reconnect_within = seconds(0);
  world.up();
  Task task = check_task("echo looking\nfact seen \"two\nlines\"\nchange 'to be done'",
                         "echo ran >>'" + witness().string() + "'; echo \"$seen\"; " + await_go());
  task.verify = Verify::by_script;
  task.verify_script = "echo verified; ok";
  const TaskId id = world.start(task);
  world.wait_output(id, "lines");
  world.transport->cut();
  EXPECT_EQ(world.wait_task(id).ended, Ended::lost);
  go();
  const fs::path claim = run_directory() / ("t-" + std::to_string(id));
  ASSERT_TRUE(eventually([&] { return contents(claim).ends_with("ended\n"); }));
  world.hosts.reset();
  // Another controller takes it up.
  world.hosts = another_controller();
  world.wait_for<HostReady>();
  world.out.clear();
  task.id = id;
  world.hosts->start(task);
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  ASSERT_EQ(r.stages.size(), 3u);
  EXPECT_EQ(r.stages[0].verdict, Verdict::change);
  EXPECT_EQ(r.stages[2].verdict, Verdict::ok);
  EXPECT_EQ(fact(r, "seen"), "two\nlines");
  EXPECT_EQ(world.out[id], "looking\ntwo\nlines\nverified\n");
  EXPECT_EQ(contents(witness()), "ran\n");
}

TEST_P(Promise, AClaimOfAnotherBootIsUnknown) {
  world.up();
  Task task = witnessed("echo begun; " + await_go());
  const TaskId id = world.start(task);
  world.wait_output(id, "begun");
  world.hosts.reset();
  const fs::path claim = run_directory() / ("t-" + std::to_string(id));
  std::istringstream words(contents(claim));
  std::string spool, pid, since, boot, rest;
  words >> spool >> pid >> since >> boot;
  std::getline(words, rest);
  std::ofstream(claim) << spool << ' ' << pid << ' ' << since << " another-boot" << rest << '\n';
  world.hosts = another_controller();
  world.wait_for<HostReady>();
  task.id = id;
  world.hosts->start(task);
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_THAT(r.error, HasSubstr("was rebooted"));
  EXPECT_EQ(contents(witness()), "ran\n");
  go();
}

TEST_P(Promise, TheNewControllerFollowsWhatStillRuns) {
  world.up();
  const Task task = witnessed("echo first; " + await_go() + "echo second");
  const TaskId id = world.start(task);
  world.wait_output(id, "first");
  world.hosts.reset();  // without close: as if it had been killed
  world.out.clear();
  world.hosts = another_controller();
  world.wait_for<HostReady>();
  Task again = task;
  again.id = id;
  world.hosts->start(again);
  world.wait_output(id, "first");
  go();
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_EQ(world.out[id], "first\nsecond\n");
  EXPECT_EQ(contents(witness()), "ran\n");
}

// A controller that has no RunEnded on disk leaves: the task continues, and the next one reads it.
TEST_P(Promise, AControllerThatKeepsTheTracesLeavesTheTaskAtWork) {
  world.up();
  EXPECT_EQ(world.run(apply_task("echo before")).ended, Ended::finished);
  Task task = witnessed("echo first; " + await_go() + "echo second");
  const TaskId id = world.start(task);
  world.wait_output(id, "first");
  world.hosts->close(seconds(5), Traces::keep);
  world.hosts.reset();
  EXPECT_TRUE(fs::exists(run_directory() / ("t-" + std::to_string(id))));
  // One that is refused comes and leaves.
  auto refused = another_controller();
  world.hosts = std::move(refused);
  world.wait_for<HostReady>();
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::keep));
  EXPECT_TRUE(fs::exists(run_directory() / ("t-" + std::to_string(id))));
  go();
  world.settings.users_before = {""};
  world.seen.clear();
  world.out.clear();
  world.hosts = another_controller();
  world.wait_for<HostReady>();
  task.id = id;
  world.hosts->start(task);
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_EQ(world.out[id], "first\nsecond\n");
  EXPECT_EQ(contents(witness()), "ran\n");
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_FALSE(fs::exists(run_directory()));
}

// The user's shell is opened for that alone.
TEST_P(Promise, WhatAnEarlierControllerHasLeftIsRemovedWithoutATask) {
  world.up();
  EXPECT_EQ(world.run(witnessed("")).ended, Ended::finished);
  world.hosts->close(seconds(5), Traces::keep);
  EXPECT_TRUE(fs::exists(run_directory()));
  world.settings.users_before = {""};
  world.hosts = another_controller();
  world.seen.clear();
  world.wait_for<HostReady>();
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_FALSE(fs::exists(run_directory()));
}

// A dead controller's kernel may deliver its last request after another one has ended the run.
TEST_P(Promise, ARequestThatArrivesAfterTheEndOfTheRunIsRefused) {
  for (const bool has_spool : {false, true}) {
    World w(GetParam());
    const fs::path evidence = w.root / "witness";
    const auto start = [&](Hosts& hosts, TaskId id) {
      Task task = apply_task("echo " + std::to_string(id) + " >>'" + evidence.string() + "'");
      task.id = id;
      hosts.start(task);
      const auto end = std::chrono::steady_clock::now() + kPatience;
      while (std::chrono::steady_clock::now() < end) {
        auto event = hosts.next(seconds(1));
        if (auto* ended = event ? std::get_if<TaskEnded>(&*event) : nullptr) return ended->result;
      }
      return TaskResult{};
    };
    const auto connected = [&](const Options& options) {
      auto hosts = make_hosts(*w.transport, {w.settings}, options);
      hosts->connect(0);
      const auto ready = [&] {
        const auto event = hosts->next(milliseconds(50));
        return event && std::holds_alternative<HostReady>(*event);
      };
      EXPECT_TRUE(eventually(ready));
      return hosts;
    };
    const auto dead = connected(w.options);
    if (has_spool) {
      EXPECT_EQ(start(*dead, 1).ended, Ended::finished);
    }
    const auto next = connected(w.options);
    EXPECT_EQ(start(*next, 7).ended, Ended::finished);
    EXPECT_TRUE(next->close(seconds(5), Traces::remove));
    const TaskResult late = start(*dead, 7);
    EXPECT_EQ(late.ended, Ended::not_started) << late.error;
    EXPECT_THAT(late.error, HasSubstr("the request came too late"));
    EXPECT_EQ(contents(evidence), has_spool ? "1\n7\n" : "7\n");
    // The run may be continued after its end: new tasks have higher ids.
    Options options = w.options;
    options.last_before = 7;
    const auto again = connected(options);
    EXPECT_EQ(start(*again, 8).ended, Ended::finished);
    EXPECT_TRUE(again->close(seconds(5), Traces::remove));
    EXPECT_EQ(contents(w.home / ".local/state/cnplay/ended-test-run"), "8\n");
  }
}

// What an earlier controller has started has an id too.
TEST_P(Promise, TheTombstoneHoldsTheHighestIdOfTheRun) {
  world.options.last_before = 41;
  world.up();
  EXPECT_EQ(world.run(apply_task(":")).ended, Ended::finished);
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_EQ(contents(world.home / ".local/state/cnplay/ended-test-run"), "41\n");
}

TEST_P(Promise, OldTombstonesAreRemovedOnceThereAreMany) {
  world.up();
  const fs::path state = world.home / ".local/state/cnplay";
  fs::create_directories(state);
  const auto yesterday = fs::file_time_type::clock::now() - std::chrono::hours(49);
  for (int i = 0; i < 40; ++i) {
    const fs::path file = state / ("ended-run" + std::to_string(i));
    std::ofstream(file) << "1\n";
    if (i < 30) fs::last_write_time(file, yesterday);
  }
  EXPECT_EQ(world.run(apply_task(":")).ended, Ended::finished);
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  const auto left = [&] {
    return std::distance(fs::directory_iterator(state), fs::directory_iterator());
  };
  EXPECT_TRUE(eventually([&] { return left() == 11; })) << left();
}

TEST_P(Promise, ATornShipmentIsSentAgain) {
  for (const std::size_t back : {1u, 2u, 9u, 40u, 400u}) {
    World w(GetParam());
    w.up();
    ASSERT_EQ(w.run(apply_task(":")).ended, Ended::finished);
    const std::size_t before = w.transport->input_bytes();
    const auto evidence = w.root / "ran";
    const std::string script = "echo ran >>" + evidence.string() + "\n#" + std::string(400, 'x');
    ASSERT_EQ(w.run(apply_task(script)).ended, Ended::finished);
    const std::size_t length = w.transport->input_bytes() - before;
    fs::remove(evidence);
    w.transport->faults.cut_input_after = w.transport->input_bytes() + length - back;
    const TaskId id = w.start(apply_task(script));
    w.wait_for<HostReconnecting>();
    w.transport->faults.cut_input_after = ~std::size_t{0};
    const TaskResult r = w.wait_task(id);
    EXPECT_EQ(r.ended, Ended::finished) << r.error << " " << back;
    EXPECT_EQ(contents(evidence), "ran\n") << back;
  }
}

TEST_P(Promise, ChecksAreSimplyDoneAgain) {
  world.up();
  const TaskId id = world.start(check_task(
      "echo look >>'" + witness().string() + "'; echo a; " + await_go() + "ok", "", Mode::check));
  world.wait_output(id, "a");
  world.transport->cut();
  world.wait_for<HostReconnected>();
  go();
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_EQ(stage(r, Stage::check)->verdict, Verdict::ok);
  EXPECT_EQ(contents(witness()), "look\nlook\n");
}

TEST_P(Promise, AShellThatIsKilledMeanwhileIsUnknown) {
  world.up();
  const std::string mark = "42." + std::to_string(getpid());
  const TaskId id = world.start(witnessed("echo $$; echo begun; sleep " + mark));
  world.wait_output(id, "begun");
  const int shell = std::stoi(world.out[id]);
  world.transport->faults.refuse_connect = true;
  world.transport->cut();
  world.wait_for<HostReconnecting>();
  ASSERT_EQ(kill(-shell, SIGKILL), 0);
  world.transport->faults.refuse_connect = false;
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_TRUE(r.apply_possible);
  EXPECT_THAT(r.error, HasSubstr("gone without a result"));
  EXPECT_EQ(contents(witness()), "ran\n");
  // What it has left is kept for who looks.
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_TRUE(fs::exists(run_directory()));
}

TEST_P(Promise, TimeoutAndCancelReachWhatIsFollowed) {
  world.up();
  const std::string mark = "43." + std::to_string(getpid());
  Task task = witnessed("echo begun; sleep " + mark);
  task.timeout = milliseconds(1500);
  const TaskId late = world.start(task);
  const TaskId cancelled = world.start(witnessed("echo begun; sleep " + mark));
  world.wait_output(late, "begun");
  world.wait_output(cancelled, "begun");
  world.transport->cut();
  world.wait_for<HostReconnected>();
  world.hosts->cancel(cancelled);
  EXPECT_EQ(world.wait_task(cancelled).ended, Ended::cancelled);
  EXPECT_EQ(world.wait_task(late).ended, Ended::timed_out);
  EXPECT_TRUE(processes_with("sleep " + mark).empty());
  EXPECT_EQ(contents(witness()), "ran\nran\n");
}

TEST_P(Promise, OutputOfSomeSizeIsWholeAfterACut) {
  world.up();
  const TaskId id = world.start(apply_task(
      "i=0; while [ $i -lt 3000 ]; do echo \"line $i of some length\"; i=$((i+1)); done; " +
      await_go() + "while [ $i -lt 6000 ]; do echo \"line $i of some length\"; i=$((i+1)); done"));
  world.wait_output(id, "line 500 ");
  world.transport->cut();
  go();
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  std::string expected;
  for (int i = 0; i < 6000; ++i) expected += "line " + std::to_string(i) + " of some length\n";
  EXPECT_TRUE(world.out[id] == expected) << world.out[id].size() << " " << expected.size();
}

TEST_P(Promise, AFullDiskIsSaidBeforeAnythingBegins) {
  const fs::path state = world.root / "state";
  fs::create_directories(state);
  if (mount("none", state.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "needs root";
  world.transport->environment["XDG_STATE_HOME"] = state.string();
  world.up();
  EXPECT_EQ(world.run(apply_task("echo on")).ended, Ended::finished);
  { std::ofstream(state / "full") << std::string(200000, 'x'); }
  const TaskResult r = world.run(witnessed(":"));
  EXPECT_EQ(r.ended, Ended::not_started);
  EXPECT_FALSE(r.apply_possible);
  EXPECT_THAT(r.error, HasSubstr("is the disk full?"));
  EXPECT_FALSE(fs::exists(witness()));
  fs::remove(state / "full");
  EXPECT_EQ(world.run(witnessed(":")).ended, Ended::finished);
  world.hosts->close(seconds(5), Traces::remove);
  umount2(state.c_str(), MNT_DETACH);
}

// However often it comes back for a moment: there is an end to it.
TEST(Keeping, AConnectionThatBreaksAgainAndAgainIsGivenUp) {
  World world;
  world.options.reconnect_within = seconds(2);
  world.up();
  const std::string sleeps = "sleep 29." + std::to_string(getpid());
  const TaskId id = world.start(apply_task(sleeps));
  ASSERT_TRUE(eventually([&] { return !processes_with(sleeps).empty(); }));
  std::atomic<bool> over{false};
  std::thread breaker([&] {
    while (!over) {
      world.transport->cut();
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  const TaskResult r = world.wait_task(id, seconds(15));
  over = true;
  breaker.join();
  EXPECT_EQ(r.ended, Ended::lost) << r.error;
  EXPECT_THAT(r.error, HasSubstr("not reached again in 2 s"));
  EXPECT_LT(world.transport->channels_opened(), 60U);
  for (const int pid : processes_with(sleeps)) kill(pid, SIGKILL);
}

TEST(Keeping, AShellThatHasPrintedMuchIsReplacedAndItsSpoolRemoved) {
  World world;
  world.up();
  const fs::path directory = world.home / ".local/state/cnplay/run-test-run";
  auto spools = [&] {
    int n = 0;
    for (const auto& entry : fs::directory_iterator(directory)) n += entry.is_directory() ? 1 : 0;
    return n;
  };
  world.run(apply_task("head -c 3000000 /dev/zero"));
  EXPECT_EQ(spools(), 1);
  world.run(
      apply_task("head -c 3000000 /dev/zero"));  // in a new shell, which removes the old one's
  world.run(apply_task(":"));
  EXPECT_LE(spools(), 2);
  world.run(apply_task(":"));
  EXPECT_EQ(spools(), 1);
}

TEST(Keeping, AShellDoesNotCopyItself) {
  World world;
  world.up();
  Task task = apply_task("echo out");
  task.id = 9;
  for (int i = 0; i < 2; ++i) {
    world.hosts->start(task);
    const TaskResult r = world.wait_task(9);
    EXPECT_EQ(r.ended, i == 0 ? Ended::finished : Ended::lost);
    EXPECT_THAT(r.error, HasSubstr(i == 0 ? "" : "once already"));
  }
  EXPECT_EQ(world.out[9], "out\n");
}

TEST(Keeping, AHostThatWasRestartedSinceIsUnknown) {
  World world;
  world.up();
  Task task = apply_task("echo never");
  task.sent_under = "another-boot";
  const TaskResult r = world.run(task);
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_TRUE(r.apply_possible);
  EXPECT_THAT(r.error, HasSubstr("web1 was rebooted"));
  EXPECT_EQ(world.transport->input().find("echo never"), std::string::npos);
}

TEST(Keeping, GivenUpAfterATime) {
  World world;
  world.options.reconnect_within = milliseconds(700);
  world.up();
  const TaskId id = world.start(apply_task("echo begun; sleep 2"));
  const TaskId second = world.start(check_task("sleep 2; ok", "", Mode::check));
  world.wait_output(id, "begun");
  world.transport->faults.refuse_connect = true;
  world.transport->cut();
  TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_TRUE(r.apply_possible);
  EXPECT_THAT(r.error, HasSubstr("not reached again in 700 ms: fake: refused"));
  r = world.wait_task(second);
  EXPECT_FALSE(r.apply_possible);
  world.wait_for<HostLost>();
}

TEST(Keeping, LocksAreTakenAgain) {
  World world;
  world.up();
  world.hosts->lock(0, "deploy", "run 1 of ana");
  EXPECT_TRUE(world.wait_for<LockEnded>().acquired);
  const fs::path file = world.home / ".local/state/cnplay/locks/deploy";
  world.transport->cut();
  world.wait_for<HostReconnected>();
  world.run(apply_task(":"));
  EXPECT_TRUE(eventually([&] {
    return contents(file).starts_with("run 1 of ana\n") &&
           std::system(("flock -n " + file.string() + " true").c_str()) != 0;
  }));
  for (const Event& event : world.seen) EXPECT_FALSE(std::holds_alternative<LockEnded>(event));
}

}  // namespace
}  // namespace cnplay::remote::testing
