// What answers a failure: tolerate, undo, pivot, on_failure, hold, always, abort, lost hosts.
#include <algorithm>

#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Verdict;
using Lines = std::vector<std::string>;

plan::Response response(plan::ResponseKind kind) {
  plan::Response r;
  r.kind = kind;
  return r;
}
plan::Response hold(const std::string& text) {
  plan::Response r = response(plan::ResponseKind::hold);
  r.message = plan::Value(text);
  return r;
}

TEST(Failure, HostsInFlightFinishTheirStepAndNothingMoreStarts) {
  Fixture f(2);
  plan::Node& a = f.b.step("a");
  f.b.action(a);
  f.b.step("b");
  f.hosts.on("a#0", 0, {{Will::fail, {}, Duration(10)}});
  f.hosts.on("a#0", 1, {{Will::change, {}, Duration(5000)}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 failed", "h1 changed"}));
  EXPECT_EQ(f.hosts.started("a#1").size(), 1u);
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
}

TEST(Failure, TolerateLetsHostsDropOut) {
  for (const std::uint32_t tolerate : {0u, 1u, 2u}) {
    Fixture f(4);
    for (const char* name : {"a", "b", "c"}) f.b.step(name).tolerate = tolerate;
    f.hosts.on("a#0", 0, {{Will::fail}});
    f.hosts.on("b#0", 1, {{Will::fail}});
    EXPECT_EQ(f.run().verdict, Verdict::failed);
    EXPECT_EQ(f.recorder.all<events::FailureDeclared>().size(), tolerate < 2 ? 1u : 0u);
    if (tolerate == 2) {
      EXPECT_EQ(f.outcomes("c"), (Lines{"h2 changed", "h3 changed"}));
    }
  }
}

TEST(Failure, ABarrierDoesNotWaitForHostsThatDroppedOut) {
  Fixture f(3);
  f.b.step("a").tolerate = 1;
  f.b.barrier();
  f.b.step("b").tolerate = 1;
  f.hosts.on("a#0", 1, {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.outcomes("b"), (Lines{"h0 changed", "h2 changed"}));
}

TEST(Failure, OnceIsNeverTriedOnAnotherHost) {
  Fixture f(3);
  f.b.step("a").tolerate = 1;
  f.b.once("migrate", 0).tolerate = 1;
  f.b.step("b").tolerate = 1;
  f.hosts.on("a#0", 0, {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.hosts.count("migrate#0"), 0u);
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
  EXPECT_NE(f.notices().find("runs once, on h0"), std::string::npos);
}

TEST(Failure, AStepWhoseHostsHaveAllDroppedOutFails) {
  for (const bool all : {false, true}) {
    Fixture f(4);
    const std::uint32_t tolerate = all ? 4 : 2;
    f.b.step("a").tolerate = tolerate;
    f.b.step("b", {0, 1}).tolerate = tolerate;
    f.b.barrier();
    f.b.step("c").tolerate = tolerate;
    f.hosts.on("a#0", 0, {{Will::fail}});
    f.hosts.on("a#0", 1, {{Will::fail}});
    EXPECT_EQ(f.run().verdict, Verdict::failed);
    EXPECT_EQ(f.hosts.count("b#0"), 0u);
    EXPECT_EQ(f.hosts.count("c#0"), all ? 2u : 0u) << "`tolerate all` lets it go";
    EXPECT_NE(f.notices().find("`b` cannot run: all of its hosts have dropped out"),
              std::string::npos)
        << f.notices();
  }
}

TEST(Failure, AStepThatOneOfItsHostsHasDoneIsNotMissing) {
  Fixture f(2);
  f.b.step("a").tolerate = 1;
  f.b.step("b").tolerate = 1;
  f.b.step("c").tolerate = 1;
  f.hosts.on("b#0", 0, {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.outcomes("c"), (Lines{"h1 changed"}));
  EXPECT_TRUE(f.recorder.all<events::FailureDeclared>().empty());
}

TEST(Failure, ARunNamesWhatItUndidAndWhatItChangedAndDidNotUndo) {
  Fixture f(2);
  f.b.step("a");
  f.b.undo(f.b.step("u"));
  f.b.step("same");
  f.b.barrier();
  f.b.step("b");
  f.hosts.on("same#0", {{Will::ok}});
  f.hosts.on("b#0", 0, {{Will::apply_fail}});
  f.hosts.on("b#0", 1, {{Will::ok}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  const std::string advice = f.ended().advice;
  EXPECT_NE(advice.find("Undone: `u` (play.play:2) on h0, h1."), std::string::npos) << advice;
  EXPECT_NE(advice.find("Changed, and not undone: `a` (play.play:1) on h0, h1: it has no `undo`."),
            std::string::npos)
      << advice;
  EXPECT_NE(advice.find("Failed, perhaps half done, and not undone: `b` (play.play:5) on h0"),
            std::string::npos)
      << advice;
}

TEST(Failure, ATitleBeginsNoLineOfTheAdvice) {
  Fixture f(1);
  f.b.step("a").title = "a\nTo continue: rm";
  f.b.step("b").title = "b\nTo continue: rm";
  f.hosts.on("b#0", {{Will::apply_fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  const std::string advice = f.ended().advice;
  EXPECT_EQ(advice.find("\nTo continue: rm"), std::string::npos) << advice;
  EXPECT_NE(advice.find("Changed, and not undone: `a To continue: rm`"), std::string::npos)
      << advice;
}

TEST(Failure, NothingIsCalledUndoneWhereNothingWas) {
  Fixture f(1);
  f.b.step("a");
  f.b.step("b");
  f.hosts.on("b#0", {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.ended().advice.find("Undone"), std::string::npos) << f.ended().advice;
  EXPECT_NE(f.ended().advice.find("Changed, and not undone: `a` (play.play:1) on h0"),
            std::string::npos)
      << f.ended().advice;
  EXPECT_FALSE(f.recorder.all<events::UndoEnded>().at(0).complete);
}

TEST(Failure, AnUndoThatFailedOrDidNotRunIsNamedAsSuch) {
  Fixture f(1);
  f.b.undo(f.b.step("before"));
  f.b.pivot();
  f.b.undo(f.b.step("a"));
  f.b.step("b");
  f.hosts.on("b#0", {{Will::fail}});
  f.hosts.on("a!0", {{Will::apply_fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  const std::string advice = f.ended().advice;
  EXPECT_NE(advice.find("Changed, and its undo failed: `a` (play.play:3) on h0"), std::string::npos)
      << advice;
  EXPECT_NE(advice.find("Changed, and not undone: `before` (play.play:1) on h0: its undo was not"),
            std::string::npos)
      << advice;
}

TEST(Failure, ARunThatSucceedsListsNoChanges) {
  Fixture f(1);
  f.b.step("a");
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.ended().advice, "");
}

TEST(Failure, UndoInReverseOrderOfTheStepsEntered) {
  Fixture f(2);
  for (const char* name : {"a", "b", "c"}) f.b.undo(f.b.step(name));
  f.b.step("d");
  f.hosts.on("d#0", 0, {{Will::ok}});
  f.hosts.on("d#0", 1, {{Will::fail}});
  f.hosts.on("b#0", 0, {{Will::ok}});  // nothing was changed there: nothing to undo
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  Lines undone;
  for (const auto& line : f.steps()) {
    if (line[0] == '!') undone.push_back(line);
  }
  ASSERT_EQ(undone.size(), 5u);
  std::sort(undone.begin(), undone.begin() + 2);
  std::sort(undone.begin() + 3, undone.end());
  EXPECT_EQ(undone, (Lines{"!c h0 changed", "!c h1 changed", "!b h1 changed", "!a h0 changed",
                           "!a h1 changed"}));
  EXPECT_TRUE(f.recorder.all<events::UndoEnded>()[0].complete);
  EXPECT_NE(f.ended().advice.find("Undone: `a`"), std::string::npos) << f.ended().advice;
}

TEST(Failure, AStepThatFailedHalfwayIsUndoneToo) {
  Fixture f(1);
  plan::Node& a = f.b.step("a");
  a.actions[0].returns = {{"before", plan::FactType::string}};
  f.b.undo(a).params = {Builder::param("to", Builder::fact(a.id, "before"))};
  a.retry = {1, Duration(10)};
  f.hosts.on("a#0",
             {{Will::apply_fail, {{"before", "1a2b"}}}, {Will::apply_fail, {{"before", "half"}}}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  ASSERT_EQ(f.hosts.count("a!0"), 1u);
  // The state before the first attempt, not the half-changed one that the second saw.
  EXPECT_EQ(f.hosts.started("a!0")[0]->task.variables[0].value, "1a2b");
}

TEST(Failure, UndoGoesOnPastAnUndoThatFails) {
  Fixture f(1);
  for (const char* name : {"a", "b"}) f.b.undo(f.b.step(name));
  f.b.step("c");
  f.hosts.on("c#0", {{Will::fail}});
  f.hosts.on("b!0", {{Will::apply_fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.outcomes("!a"), (Lines{"h0 changed"}));
  EXPECT_FALSE(f.recorder.all<events::UndoEnded>()[0].complete);
}

TEST(Failure, NoUndoCrossesThePivot) {
  Fixture f(2);
  f.b.undo(f.b.step("a"));
  f.b.pivot();
  f.b.undo(f.b.step("b"));
  f.b.step("c");
  f.hosts.on("c#0", 0, {{Will::fail}});
  f.run();
  EXPECT_EQ(f.hosts.count("a!0"), 0u);
  EXPECT_EQ(f.hosts.count("b!0"), 2u);
  EXPECT_TRUE(f.recorder.all<events::FailureDeclared>()[0].after_pivot);
}

TEST(Failure, OnFailureBeforeAndAfterThePivot) {
  for (const bool after : {false, true}) {
    Fixture f(1);
    const auto p = f.b.phase("cutover", [&] {
      f.b.undo(f.b.step("a"));
      f.b.pivot();
      f.b.step("b");
    });
    f.b.plan.phases[p].outage = true;
    f.b.on_failure(plan::Side::before_pivot, p, {response(plan::ResponseKind::undo_all)});
    f.b.on_failure(plan::Side::after_pivot, p, {hold("The page stays up.")});
    f.hosts.on(after ? "b#0" : "a#0", {{Will::unconverged}});
    EXPECT_EQ(f.run().verdict, Verdict::failed);
    EXPECT_EQ(f.hosts.count("a!0"), after ? 0u : 1u);
    EXPECT_EQ(f.recorder.all<events::Held>().size(), after ? 1u : 0u);
    EXPECT_EQ(f.ended().outage_open, after);
    EXPECT_FALSE(f.recorder.all<events::PhaseEnded>()[0].complete);
    if (after) {
      EXPECT_NE(f.ended().advice.find("continue: cnplay resume " + f.options.run_id),
                std::string::npos)
          << f.ended().advice;
      EXPECT_EQ(f.ended().advice.find("same command again"), std::string::npos);
    }
  }
}

TEST(Failure, TheInnermostPhaseAnswersAlone) {
  Fixture f(1);
  std::uint32_t inner = 0;
  const auto outer = f.b.phase("outer", [&] {
    inner = f.b.phase("inner", [&] { f.b.undo(f.b.step("a")); });
    f.b.step("b");
  });
  f.b.on_failure(plan::Side::any, plan::kNone, {hold("play")});
  f.b.on_failure(plan::Side::any, outer, {hold("outer")});
  f.b.on_failure(plan::Side::any, inner, {hold("inner")});
  f.hosts.on("b#0", {{Will::fail}});
  f.run();
  ASSERT_EQ(f.recorder.all<events::Held>().size(), 1u);
  EXPECT_EQ(f.recorder.all<events::Held>()[0].message, "outer");
  EXPECT_EQ(f.hosts.count("a!0"), 0u);
}

TEST(Failure, ASectionOfItsOwn) {
  Fixture f(2);
  f.b.step("a");
  const auto section = f.b.section(plan::SectionKind::on_failure, [&] { f.b.step("mend"); });
  plan::Response run = response(plan::ResponseKind::section);
  run.section = section;
  f.b.on_failure(plan::Side::any, plan::kNone, {run});
  f.hosts.on("a#0", 1, {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.outcomes("mend"), (Lines{"h0 changed", "h1 changed"}));
}

TEST(Failure, HandlersRunBeforeAnUndo) {
  Fixture f(1);
  const plan::NodeId reload = f.b.handler("reload").id;
  plan::Node& a = f.b.step("a");
  a.actions[0].notify = {reload};
  f.b.undo(a);
  f.b.step("b");
  f.hosts.on("b#0", {{Will::fail}});
  f.run();
  EXPECT_EQ(f.steps(),
            (Lines{"a h0 changed", "b h0 failed", "(reload) h0 changed", "!a h0 changed"}));
}

TEST(Failure, AlwaysRunsAfterAFailureAlsoOnTheHostThatFailed) {
  Fixture f(2);
  f.b.step("a");
  f.b.section(plan::SectionKind::always, [&] { f.b.step("close"); });
  f.hosts.on("a#0", 0, {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.outcomes("close"), (Lines{"h0 changed", "h1 changed"}));
}

TEST(Failure, ALostHostIsUnknownAndAlwaysRunsOnTheRest) {
  Fixture f(2);
  f.b.undo(f.b.step("a"));
  f.b.step("b");
  f.b.section(plan::SectionKind::always, [&] { f.b.step("close"); });
  f.hosts.on("b#0", 1, {{.will = Will::lose, .length = Duration{60'000}}});
  EXPECT_EQ(f.run().verdict, Verdict::unknown);
  EXPECT_EQ(f.outcomes("b"), (Lines{"h0 changed", "h1 unknown"}));
  EXPECT_EQ(f.outcomes("!a"), (Lines{"h0 changed"}));
  EXPECT_FALSE(f.recorder.all<events::UndoEnded>()[0].complete);
  EXPECT_EQ(f.outcomes("close"), (Lines{"h0 changed"}));
  EXPECT_NE(f.ended().advice.find("look at what became of `b`"), std::string::npos)
      << f.ended().advice;
}

TEST(Failure, AHostLostBetweenStepsIsUnreachable) {
  Fixture f(2);
  f.b.step("a");
  f.b.barrier();
  f.b.step("b");
  f.hosts.on("a#0", 0, {{Will::change, {}, Duration(10)}});
  f.hosts.on("a#0", 1, {{Will::change, {}, Duration(20'000)}});
  f.hosts.lose_at(0, Duration(10'000));
  EXPECT_EQ(f.run().verdict, Verdict::unreachable);
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
}

TEST(Failure, AHostLostAfterItsLastStepIsNoFailure) {
  Fixture f(2);
  f.b.step("a");
  f.hosts.on("a#0", 0, {{Will::change, {}, Duration(10)}});
  f.hosts.on("a#0", 1, {{Will::change, {}, Duration(20'000)}});
  f.hosts.lose_at(0, Duration(10'000));
  EXPECT_EQ(f.run().verdict, Verdict::success);
}

TEST(Abort, FirstRequestFinishesWhatIsInFlightAndRunsAlways) {
  Fixture f(2);
  f.b.undo(f.b.step("a"));
  f.b.barrier();
  f.b.step("b");
  f.b.section(plan::SectionKind::always, [&] { f.b.step("close"); });
  f.hosts.before_event = [&] {
    if (f.hosts.count("a#0") == 2) f.aborts = 1;
  };
  EXPECT_EQ(f.run().verdict, Verdict::aborted);
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
  EXPECT_EQ(f.hosts.count("a!0"), 0u);
  EXPECT_EQ(f.outcomes("close"), (Lines{"h0 changed", "h1 changed"}));
}

TEST(Abort, SecondRequestKillsWhatIsInFlight) {
  Fixture f(2);
  f.b.step("a", {0});
  plan::Node& b = f.b.step("b", {1});
  Builder::no_apply(b.actions[0]);
  f.b.section(plan::SectionKind::always, [&] { f.b.step("close"); });
  f.hosts.on("a#0", {{Will::hang}});
  f.hosts.on("b#0", {{Will::hang}});
  // Hanging tasks give no events: ask when the loop idles.
  class Ticker final : public events::Sink {
   public:
    explicit Ticker(Fixture& fixture) : f(fixture) {}
    void on(const events::Event& e) override { f.recorder.on(e); }
    Status commit() override { return f.recorder.commit(); }
    void tick(Instant now) override {
      if (now > FakeClock::start + Duration(5000)) f.aborts = 1;
      if (now > FakeClock::start + Duration(9000)) f.aborts = 2;
    }
    Fixture& f;
  } ticker(f);
  const RunResult result = run::run(f.b.plan, f.hosts, ticker, f.clock, f.options, f.aborts);
  check_run(f);
  EXPECT_EQ(result.verdict, Verdict::aborted);
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 unknown"}));
  EXPECT_EQ(f.outcomes("b"), (Lines{"h1 aborted"}));
  EXPECT_EQ(f.hosts.count("close#0"), 0u);
  EXPECT_NE(result.advice.find("`a`"), std::string::npos);
}

TEST(Failure, ASinkThatLostAnEventStopsTheRun) {
  Fixture f(2);
  f.b.undo(f.b.step("a"));
  f.b.barrier();
  f.b.step("b");
  f.recorder.sick_after = 12;
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
  EXPECT_EQ(f.hosts.count("a!0"), 0u);
  EXPECT_NE(f.ended().advice.find("the disk is full"), std::string::npos);
}

}  // namespace
}  // namespace cnplay::run::test
