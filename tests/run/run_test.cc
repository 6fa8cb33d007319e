// Going forward: order, barriers, once, when, facts, retry, timeout, resources, handlers, waits.
#include <map>

#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Outcome;
using events::Verdict;
using ::testing::Test;
using Lines = std::vector<std::string>;

TEST(Run, StepsRunInOrderOnEachHost) {
  Fixture f(3);
  f.b.step("code");
  f.b.step("packages");
  f.hosts.on("packages#0", 1, {{Will::ok}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("code"), (Lines{"h0 changed", "h1 changed", "h2 changed"}));
  EXPECT_EQ(f.outcomes("packages"), (Lines{"h0 changed", "h1 ok", "h2 changed"}));
  const auto ended = f.ended();
  EXPECT_EQ(ended.hosts[1].ok, 1u);
  EXPECT_EQ(ended.hosts[1].changed, 1u);
  EXPECT_EQ(ended.steps.size(), 2u);
}

TEST(Run, WhatStepsCameToIsSummedUpForLaterPredictions) {
  Fixture f(2);
  f.b.step("a");
  f.b.step("b");
  f.hosts.on("b#0", 1, {{Will::fail}});
  f.options.past = plan::Past{"prod", 3, {{0, 3, Duration{7000}, Duration{9000}}}};
  f.run();
  const events::RunStarted started = f.recorder.all<events::RunStarted>().at(0);
  ASSERT_TRUE(started.past);
  EXPECT_EQ(started.past->steps.at(0).worst, Duration{9000});
  const auto& steps = f.ended().steps;
  ASSERT_GE(steps.size(), 2u);
  EXPECT_EQ(steps[0].outcome, events::Outcome::changed);
  EXPECT_EQ(steps[0].usual, Duration{7000});
  EXPECT_EQ(steps[1].outcome, events::Outcome::failed);
  EXPECT_EQ(steps[1].usual, std::nullopt);
}

TEST(Run, HostsRunFreeOfEachOtherBetweenBarriers) {
  Fixture f(2);
  f.b.step("a");
  f.b.step("b");
  f.hosts.on("a#0", 0, {{Will::change, {}, Duration(5000)}});
  f.hosts.on("a#0", 1, {{Will::change, {}, Duration(10)}});
  f.hosts.on("b#0", 1, {{Will::change, {}, Duration(10)}});
  f.run();
  EXPECT_EQ(f.steps()[1], "b h1 changed");
}

// Each task has room of its own, and it is said where there was more.
TEST(Run, OutputBeyondTheCapIsLeftOutAndSaid) {
  Fixture f(2);
  f.b.step("a");
  f.b.step("b");
  f.options.output_cap = 100;
  f.hosts.on_start = [&](const remote::Task& task) {
    const std::size_t piece = task.host == 0 ? 30 : 25;
    for (int i = 0; i < (task.host == 0 ? 6 : 4); ++i) {
      f.hosts.tell(Duration(i),
                   remote::TaskOutput{task.id, task.host, remote::Stage::apply, remote::Stream::out,
                                      Untrusted(std::string(piece, 'x'))});
    }
  };
  f.hosts.on("a#0", {{Will::change, {}, Duration(50)}});
  f.hosts.on("b#0", {{Will::change, {}, Duration(50)}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  std::map<std::uint64_t, std::size_t> said;
  for (const auto& e : f.recorder.all<events::Output>()) said[e.task] += e.bytes.size();
  EXPECT_EQ(said.size(), 4U);
  for (const auto& [task, bytes] : said) EXPECT_EQ(bytes, 100U) << task;
  Lines notices;
  for (const auto& e : f.recorder.all<events::Notice>()) notices.push_back(e.text);
  const std::string rest = "printed more than 100B: the rest is left out, here and in the record";
  EXPECT_EQ(notices, (Lines{"h0: `a` " + rest, "h0: `b` " + rest}));
}

// How far a file is, is for who looks on: the record has no word of it, and so no resumed run asks.
TEST(Run, ProgressIsShownAndNotRecorded) {
  Fixture f(2);
  f.b.step("copy");
  f.hosts.on("copy#0", {{Will::change, {}, Duration(1000)}});
  f.hosts.on_start = [&](const remote::Task& task) {
    f.hosts.tell(Duration(100), remote::TaskProgress{task.id, task.host, 5, 10});
    f.hosts.tell(Duration(200), remote::TaskProgress{task.id + 1000, task.host, 5, 10});
    f.hosts.tell(Duration(2000), remote::TaskProgress{task.id, task.host, 10, 10});
  };
  EXPECT_EQ(f.run().verdict, Verdict::success);
  ASSERT_EQ(f.recorder.shown.size(), 2U) << "of tasks in flight alone";
  EXPECT_EQ(f.recorder.shown[0].done, 5U);
  EXPECT_EQ(f.recorder.shown[0].size, 10U);
  for (std::size_t i = 0; i < f.recorder.events.size(); ++i) {
    EXPECT_EQ(f.recorder.events[i].seq, i + 1) << "a number was used up";
  }
}

TEST(Run, ABarrierWaitsForAll) {
  Fixture f(2);
  f.b.step("a");
  f.b.barrier();
  f.b.step("b");
  f.hosts.on("a#0", 0, {{Will::change, {}, Duration(5000)}});
  f.run();
  EXPECT_EQ(f.steps()[1], "a h0 changed");
  EXPECT_EQ(f.recorder.all<events::BarrierPassed>().size(), 1u);
}

TEST(Run, OnceRunsOnOneHostAndItsFactsAreSeenByAll) {
  Fixture f(3);
  plan::Node& once = f.b.once("migrate", 1);
  once.actions[0].returns = {{"schema", plan::FactType::int_}};
  plan::Node& use = f.b.step("use");
  use.actions[0].params = {Builder::param("schema", Builder::fact(once.id, "schema"))};
  f.hosts.on("migrate#0", 1, {{Will::change, {{"schema", "42"}}}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.hosts.count("migrate#0"), 1u);
  ASSERT_EQ(f.hosts.count("use#0"), 3u);
  for (const Started* s : f.hosts.started("use#0")) EXPECT_EQ(s->task.variables[0].value, "42");
}

TEST(Run, WhenOfAStepAndOfAnAction) {
  Fixture f(2);
  plan::Node& a = f.b.step("a");
  a.when = plan::Column({plan::Value(true), plan::Value(false)}, {0, 1});
  plan::Node& b = f.b.step("b");
  b.actions[0].when = plan::Column(plan::Value(false));
  f.b.action(b);
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 changed", "h1 skipped"}));
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
  EXPECT_EQ(f.hosts.count("b#1"), 2u);
}

TEST(Run, AFactSteersWhen) {
  Fixture f(2);
  plan::Node& look = f.b.step("look");
  look.actions[0].returns = {{"old", plan::FactType::bool_}};
  plan::Node& act = f.b.step("act");
  act.when = plan::Column(Builder::fact(look.id, "old"));
  f.hosts.on("look#0", 0, {{Will::ok, {{"old", "true"}}}});
  f.hosts.on("look#0", 1, {{Will::ok, {{"old", "false"}}}});
  f.run();
  EXPECT_EQ(f.outcomes("act"), (Lines{"h0 changed", "h1 skipped"}));
}

TEST(Run, FactsThatBreakTheDeclarationFailTheModule) {
  struct Case {
    std::vector<std::pair<std::string, std::string>> facts;
    const char* says;
  };
  const Case cases[] = {
      {{}, "module test.look did not report its fact `n`"},
      {{{"n", "12x"}}, "module test.look: the fact `n` should be an int; it is `12x`"},
      {{{"n", "1"}, {"m", "2"}}, "reported the fact `m`, which it does not declare"},
      {{{"n", std::string("1\0", 2)}}, "holds a NUL byte"},
  };
  for (const Case& c : cases) {
    Fixture f(1);
    f.b.step("look").actions[0].returns = {{"n", plan::FactType::int_}};
    f.hosts.on("look#0", {{Will::ok, c.facts}});
    EXPECT_EQ(f.run().verdict, Verdict::failed);
    EXPECT_NE(f.recorder.all<events::StepEnded>()[0].reason.find(c.says), std::string::npos)
        << f.recorder.all<events::StepEnded>()[0].reason;
  }
}

TEST(Run, RetryGoesOnAtTheActionThatFailed) {
  Fixture f(1);
  plan::Node& n = f.b.step("smoke");
  f.b.action(n);
  n.retry = {3, Duration(10'000)};
  f.hosts.on("smoke#1", {{Will::apply_fail}, {Will::fail}, {Will::change}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.hosts.count("smoke#0"), 1u);
  EXPECT_EQ(f.hosts.count("smoke#1"), 3u);
  const auto retries = f.recorder.all<events::RetryScheduled>();
  ASSERT_EQ(retries.size(), 2u);
  EXPECT_EQ(retries[1].attempt, 3u);
  EXPECT_EQ(retries[1].of, 4u);
  const auto tries = f.hosts.started("smoke#1");
  EXPECT_GE(tries[1]->at - *tries[0]->ended, Duration(10'000));
}

TEST(Run, RetryEndsAsFailed) {
  Fixture f(1);
  f.b.step("smoke").retry = {2, Duration(100)};
  f.hosts.on("smoke#0", {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.hosts.count("smoke#0"), 3u);
}

// A check cannot tell whether it was done: not even the look that every check has is taken.
TEST(Run, AHostIsNeverRestartedTwice) {
  Fixture f(1);
  plan::Node& node = f.b.step("boot");
  node.retry.times = 2;
  node.actions[0].params = {Builder::param("within", plan::Value(Duration(90'000)))};
  node.actions[0].reboots = "within";
  f.hosts.on("boot#0", 0, {{Will::lose_shell}});
  EXPECT_EQ(f.run().verdict, Verdict::unknown);
  ASSERT_EQ(f.hosts.count("boot#0"), 1u);
  EXPECT_EQ(f.hosts.started("boot#0")[0]->task.reboots, Duration(90'000));
}

TEST(Run, UnknownIsTriedAgainOnlyWithACheck) {
  for (const bool check : {true, false}) {
    Fixture f(1);
    plan::Node& n = f.b.step("a");
    n.retry = {1, Duration(100)};
    if (!check) Builder::no_check(n.actions[0]);
    f.hosts.on("a#0", {{Will::lose_shell}, {Will::ok}});
    EXPECT_EQ(f.run().verdict, check ? Verdict::success : Verdict::unknown);
    EXPECT_EQ(f.hosts.count("a#0"), check ? 2u : 1u);
  }
}

TEST(Run, TimeoutBoundsTheAttempt) {
  Fixture f(1);
  plan::Node& n = f.b.step("a");
  f.b.action(n);
  n.timeout = Duration(10'000);
  f.hosts.on("a#0", {{Will::change, {}, Duration(4000)}});
  f.hosts.on("a#1", {{Will::hang}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(*f.hosts.started("a#0")[0]->task.timeout, Duration(10'000));
  EXPECT_EQ(*f.hosts.started("a#1")[0]->task.timeout, Duration(6000));
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 failed"}));
}

TEST(Run, ARemoteThatForgetsATimeoutIsNotWaitedForForEver) {
  Fixture f(1);
  f.b.step("a").timeout = Duration(10'000);
  f.hosts.on("a#0", {{Will::deaf}});
  EXPECT_EQ(f.run().verdict, Verdict::unknown);
  EXPECT_EQ(f.hosts.cancels(), 2u);  // it is looked once what has become of it
  EXPECT_LT(f.clock.steady(), Duration(100'000));
}

TEST(Run, ResourcesOfAHostAreNotShared) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    Fixture f(2, seed);
    f.b.parallel({[&] { f.b.step("a").actions[0].uses = {"dpkg"}; },
                  [&] {
                    f.b.step("b").actions[0].uses = {"db", "dpkg"};
                  },
                  [&] { f.b.step("c").actions[0].uses = {"db"}; }, [&] { f.b.step("d"); }});
    EXPECT_EQ(f.run().verdict, Verdict::success);
    const auto overlap = [&](const char* x, const char* y) {
      for (const Started* s : f.hosts.started(x)) {
        for (const Started* t : f.hosts.started(y)) {
          if (s->task.host == t->task.host && s->at < *t->ended && t->at < *s->ended) return true;
        }
      }
      return false;
    };
    EXPECT_FALSE(overlap("a#0", "b#0"));
    EXPECT_FALSE(overlap("b#0", "c#0"));
    EXPECT_TRUE(overlap("a#0", "d#0"));
    EXPECT_TRUE(overlap("a#0", "c#0"));
  }
}

TEST(Run, ForksBoundsTheHostsAtWork) {
  Fixture f(10);
  f.b.step("a");
  f.b.step("b");
  f.options.forks = 3;
  EXPECT_EQ(f.run().verdict, Verdict::success);
  std::vector<const Started*> tasks = f.hosts.started("a#0");
  for (const Started* s : f.hosts.started("b#0")) tasks.push_back(s);
  EXPECT_EQ(tasks.size(), 20u);
  for (const Started* s : tasks) {
    int at_once = 0;
    for (const Started* t : tasks) at_once += t->at <= s->at && s->at < *t->ended;
    EXPECT_LE(at_once, 3);
  }
}

TEST(Run, HandlersRunOncePerHostAtPhaseEndAndOnlyWhereSomethingChanged) {
  Fixture f(2);
  const plan::NodeId reload = f.b.handler("reload").id;
  f.b.phase("setup", [&] {
    f.b.step("a").actions[0].notify = {reload};
    f.b.step("b").actions[0].notify = {reload};
  });
  f.b.step("after");
  f.hosts.on("a#0", 1, {{Will::ok}});
  f.hosts.on("b#0", 1, {{Will::ok}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("(reload)"), (Lines{"h0 changed"}));
  const auto steps = f.steps();
  EXPECT_EQ(steps[4], "(reload) h0 changed");
}

TEST(Run, HandlersRunAtFlushAndAtTheEndOfThePlay) {
  Fixture f(1);
  const plan::NodeId reload = f.b.handler("reload").id;
  f.b.step("a").actions[0].notify = {reload};
  f.b.flush();
  f.b.step("b").actions[0].notify = {reload};
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.steps(),
            (Lines{"a h0 changed", "(reload) h0 changed", "b h0 changed", "(reload) h0 changed"}));
}

TEST(Run, WaitsUntilItsTime) {
  Fixture f(1);
  f.b.step("a");
  Time at;
  at.at = FakeClock::start + Duration(600'000);
  f.b.wait("start", plan::Value(at)).late_by = Duration(60'000);
  f.b.step("b");
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_GE(f.hosts.started("b#0")[0]->at, Duration(600'000));
  EXPECT_LT(f.hosts.started("b#0")[0]->at, Duration(601'000));
  ASSERT_EQ(f.recorder.all<events::WaitEnded>().size(), 1u);
  EXPECT_FALSE(f.recorder.all<events::WaitEnded>()[0].late);
}

TEST(Run, PastLateByItStopsUnlessAPersonSaysGo) {
  for (const int answer : {-1, 0, 1}) {
    Fixture f(1);
    plan::Node& a = f.b.step("a");
    f.b.undo(a);
    Time at;
    at.at = FakeClock::start;
    f.b.wait("start", plan::Value(at)).late_by = Duration(1000);
    f.b.step("b");
    f.hosts.on("a#0", {{Will::change, {}, Duration(120'000)}});
    std::string asked;
    if (answer >= 0) {
      f.options.ask = [&](const std::string& question) {
        asked = question;
        return answer == 1;
      };
    }
    EXPECT_EQ(f.run().verdict, answer == 1 ? Verdict::success : Verdict::failed);
    EXPECT_EQ(f.hosts.count("b#0"), answer == 1 ? 1u : 0u);
    EXPECT_EQ(f.hosts.count("a!0"), answer == 1 ? 0u : 1u);
    if (answer >= 0) {
      EXPECT_NE(asked.find("late"), std::string::npos);
    }
    if (answer < 1) {
      EXPECT_NE(f.notices().find("the run stops here"), std::string::npos);
    }
  }
}

TEST(Run, ParametersReachTheScripts) {
  Fixture f(2);
  plan::Node& n = f.b.step("a");
  f.b.plan.secrets.push_back({"key", plan::SecretSource::Kind::env, {"KEY"}, "p.play:1"});
  plan::Param secret = Builder::param("key", plan::Value(plan::SecretRef{0}));
  secret.secret = true;
  plan::Param name = Builder::param("name", plan::Value(std::string("x")));
  name.value = plan::Column({plan::Value(std::string("x")), plan::Value(std::string("y"))}, {0, 1});
  n.actions[0].params = {secret, name};
  n.actions[0].become = "root";
  int asked = 0;
  f.options.secret = [&](std::uint32_t) {
    ++asked;
    return Result<Secret>(Secret("hunter2"));
  };
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(asked, 1);
  for (const Started* s : f.hosts.started("a#0")) {
    EXPECT_EQ(s->task.become, "root");
    EXPECT_EQ(s->task.variables[0].value, "hunter2");
    EXPECT_TRUE(s->task.variables[0].secret);
    EXPECT_EQ(s->task.variables[1].value, s->task.host == 0 ? "x" : "y");
  }
}

TEST(Run, PhasesAndTheOutageAreMeasured) {
  Fixture f(1);
  f.b.step("before");
  const auto p = f.b.phase("cutover", [&] { f.b.step("code"); });
  f.b.plan.phases[p].outage = true;
  f.b.plan.phases[p].expect = Duration(60'000);
  f.b.step("after");
  f.hosts.on("code#0", {{Will::change, {}, Duration(30'000)}});
  f.run();
  EXPECT_EQ(f.ended().outage, Duration(30'000));
  EXPECT_EQ(f.ended().outage_expect, Duration(60'000));
  EXPECT_FALSE(f.ended().outage_open);
  ASSERT_EQ(f.recorder.all<events::PhaseEnded>().size(), 1u);
  EXPECT_TRUE(f.recorder.all<events::PhaseEnded>()[0].complete);
}

TEST(Run, OneCommitServesAllHostsAndChecksNeedNone) {
  Fixture f(50);
  Builder::no_apply(f.b.step("look").actions[0]);
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.recorder.commits, 0u);

  Fixture g(50);
  g.b.step("change");
  g.hosts.on("change#0", {{Will::change, {}, Duration(10)}});
  EXPECT_EQ(g.run().verdict, Verdict::success);
  EXPECT_EQ(g.recorder.commits, 1u);
}

TEST(Run, WhatCannotBeRecordedIsNotSent) {
  for (std::size_t n = 1; n < 60; ++n) {
    Fixture f(3);
    f.b.step("a");
    f.b.step("b");
    f.recorder.sick_after = n;
    f.run();  // on_start looks at each task that is sent
  }
}

}  // namespace
}  // namespace cnplay::run::test
