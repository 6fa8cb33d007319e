// Tasks that are sent before the runner has come to them: begun by the host in their turn, held
// back after a failure, withdrawn, found again after a loss; and never begun twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

class SentAhead : public ::testing::TestWithParam<std::string> {
 protected:
  SentAhead() : world(GetParam()) {}
  fs::path witness() const { return world.root / "witness"; }
  std::string tell(const std::string& what) const {
    return "echo " + what + " >>'" + witness().string() + "'\n";
  }
  void go() { std::ofstream(world.root / "go") << "go"; }
  std::string await_go() const {
    return "while [ ! -e '" + (world.root / "go").string() + "' ]; do sleep 0.02; done\n";
  }
  TaskId ahead(Task task, TaskId after) {
    task.after = after;
    return world.start(std::move(task));
  }
  Task known(Task task, TaskId id) const {  // of an earlier controller
    task.id = task.after = id;
    task.sent_under = boot;
    return task;
  }
  void up() {
    world.make();
    world.hosts->connect(0);
    boot = world.wait_for<HostReady>().boot_id;
  }
  void another_controller() {
    world.hosts.reset();  // without close: as if it had been killed
    up();
  }
  // As the runner does when what was before has failed and is mended.
  TaskResult come_to(TaskId id) {
    world.hosts->adopt(id);
    return world.wait_task(id);
  }
  bool said(TaskId id) {
    world.pump(milliseconds(300));
    for (const Event& event : world.seen) {
      const auto* ended = std::get_if<TaskEnded>(&event);
      if (ended != nullptr && ended->task == id) return true;
    }
    return false;
  }
  std::string boot;
  World world;
};
INSTANTIATE_TEST_SUITE_P(Remote, SentAhead, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(SentAhead, TheHostGoesOnByItself) {
  up();
  const TaskId first = world.start(apply_task(await_go() + tell("0")));
  std::vector<TaskId> ids{first};
  for (int i = 1; i <= 20; ++i) {
    ids.push_back(ahead(
        apply_task("echo out" + std::to_string(i) + "; echo err >&2\n" + tell(std::to_string(i))),
        ids.back()));
  }
  EXPECT_FALSE(said(first));
  go();
  std::string all;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const TaskResult r = world.wait_task(ids[i]);
    EXPECT_EQ(r.ended, Ended::finished) << r.error;
    all += std::to_string(i) + "\n";
    if (i > 0) {
      EXPECT_EQ(world.out[ids[i]], "out" + std::to_string(i) + "\n");
      EXPECT_EQ(world.err[ids[i]], "err\n");
    }
  }
  EXPECT_EQ(contents(witness()), all);
  EXPECT_EQ(world.transport->channels_opened(), 1u);
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_FALSE(fs::exists(world.home / ".local/state/cnplay/run-test-run"));
}

TEST_P(SentAhead, OnlyAfterWhatEndedWell) {
  up();
  struct Case {
    const char* name;
    Task task;
    bool well;
  };
  Task by_script = check_task("change x", "true");
  by_script.verify = Verify::by_script;
  by_script.verify_script = "true";
  Task script_fails = by_script;
  script_fails.verify_script = "fail no | cat";
  Task unverified = check_task("change x", "true");
  unverified.verify = Verify::none;
  const std::string flag = (world.root / "flag").string();
  const Task converges =
      check_task("fact a b; if [ -e '" + flag + "' ]; then ok; fi; change x", ": >'" + flag + "'");
  const Case cases[] = {
      {"apply", apply_task("true"), true},
      {"apply exits", apply_task("exit 3"), false},
      {"apply says fail", apply_task("fail 'not so'"), false},
      {"apply says fail in a pipe", apply_task("fail 'not so' | cat"), false},
      {"ok", check_task("ok", "true"), true},
      {"skip", check_task("skip 'not here'", "true"), true},
      {"check fails", check_task("fail no", "true"), false},
      {"no verdict", check_task("true", "true"), false},
      {"check exits", check_task("change x; exit 3", "true"), false},
      {"two verdicts", check_task("(change x); ok", "true"), false},
      {"converges", converges, true},
      {"does not converge", check_task("change x", "true"), false},
      {"change, and apply exits", check_task("change x", "exit 1"), false},
      {"verified by a script", by_script, true},
      {"that says fail", script_fails, false},
      {"not verified", unverified, true},
      {"looks only: ok", check_task("ok"), true},
      {"looks only: fail", check_task("fail no"), false},
      {"looks only: nothing", check_task("true"), false},
  };
  int n = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string mark = std::to_string(++n);
    const TaskId before = world.start(c.task);
    const TaskId next = ahead(apply_task(tell(mark)), before);
    const TaskId last = ahead(check_task("ok"), next);
    EXPECT_EQ(world.wait_task(before).ended, Ended::finished);
    if (c.well) {
      EXPECT_EQ(world.wait_task(next).ended, Ended::finished);
      EXPECT_EQ(world.wait_task(last).ended, Ended::finished);
    } else {
      EXPECT_FALSE(said(next));
      EXPECT_FALSE(said(last));
      EXPECT_EQ(contents(witness()).find(mark + "\n"), std::string::npos);
      EXPECT_EQ(come_to(next).ended, Ended::finished);
      EXPECT_EQ(come_to(last).ended, Ended::finished);
    }
    EXPECT_TRUE(contents(witness()).ends_with(mark + "\n"));
  }
}

TEST_P(SentAhead, WithdrawnItIsNeverBegun) {
  up();
  const TaskId first = world.start(apply_task(await_go()));
  const TaskId second = ahead(apply_task(tell("second")), first);
  const TaskId third = ahead(apply_task(tell("third")), second);
  world.hosts->withdraw(third);
  world.hosts->withdraw(second);
  // Another shell claims them first.
  const fs::path run = world.home / ".local/state/cnplay/run-test-run";
  ASSERT_TRUE(eventually([&] {
    return contents(run / ("t-" + std::to_string(second))).starts_with("withdrawn") &&
           contents(run / ("t-" + std::to_string(third))).starts_with("withdrawn");
  }));
  go();
  EXPECT_EQ(world.wait_task(first).ended, Ended::finished);
  EXPECT_EQ(world.wait_task(second).ended, Ended::not_started);
  EXPECT_EQ(world.wait_task(third).ended, Ended::not_started);
  EXPECT_FALSE(fs::exists(witness()));
}

TEST_P(SentAhead, WithdrawnTooLateItEndsAsItEnds) {
  up();
  const TaskId first = world.start(apply_task("true"));
  const TaskId second = ahead(apply_task("echo begun\n" + await_go() + tell("second")), first);
  world.wait_output(second, "begun");
  world.hosts->withdraw(second);
  EXPECT_FALSE(said(second));
  go();
  EXPECT_EQ(world.wait_task(second).ended, Ended::finished);
  EXPECT_EQ(contents(witness()), "second\n");
}

TEST_P(SentAhead, CutMeanwhileEachIsBegunOnce) {
  up();
  const TaskId first = world.start(apply_task("echo begun\n" + await_go() + tell("1")));
  const TaskId second = ahead(apply_task(tell("2")), first);
  const TaskId third = ahead(apply_task(tell("3")), second);
  const TaskId fourth = ahead(apply_task(tell("4")), third);
  world.wait_output(first, "begun");
  world.transport->cut();
  world.wait_for<HostReconnected>();
  go();
  EXPECT_EQ(world.wait_task(first).ended, Ended::finished);
  EXPECT_EQ(come_to(second).ended, Ended::finished);
  EXPECT_EQ(come_to(third).ended, Ended::finished);
  // Whether the old shell has got so far or not: either it has ended, or it never begins.
  world.hosts->withdraw(fourth);
  const Ended last = world.wait_task(fourth).ended;
  world.pump(milliseconds(300));
  EXPECT_EQ(contents(witness()), last == Ended::finished ? "1\n2\n3\n4\n" : "1\n2\n3\n");
  EXPECT_TRUE(last == Ended::finished || last == Ended::not_started);
}

TEST_P(SentAhead, ANewControllerLearnsWhetherItHasBegun) {
  up();
  const Task begun = apply_task("echo begun\n" + await_go() + tell("begun"));
  const Task never = apply_task(tell("never"));
  const Task wanted = apply_task(tell("wanted"));
  const TaskId first = world.start(apply_task("true"));
  const TaskId second = ahead(begun, first);
  world.wait_output(second, "begun");
  // Two of which the host has not heard, as if they had been lost on the way.
  const TaskId third = second + 1;
  const TaskId fourth = second + 2;
  another_controller();
  world.hosts->start(known(begun, second));
  world.hosts->start(known(never, third));
  world.hosts->start(known(wanted, fourth));
  world.hosts->withdraw(second);
  world.hosts->withdraw(third);
  EXPECT_EQ(world.wait_task(third).ended, Ended::not_started);
  EXPECT_FALSE(said(second));
  go();
  EXPECT_EQ(world.wait_task(second).ended, Ended::finished);
  EXPECT_EQ(come_to(fourth).ended, Ended::finished);
  EXPECT_EQ(contents(witness()), "begun\nwanted\n");
}

TEST_P(SentAhead, AfterAnotherBootNobodyKnows) {
  up();
  world.hosts->start([&] {
    Task task = known(apply_task(tell("x")), 40);
    task.sent_under = "another-boot";
    return task;
  }());
  world.hosts->withdraw(40);
  const TaskResult r = world.wait_task(40);
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_TRUE(r.apply_possible);
  EXPECT_FALSE(fs::exists(witness()));
}

TEST_P(SentAhead, AfterATimeoutTheShellIsGoneAndTheNextIsSentAnew) {
  up();
  Task slow = apply_task("sleep 60");
  slow.timeout = milliseconds(300);
  const TaskId first = world.start(slow);
  const TaskId second = ahead(apply_task(tell("second")), first);
  EXPECT_EQ(world.wait_task(first).ended, Ended::timed_out);
  EXPECT_FALSE(said(second));
  EXPECT_FALSE(fs::exists(witness()));
  EXPECT_EQ(come_to(second).ended, Ended::finished);
  EXPECT_EQ(contents(witness()), "second\n");
}

// What is printed before the end of the task before has arrived would be kept here.
TEST_P(SentAhead, AfterMuchOutputTheHostHoldsItBack) {
  for (const std::string stream : {"", " >&2"}) {
    SCOPED_TRACE(stream);
    fs::remove(witness());
    fs::remove(world.root / "go");
    up();
    const std::string much = "head -c 400000 /dev/zero | tr '\\0' x" + stream + "\n";
    const TaskId first = world.start(apply_task(await_go() + much));
    const TaskId second = ahead(apply_task(tell("2")), first);
    const TaskId third = ahead(apply_task(tell("3")), second);
    const TaskId fourth = ahead(check_task("ok"), third);
    go();
    EXPECT_EQ(world.wait_task(first).ended, Ended::finished);
    EXPECT_FALSE(said(second));
    EXPECT_FALSE(said(third));
    EXPECT_FALSE(fs::exists(witness()));
    // Those behind it go along with it.
    EXPECT_EQ(come_to(second).ended, Ended::finished);
    EXPECT_EQ(world.wait_task(third).ended, Ended::finished);
    EXPECT_EQ(world.wait_task(fourth).ended, Ended::finished);
    EXPECT_EQ(contents(witness()), "2\n3\n");
    EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  }
}

TEST_P(SentAhead, HeldBackTwiceItWaitsForTheRun) {
  up();
  const std::string much = "head -c 300000 /dev/zero | tr '\\0' x\n";
  const TaskId first = world.start(apply_task(await_go() + much));
  const TaskId second = ahead(apply_task(much + tell("2")), first);
  const TaskId third = ahead(apply_task(much + tell("3")), second);
  const TaskId fourth = ahead(apply_task(tell("4")), third);
  const TaskId fifth = ahead(apply_task(tell("5")), fourth);
  go();
  EXPECT_EQ(world.wait_task(first).ended, Ended::finished);
  EXPECT_EQ(come_to(second).ended, Ended::finished);
  EXPECT_FALSE(said(third));
  EXPECT_EQ(come_to(third).ended, Ended::finished);
  world.hosts->withdraw(fifth);
  EXPECT_EQ(world.wait_task(fifth).ended, Ended::not_started);
  EXPECT_FALSE(said(fourth));
  EXPECT_EQ(come_to(fourth).ended, Ended::finished);
  EXPECT_EQ(contents(witness()), "2\n3\n4\n");
  EXPECT_EQ(world.out[second].size(), 300000u);
}

// The time of a task begins with it, not with its sending.
TEST_P(SentAhead, ItsTimeBeginsWithIt) {
  up();
  const TaskId first = world.start(apply_task("sleep 2"));
  Task next = apply_task("sleep 0.4");
  next.timeout = milliseconds(2300);
  const TaskId second = ahead(next, first);
  EXPECT_EQ(world.wait_task(first).ended, Ended::finished);
  const TaskResult r = world.wait_task(second);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_LT(r.took, next.timeout);
}

}  // namespace
}  // namespace cnplay::remote::testing
