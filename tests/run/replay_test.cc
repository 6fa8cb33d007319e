// Taking up a run that was cut off: what is started again, what is not, and what is refused. That
// every cut of every run fits is in interleave_test.cc.
#include <algorithm>
#include <functional>

#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Verdict;
using Lines = std::vector<std::string>;

// Two steps on two hosts; what a first controller recorded, up to and with the first event for
// which `last` holds.
class Cut {
 public:
  Cut() : first(2) {
    first.b.step("a");
    first.b.step("b");
  }
  template <class Last>
  void run(Last last) {
    first.run();
    const auto& all = first.recorder.events;
    const auto end = std::find_if(all.begin(), all.end(), last);
    ASSERT_NE(end, all.end());
    record.assign(all.begin(), end + 1);
  }
  RunResult resume(Fixture& second) {
    second.take_over(first, record);
    second.options.without = without;
    second.clock.advance(record.back().at - FakeClock::start + Duration(60'000));
    return second.go_on();
  }
  Fixture first;
  std::vector<events::Event> record;
  std::vector<plan::HostIndex> without;
};

bool ended(const events::Event& event, plan::HostIndex host) {
  const auto* e = std::get_if<events::ActionEnded>(&event.what);
  return e != nullptr && e->host == host;
}

TEST(Resuming, WhatIsDoneIsNotDoneAgain) {
  Cut cut;
  cut.run([](const events::Event& e) { return ended(e, 1); });
  Fixture second(2);
  const RunResult result = cut.resume(second);
  EXPECT_EQ(result.verdict, Verdict::success);
  EXPECT_EQ(second.outcomes("a"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_EQ(second.outcomes("b"), (Lines{"h0 changed", "h1 changed"}));
  for (const Started* s : second.hosts.started("a#0")) EXPECT_NE(s->task.host, 1u);
  EXPECT_EQ(second.recorder.all<events::RunResumed>().size(), 1u);
  EXPECT_EQ(second.recorder.all<events::RunStarted>().size(), 1u);
  // The time in between is part of the run's, and no measure of the steps that it fell into.
  EXPECT_GT(second.ended().took, Duration(60'000));
  ASSERT_EQ(second.ended().steps.size(), 2u);
  EXPECT_EQ(second.ended().steps[0].interrupted, true);
  for (const auto& step : second.ended().steps) {
    EXPECT_EQ(step.interrupted.value_or(false), *step.took >= Duration(60'000));
    EXPECT_EQ(step.outcome, events::Outcome::changed);
  }
}

TEST(Resuming, WhatWasInFlightIsSentUnderItsIdAndItsBoot) {
  Cut cut;
  std::uint64_t task = 0;
  cut.run([&](const events::Event& e) {
    if (const auto* a = std::get_if<events::ActionStarted>(&e.what)) task = a->task;
    return task != 0;
  });
  Fixture second(2);
  EXPECT_EQ(cut.resume(second).verdict, Verdict::success);
  int again = 0;
  for (const Started* s : second.hosts.started("a#0")) {
    again += s->task.id == task ? 1 : 0;
    EXPECT_EQ(s->task.sent_under, s->task.id == task ? "boot-1" : "");
  }
  EXPECT_EQ(again, 1);
}

// A controller that dies while a host restarts is not the reason for which the run ends: the host
// has the time that it would have had.
TEST(Resuming, AHostThatItsTaskRestartsIsWaitedFor) {
  for (const int minutes : {4, 6}) {
    Cut cut;
    plan::Node& restart = cut.first.b.step("restart", {0});
    restart.actions[0].params = {Builder::param("within", plan::Value(Duration(300'000)))};
    restart.actions[0].reboots = "within";
    cut.run([&](const events::Event& e) {
      const auto* began = std::get_if<events::ActionStarted>(&e.what);
      return began != nullptr && began->node == restart.id;
    });
    Fixture second(2);  // a minute later
    second.hosts.away(0, std::chrono::minutes(minutes) - std::chrono::seconds(1));
    const RunResult result = cut.resume(second);
    if (minutes > 5) {
      ASSERT_TRUE(result.not_resumed);
      continue;
    }
    EXPECT_EQ(result.verdict, Verdict::success);
    ASSERT_EQ(second.hosts.count("restart#0"), 1u);
    EXPECT_EQ(second.hosts.started("restart#0")[0]->task.sent_under, "boot-1");
    // Whoever else is away is not waited for.
    Fixture third(2);
    third.hosts.away(1, std::chrono::seconds(10));
    EXPECT_TRUE(cut.resume(third).not_resumed);
  }
}

TEST(Resuming, CutOffBeforeTheFirstStepItBeginsAnew) {
  Cut cut;
  cut.run(
      [](const events::Event& e) { return std::holds_alternative<events::HostConnected>(e.what); });
  Fixture second(2);
  EXPECT_EQ(cut.resume(second).verdict, Verdict::success);
  EXPECT_EQ(second.hosts.count("a#0"), 2u);
}

TEST(Resuming, AHostThatIsNotThereIsAReasonToWait) {
  Cut cut;
  cut.run([](const events::Event& e) { return ended(e, 1); });
  Fixture second(2);
  second.hosts.refuse(1);
  const RunResult result = cut.resume(second);
  ASSERT_TRUE(result.not_resumed);
  EXPECT_NE(result.not_resumed->help.find("--without"), std::string::npos);
  EXPECT_TRUE(second.recorder.all<events::RunEnded>().empty());
  EXPECT_EQ(second.hosts.count("b#0"), 0u);
  // Its record can be taken up once more.
  cut.record = second.recorder.events;
  Fixture third(2);
  EXPECT_EQ(cut.resume(third).verdict, Verdict::success);
  EXPECT_EQ(third.recorder.all<events::RunResumed>().size(), 2u);
}

TEST(Resuming, WithoutAHostItIsAsIfItWereLost) {
  Cut cut;
  cut.run([](const events::Event& e) { return ended(e, 1); });
  cut.without = {1};
  Fixture second(2);
  EXPECT_EQ(cut.resume(second).verdict, Verdict::unreachable);
  EXPECT_EQ(second.recorder.all<events::HostLost>().size(), 1u);
  EXPECT_EQ(second.hosts.connects(), 1u);
}

TEST(Resuming, ALockThatIsHeldIsAReasonToWait) {
  Cut cut;
  cut.first.b.plan.locks = {"deploy"};
  cut.run([](const events::Event& e) { return ended(e, 1); });
  Fixture second(2);
  second.hosts.hold_lock(0, "run 7 of bob");
  const RunResult result = cut.resume(second);
  EXPECT_TRUE(result.not_resumed);
  EXPECT_TRUE(second.recorder.all<events::RunEnded>().empty());
}

TEST(Resuming, ARecordThatDoesNotFitIsRefusedBeforeAnythingIsSent) {
  Cut cut;
  cut.run([](const events::Event& e) { return ended(e, 1); });
  for (events::Event& event : cut.record) {
    if (auto* e = std::get_if<events::StepStarted>(&event.what)) e->attempt = 2;
  }
  Fixture second(2);
  const RunResult result = cut.resume(second);
  ASSERT_TRUE(result.not_resumed);
  EXPECT_NE(result.not_resumed->what.find("does not follow from the program"), std::string::npos);
  EXPECT_EQ(second.hosts.count("a#0") + second.hosts.count("b#0"), 0u);
}

// Times are recorded to the millisecond, and a person may set the clock: several pauses then end at
// one recorded instant, or before they began.
TEST(Resuming, TheOrderOfTheRecordDecidesWhenAPauseEnds) {
  Fixture first(4);
  first.b.step("a").retry = {3, Duration(200)};
  first.b.step("b");
  for (plan::HostIndex h = 0; h < 4; ++h) {
    first.hosts.on("a#0", h,
                   {{.will = Will::fail, .length = Duration(3 + h)},
                    {.will = Will::fail, .length = Duration(200 - h)},
                    {.length = Duration(5)}});
  }
  ASSERT_EQ(first.run().verdict, Verdict::success);
  const auto& whole = first.recorder.events;
  for (const int step : {0, 1, -1}) {  // all at once, forward, backward
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
      std::vector<events::Event> record(whole.begin(),
                                        whole.begin() + static_cast<std::ptrdiff_t>(cut));
      for (std::size_t i = 0; i < cut; ++i) {
        record[i].at = FakeClock::start + Duration(step * static_cast<int>(i));
      }
      Fixture second(4);
      second.take_over(first, record);
      second.clock.advance(Duration(60'000));
      const RunResult result = second.go_on();
      ASSERT_FALSE(result.not_resumed)
          << "cut after event " << cut << ": " << result.not_resumed->what;
      EXPECT_EQ(result.verdict, Verdict::success);
    }
  }
}

// A flush runs the handlers that were notified before it. Those that are notified after it wait.
// Resumes the run of `first` from each part of its record; `holds` says what is true of the result.
void resume_each_cut(const Fixture& first, const std::vector<events::Event>& whole,
                     const std::function<void(const Fixture&, const RunResult&)>& holds) {
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    const std::vector<events::Event> record(whole.begin(),
                                            whole.begin() + static_cast<std::ptrdiff_t>(cut));
    Fixture second(2);
    second.take_over(first, record);
    second.clock.advance(Duration(60'000));
    const RunResult result = second.go_on();
    ASSERT_FALSE(result.not_resumed)
        << "cut after event " << cut << ": " << result.not_resumed->what;
    holds(second, result);
  }
}

class Flushed {
 public:
  Flushed() : first(2) {
    const plan::NodeId reload = first.b.handler("reload").id;
    first.b.parallel({[&] {
                        first.b.step("a", {0});
                        first.b.flush();
                      },
                      [&] { first.b.step("b", {1}).actions[0].notify = {reload}; }});
    first.b.step("c");
    first.hosts.on("b#0", {{.length = Duration(1000)}});
    EXPECT_EQ(first.run().verdict, Verdict::success);
  }
  Fixture first;
};

TEST(Resuming, TheRecordSaysWhereAFlushWasPassed) {
  Flushed f;
  const auto passed = f.first.recorder.all<events::BarrierPassed>();
  ASSERT_EQ(passed.size(), 1u);
  EXPECT_EQ(f.first.b.plan.node(passed[0].node).kind, plan::NodeKind::flush);
  resume_each_cut(f.first, f.first.recorder.events,
                  [&](const Fixture& second, const RunResult& result) {
                    EXPECT_EQ(result.verdict, Verdict::success);
                    EXPECT_EQ(second.outcomes("(reload)"), f.first.outcomes("(reload)"));
                  });
}

TEST(Resuming, ARecordOfAFormerVersionHasNoEventForAFlush) {
  Fixture first(2);
  const plan::NodeId reload = first.b.handler("reload").id;
  first.b.step("a").actions[0].notify = {reload};
  first.b.flush();
  first.b.step("b").actions[0].notify = {reload};
  first.b.flush();
  first.b.step("c");
  ASSERT_EQ(first.run().verdict, Verdict::success);
  auto whole = first.recorder.events;
  ASSERT_EQ(std::erase_if(whole,
                          [](const events::Event& event) {
                            return std::holds_alternative<events::BarrierPassed>(event.what);
                          }),
            2u);
  resume_each_cut(first, whole, [](const Fixture& second, const RunResult&) {
    EXPECT_EQ(second.outcomes("(reload)").size(), 4u);
  });
}

// A run that is refused has not ended: its hosts keep what they have of it.
TEST(Resuming, OnlyARunWithARunEndedHasEnded) {
  Cut cut;
  cut.first.b.plan.locks = {"deploy"};
  cut.run([](const events::Event& e) { return ended(e, 1); });
  Fixture second(2);
  second.hosts.hold_lock(0, "run 7 of bob");
  EXPECT_FALSE(cut.resume(second).ended);
  Fixture third(2);
  EXPECT_TRUE(cut.resume(third).ended);
  EXPECT_EQ(third.recorder.all<events::RunEnded>().size(), 1u);
}

// The first controller dies between two steps. The second one waits until the step's timeout is
// over.
TEST(Resuming, TheTimeBetweenTwoControllersIsNoPartOfATimeout) {
  Cut cut;
  cut.first.b.step("slow", {0}).timeout = Duration(5000);
  cut.run([&](const events::Event& e) {
    const auto* began = std::get_if<events::StepStarted>(&e.what);
    return began != nullptr && cut.first.b.plan.node(began->node).title == "slow";
  });
  Fixture second(2);  // a minute later
  EXPECT_EQ(cut.resume(second).verdict, Verdict::success);
  EXPECT_EQ(second.outcomes("slow"), (Lines{"h0 changed"}));
  ASSERT_EQ(second.hosts.count("slow#0"), 1u);
  EXPECT_EQ(second.hosts.started("slow#0")[0]->task.timeout, Duration(5000));
}

// With one place, h1 is ready and not begun when the first controller dies. The second one
// continues without h0, the third one replays both.
TEST(Resuming, TheRecordSaysWhereALaterControllerContinued) {
  Cut cut;
  cut.first.options.forks = 1;
  cut.run(
      [](const events::Event& e) { return std::holds_alternative<events::ActionStarted>(e.what); });
  cut.without = {0};
  Fixture second(2);
  second.options.forks = 1;
  cut.resume(second);
  const auto continued = second.recorder.all<events::RunContinued>();
  ASSERT_EQ(continued.size(), 1u);
  EXPECT_EQ(continued[0].without, std::vector<plan::HostIndex>{0});
  const std::vector<events::Event> whole = second.recorder.events;
  const std::size_t former = cut.record.size();
  for (std::size_t end = former + 1; end < whole.size(); ++end) {
    cut.record.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(end));
    Fixture third(2);
    third.options.forks = 1;
    const RunResult result = cut.resume(third);
    ASSERT_FALSE(result.not_resumed)
        << "cut after event " << end << ": " << result.not_resumed->what;
    EXPECT_LE(third.hosts.count("a#0"), 1u);
  }
}

TEST(Resuming, ARecordOfAFormerVersionDoesNotSayWhereAControllerContinued) {
  Cut cut;
  cut.run([](const events::Event& e) { return ended(e, 1); });
  Fixture second(2);
  EXPECT_EQ(cut.resume(second).verdict, Verdict::success);
  auto whole = second.recorder.events;
  ASSERT_EQ(std::erase_if(whole,
                          [](const events::Event& event) {
                            return std::holds_alternative<events::RunContinued>(event.what);
                          }),
            1u);
  resume_each_cut(cut.first, whole, [](const Fixture&, const RunResult& result) {
    EXPECT_EQ(result.verdict, Verdict::success);
  });
}

TEST(Resuming, ARecordThatLeadsNowhereIsRefused) {
  Cut cut;
  cut.run([](const events::Event& e) { return ended(e, 1); });
  std::erase_if(cut.record, [](const events::Event& e) { return ended(e, 1); });
  cut.record.push_back(cut.first.recorder.events.back());
  cut.record.back().what = events::HostLost{0, ""};
  cut.record.push_back(cut.record.back());
  cut.record.back().what = events::BarrierPassed{0};
  Fixture second(2);
  const RunResult result = cut.resume(second);
  ASSERT_TRUE(result.not_resumed);
  EXPECT_EQ(second.hosts.count("b#0"), 0u);
}

TEST(Resuming, AFactThatHeldASecretIsNotMadeUp) {
  Cut cut;
  cut.run([](const events::Event& e) { return ended(e, 1); });
  std::get<events::ActionEnded>(cut.record.back().what).facts = {
      {"dsn", Untrusted("postgres://[secret db]@db1")}};
  Fixture second(2);
  const RunResult result = cut.resume(second);
  ASSERT_TRUE(result.not_resumed);
  EXPECT_NE(result.not_resumed->what.find("the fact `dsn`"), std::string::npos);
  EXPECT_EQ(second.hosts.connects(), 0u);
}

TEST(Resuming, WhatWasLostIsLookedAtByItsCheckOnceMore) {
  Fixture f(1);
  f.b.step("a");
  f.hosts.on("a#0", {{Will::lose_shell}, {Will::ok}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 ok"}));
  Fixture g(1);
  Builder::no_check(g.b.step("a").actions[0]);
  g.hosts.on("a#0", {{Will::lose_shell}, {Will::ok}});
  EXPECT_EQ(g.run().verdict, Verdict::unknown);
  EXPECT_EQ(g.hosts.count("a#0"), 1u);
  Fixture twice(1);
  twice.b.step("a");
  twice.hosts.on("a#0", {{Will::lose_shell}});
  EXPECT_EQ(twice.run().verdict, Verdict::unknown);
  EXPECT_EQ(twice.hosts.count("a#0"), 2u);
}

}  // namespace
}  // namespace cnplay::run::test
