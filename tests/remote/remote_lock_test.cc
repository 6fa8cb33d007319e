// What a lock's file says, waiting for a lock, and taking one over from a controller that is dead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "remote/around.h"

#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class LocksIn : public ::testing::TestWithParam<std::string> {
 protected:
  LocksIn() : world(GetParam()) {
    world.options.reconnect_within = seconds(0);
    world.options.lock_beat = milliseconds(50);
    world.options.lock_pause = milliseconds(50);
    file = world.home / ".local/state/cnplay/locks/x";
  }
  // Another controller on the same host.
  std::unique_ptr<Hosts> another(const Options& options) {
    auto hosts = make_hosts(*world.transport, {world.settings}, options);
    hosts->connect(0);
    EXPECT_TRUE(next<HostReady>(*hosts));
    return hosts;
  }
  template <class T>
  std::optional<T> next(Hosts& hosts) {
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    while (std::chrono::steady_clock::now() < end) {
      auto event = hosts.next(milliseconds(100));
      if (event && std::holds_alternative<T>(*event)) return std::get<T>(*event);
    }
    return std::nullopt;
  }
  LockEnded ask(Hosts& hosts, const std::string& owner) {
    hosts.lock(0, "x", owner);
    const auto ended = next<LockEnded>(hosts);
    EXPECT_TRUE(ended);
    return ended.value_or(LockEnded{});
  }
  // Holds the lock without a further sign of life.
  void hold_silently() {
    world.options.lock_beat = seconds(3600);
    world.up();
    world.hosts->lock(0, "x", "ana, run 1");
    ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  }
  // Its holder writes it again from time to time: for a moment it is empty.
  std::string text_of_the_file() const {
    std::string text;
    EXPECT_TRUE(eventually([&] {
      text = contents(file);
      return text.find("\nprocess: ") != std::string::npos && text.ends_with('\n');
    })) << text;
    return text;
  }
  // In place: the lock is on the inode.
  void change(const std::string& from, const std::string& to) {
    std::string text = text_of_the_file();
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << text;
    const auto end = text.find('\n', at);
    text.replace(at, end - at, to);
    std::ofstream(file) << text;
  }
  bool is_free() const { return std::system(("flock -n " + file.string() + " true").c_str()) == 0; }
  Options taking() const {
    Options options = world.options;
    options.run_id = "other";
    options.take_locks = true;
    return options;
  }

  World world;
  std::filesystem::path file;
};
INSTANTIATE_TEST_SUITE_P(Remote, LocksIn, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(LocksIn, TheFileSaysWhoAndWhereAndThatItsControllerLives) {
  world.up();
  world.hosts->lock(0, "x", "ana@desk, run 1");
  ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  EXPECT_THAT(text_of_the_file(), StartsWith("ana@desk, run 1\nstep: \nheld since: "));
  change("sign of life: ", "sign of life: 5");
  world.hosts->note(0, "update/code\nprocess: 1 1 on here\\n");
  EXPECT_TRUE(eventually([&] {
    const std::string text = contents(file);
    return text.find("\nstep: update/code") != std::string::npos &&
           text.find("sign of life: 5\n") == std::string::npos &&
           text.find("\nprocess: 1 1") == std::string::npos;
  })) << contents(file);

  Options options = world.options;
  options.run_id = "other";
  const auto other = another(options);
  const LockEnded held = ask(*other, "bob, run 2");
  EXPECT_FALSE(held.acquired);
  EXPECT_EQ(held.holder.raw(), "ana@desk, run 1");
  EXPECT_THAT(held.step.raw(), StartsWith("update/code"));
  EXPECT_TRUE(held.held_for && held.silent_for);
  EXPECT_EQ(held.kept, "");
}

TEST_P(LocksIn, IsWaitedForUntilItIsFree) {
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  Options options = world.options;
  options.run_id = "other";
  options.lock_wait = seconds(60);
  const auto other = another(options);
  other->lock(0, "x", "bob, run 2");
  const auto waiting = next<LockWaiting>(*other);
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->held.holder.raw(), "ana, run 1");
  world.hosts->close(seconds(3), Traces::remove);
  const auto ended = next<LockEnded>(*other);  // and LockWaiting did not come again
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->acquired) << ended->error;
  EXPECT_THAT(text_of_the_file(), StartsWith("bob, run 2\n"));
}

TEST_P(LocksIn, WaitingComesToItsEnd) {
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  Options options = world.options;
  options.run_id = "other";
  options.lock_wait = milliseconds(150);
  const auto other = another(options);
  const LockEnded ended = ask(*other, "bob, run 2");
  EXPECT_FALSE(ended.acquired);
  EXPECT_EQ(ended.error, "");
  EXPECT_EQ(ended.holder.raw(), "ana, run 1");
}

TEST_P(LocksIn, OfALiveControllerIsNotTakenOver) {
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  const auto other = another(taking());
  const LockEnded ended = ask(*other, "bob, run 2");
  EXPECT_FALSE(ended.acquired);
  EXPECT_EQ(ended.kept, "alive");
  EXPECT_FALSE(is_free());
  EXPECT_THAT(text_of_the_file(), StartsWith("ana, run 1\n"));
}

TEST_P(LocksIn, WhichIsJustBeingWrittenIsReadOnceItIsWritten) {
  hold_silently();
  const std::string whole = text_of_the_file();
  std::ofstream(file).flush();  // emptied
  const int watch = inotify_init1(IN_CLOEXEC);
  ASSERT_GE(inotify_add_watch(watch, file.c_str(), IN_CLOSE_NOWRITE), 0);
  const auto other = another(taking());
  other->lock(0, "x", "bob, run 2");
  pollfd read_once{watch, POLLIN, 0};
  ASSERT_EQ(poll(&read_once, 1, 20'000), 1) << "nobody read the file";
  close(watch);
  std::ofstream(file) << whole;
  const auto ended = next<LockEnded>(*other);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->kept, "alive");
  EXPECT_EQ(ended->holder.raw(), "ana, run 1");
}

// Half open: the controller's machine died without a word, and sshd has not noticed.
TEST_P(LocksIn, OfASilentControllerIsTakenOverAndThatOneIsTold) {
  hold_silently();
  change("sign of life: ", "sign of life: 1000000000");
  const auto other = another(taking());
  const LockEnded ended = ask(*other, "bob, run 2");
  EXPECT_TRUE(ended.acquired) << ended.kept << ended.error;
  EXPECT_EQ(ended.holder.raw(), "ana, run 1") << "whose it was";
  EXPECT_FALSE(is_free());
  EXPECT_THAT(text_of_the_file(), StartsWith("bob, run 2\n"));
  const LockEnded lost = world.wait_for<LockEnded>();
  EXPECT_FALSE(lost.acquired);
  EXPECT_THAT(lost.error, HasSubstr("the lock \"x\""));
  EXPECT_THAT(text_of_the_file(), StartsWith("bob, run 2\n")) << "the former one wrote into it";
}

TEST_P(LocksIn, WhatDoesNotSayWhichProcessHoldsItIsNotTakenOver) {
  hold_silently();
  const auto other = another(taking());
  const std::string before = text_of_the_file();
  const auto kept = [&](const std::string& from, const std::string& to) {
    std::ofstream(file) << before;
    change("sign of life: ", "sign of life: 1000000000");
    change(from, to);
    const LockEnded ended = ask(*other, "bob, run 2");
    EXPECT_FALSE(ended.acquired);
    return ended.kept;
  };
  const std::string machine = before.substr(before.rfind(" on ") + 4);
  EXPECT_EQ(kept("process: ", "process: 1 1 on another-machine"), "elsewhere");
  EXPECT_EQ(kept("process: ", "process: 1 1 on " + machine), "unreadable");
  EXPECT_EQ(kept("process: ", "process: -1 $(id) on " + machine), "unreadable");
  EXPECT_EQ(kept("process: ", ""), "unreadable");
  EXPECT_EQ(kept("sign of life: ", "sign of life: $(touch /tmp/x)"), "unreadable");
  EXPECT_EQ(kept("sign of life: ", "sign of life: 99999999999999999999"), "unreadable");
  std::ofstream(file) << std::string("\0\xff nonsense", 11);
  EXPECT_EQ(ask(*other, "bob, run 2").kept, "unreadable");
  EXPECT_FALSE(is_free()) << "its holder was ended";
}

TEST_P(LocksIn, OfAControllerWhoseConnectionIsGoneIsFreeByItself) {
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  world.transport->cut();
  EXPECT_TRUE(eventually([&] { return is_free(); }));
  Options options = world.options;
  options.run_id = "other";
  const auto other = another(options);
  EXPECT_TRUE(ask(*other, "bob, run 2").acquired) << "what the dead one left in the file";
}

// ---- a run inside of another one

class SharedLocksIn : public LocksIn {
 protected:
  // A run that a task of run 1 has started; ana's, who holds the lock.
  std::unique_ptr<Hosts> inner() {
    hold_silently();
    options = world.options;
    options.lock_beat = milliseconds(50);
    options.run_id = "inner";
    options.around = {"7", "1"};
    options.lock_absence = milliseconds(150);
    return another(options);
  }
  Options options;
};
INSTANTIATE_TEST_SUITE_P(Remote, SharedLocksIn, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(SharedLocksIn, NothingIsTakenWrittenOrReleased) {
  const auto in = inner();
  const LockEnded shared = ask(*in, "bob, run inner");
  EXPECT_TRUE(shared.acquired) << shared.error;
  EXPECT_TRUE(shared.shared);
  EXPECT_EQ(shared.holder.raw(), "ana, run 1");
  in->note(0, "inner/step");
  EXPECT_TRUE(in->close(seconds(5), Traces::remove));
  EXPECT_FALSE(is_free());
  EXPECT_THAT(text_of_the_file(), StartsWith("ana, run 1\nstep: \n"));
}

TEST_P(SharedLocksIn, OneOfAnotherRunIsRefused) {
  (void)inner();
  options.around = {"2", "11"};
  const LockEnded refused = ask(*another(options), "bob, run inner");
  EXPECT_FALSE(refused.acquired);
  EXPECT_FALSE(refused.shared);
}

TEST_P(SharedLocksIn, WhatNobodyHoldsIsTaken) {
  world.up();
  options = world.options;
  options.run_id = "inner";
  options.around = {"1"};
  const auto in = another(options);
  const LockEnded held = ask(*in, "bob, run inner");
  EXPECT_TRUE(held.acquired && !held.shared);
  EXPECT_FALSE(is_free());
  EXPECT_THAT(text_of_the_file(), StartsWith("bob, run inner\n"));
}

TEST_P(SharedLocksIn, ItIsLostOnceTheRunAroundIsGoneForLong) {
  const auto in = inner();
  ASSERT_TRUE(ask(*in, "bob, run inner").shared);
  world.hosts->close(seconds(3), Traces::remove);
  const auto lost = next<LockEnded>(*in);
  ASSERT_TRUE(lost);
  EXPECT_FALSE(lost->acquired);
  EXPECT_THAT(lost->error, HasSubstr("the run around this one holds it no more"));
}

TEST_P(SharedLocksIn, ItIsLostAtOnceToSomebodyElse) {
  const auto in = inner();
  ASSERT_TRUE(ask(*in, "bob, run inner").shared);
  change("ana, run 1", "eve, run 3");
  const auto lost = next<LockEnded>(*in);
  ASSERT_TRUE(lost);
  EXPECT_FALSE(lost->acquired);
  EXPECT_THAT(lost->error, HasSubstr("it is not held by the run around this one any more"));
}

TEST_P(SharedLocksIn, TheRunAroundThatComesBackInTimeIsFound) {
  const auto in = inner();
  options.lock_absence = seconds(60);
  const auto patient = another(options);
  ASSERT_TRUE(ask(*patient, "bob, run inner").shared);
  world.hosts->close(seconds(3), Traces::remove);
  ASSERT_TRUE(eventually([&] { return is_free(); }));
  const auto back = another([&] {
    Options same = world.options;
    same.run_id = "1";
    return same;
  }());
  EXPECT_TRUE(eventually([&] { return ask(*back, "ana, run 1").acquired; }));
  for (int i = 0; i < 10; ++i) {
    const auto event = patient->next(milliseconds(50));
    ASSERT_FALSE(event && std::holds_alternative<LockEnded>(*event));
  }
}

// What a cnplay finds that a task has started: through its environment, and the claim.
TEST_P(LocksIn, WhoATaskHasStartedIsInsideOfItsRun) {
  world.options.around = {"outer-1", "outermost-2"};
  world.up();
  const auto go = world.root / "go";
  const TaskId task = world.start(apply_task("sh -c 'echo \"$CNPLAY_INSIDE $$ \"; while [ ! -e " +
                                             go.string() + " ]; do sleep 0.05; done; :'"));
  world.wait_output(task, " \n");
  std::istringstream said(world.out[task]);
  std::string inside;
  pid_t pid = 0;
  ASSERT_TRUE(said >> inside >> pid) << world.out[task];
  const Around around = runs_around(inside, pid);
  EXPECT_EQ(around.problem, "");
  EXPECT_EQ(around.runs, (std::vector<std::string>{"test-run", "outer-1", "outermost-2"}));
  // A stranger with the same variable.
  const Around stranger = runs_around(inside, ::getpid());
  EXPECT_TRUE(stranger.runs.empty());
  EXPECT_EQ(stranger.problem,
            "CNPLAY_INSIDE names the run test-run, but none of its running tasks has started "
            "this process");
  std::ofstream(go) << "";
  EXPECT_EQ(world.wait_task(task).ended, Ended::finished);
  EXPECT_TRUE(eventually([&] { return runs_around(inside, pid).runs.empty(); }));
}

// ---- one run, two names of one machine or two hosts with one home directory

// The run as it comes to the machine by another name.
class JoinedLocksIn : public LocksIn {
 protected:
  JoinedLocksIn() { world.options.lock_beat = milliseconds(300); }  // costs the host some processes
  std::unique_ptr<Hosts> twin() {
    Options options = world.options;
    return another(options);
  }
};
INSTANTIATE_TEST_SUITE_P(Remote, JoinedLocksIn, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(JoinedLocksIn, ALockOfTheSameRunIsHeld) {
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  const auto other = twin();
  const LockEnded joined = ask(*other, "ana, run 1");
  EXPECT_TRUE(joined.acquired) << joined.error;
  EXPECT_TRUE(joined.joined);
  EXPECT_FALSE(joined.shared);
  // It goes without a trace on the lock of the other.
  EXPECT_TRUE(other->close(seconds(30), Traces::keep));
  EXPECT_FALSE(is_free());
  EXPECT_TRUE(eventually([&] { return contents(file).starts_with("ana, run 1\n"); }));
}

TEST_P(JoinedLocksIn, AnotherRunOfTheSamePersonIsRefused) {
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  const LockEnded refused = ask(*twin(), "ana, run 11");
  EXPECT_FALSE(refused.acquired || refused.joined);
  EXPECT_EQ(refused.holder.raw(), "ana, run 1");
}

// The connection by the first name may be lost, and the run goes on by the second one.
TEST_P(JoinedLocksIn, ItOutlivesTheShellThatTookIt) {
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  const auto other = twin();
  ASSERT_TRUE(ask(*other, "ana, run 1").joined);
  const std::string before = contents(file);
  world.hosts->close(seconds(30), Traces::keep);
  other->note(0, "p/second");
  EXPECT_TRUE(eventually([&] {
    return contents(file).find("step: p/second") != std::string::npos;
  })) << contents(file);
  EXPECT_FALSE(is_free());
  Options options = world.options;
  options.run_id = "other";
  EXPECT_FALSE(ask(*another(options), "bob, run 2").acquired);
  EXPECT_TRUE(other->close(seconds(30), Traces::keep));
  EXPECT_TRUE(eventually([&] { return is_free(); }));
}

TEST_P(JoinedLocksIn, BothGoAndNothingIsLeft) {
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  auto other = twin();
  ASSERT_TRUE(ask(*other, "ana, run 1").joined);
  EXPECT_TRUE(other->close(seconds(30), Traces::keep));
  EXPECT_TRUE(world.hosts->close(seconds(30), Traces::keep));
  EXPECT_TRUE(eventually([&] { return is_free(); }));
  EXPECT_TRUE(processes_with("flock 9").empty());
}

// ---- servers that give few channels

TEST(LocksOfAServerWithFewChannels, OneAloneIsTooFewAndSaid) {
  World world;
  world.transport->faults.max_channels = 1;
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  const LockEnded refused = world.wait_for<LockEnded>();
  EXPECT_FALSE(refused.acquired);
  EXPECT_THAT(refused.error, HasSubstr("the lock \"x\": fake: no channel"));
  EXPECT_THAT(refused.help, HasSubstr("MaxSessions"));
}

TEST(LocksOfAServerWithFewChannels, TasksTakeTurnsInTheOneThatIsLeft) {
  World world;
  world.transport->faults.max_channels = 2;
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  ASSERT_TRUE(world.wait_for<LockEnded>().acquired);
  std::vector<TaskId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(world.start(apply_task("sleep 0.05")));
  for (const TaskId id : ids) EXPECT_EQ(world.wait_task(id).ended, Ended::finished);
}

TEST(LocksOfAServerWithFewChannels, AnIdleShellEndsForALock) {
  World world;
  world.transport->faults.max_channels = 2;
  world.up();
  std::vector<TaskId> ids;
  for (int i = 0; i < 2; ++i) ids.push_back(world.start(apply_task("sleep 0.2")));
  for (const TaskId id : ids) EXPECT_EQ(world.wait_task(id).ended, Ended::finished);
  world.hosts->lock(0, "x", "ana, run 1");
  const LockEnded held = world.wait_for<LockEnded>();
  EXPECT_TRUE(held.acquired) << held.error;
  EXPECT_EQ(world.run(apply_task("true")).ended, Ended::finished);
}

// More than the shells that one host is given.
TEST(LocksOfAServerWithFewChannels, TenLocksAreTakenIfTheServerAllowsThem) {
  World world;
  world.transport->faults.max_channels = 12;
  world.up();
  for (int i = 0; i < 10; ++i) world.hosts->lock(0, "x" + std::to_string(i), "ana, run 1");
  for (int i = 0; i < 10; ++i) {
    const LockEnded held = world.wait_for<LockEnded>();
    EXPECT_TRUE(held.acquired) << held.error;
  }
  std::vector<TaskId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(world.start(apply_task("sleep 0.05")));
  for (const TaskId id : ids) EXPECT_EQ(world.wait_task(id).ended, Ended::finished);
}

TEST_P(LocksIn, ADirectoryInItsPlaceIsSaid) {
  std::filesystem::create_directories(file);
  world.up();
  world.hosts->lock(0, "x", "ana, run 1");
  const LockEnded ended = world.wait_for<LockEnded>();
  EXPECT_FALSE(ended.acquired);
  EXPECT_THAT(ended.error, HasSubstr("cannot be made"));
}

}  // namespace
}  // namespace cnplay::remote::testing
