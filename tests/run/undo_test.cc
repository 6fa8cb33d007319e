// Undoing a run that has ended, by a run of its own; and ending a run where it stands.
#include "run/undo_left.h"

#include <algorithm>
#include <set>

#include "support/run/ways.h"

namespace cnplay::run::test {
namespace {

// `a` can be undone, and `b` fails on one host; nothing is undone by the run itself.
struct HeldRun : Ways {
  HeldRun() {
    b.plan.nodes[a].undo[0].params.push_back(Builder::param("to", Builder::fact(a, "before")));
    plan::Response hold;
    hold.kind = plan::ResponseKind::hold;
    hold.message = plan::Value(std::string("look at it"));
    b.on_failure(plan::Side::any, plan::kNone, {hold});
    fails();
  }
  RunResult undo(Fixture& later, std::set<OnHost> undone = {}) {
    way.undone = std::move(undone);
    const auto before = way.undone;
    source = recorder.events;
    way = {options.run_id, kUndo, &source, nullptr, before};
    later.b.plan = b.plan;
    later.options = options;
    later.options.run_id = "20261120-223005-play-5b3b";
    later.options.way_back = &way;
    later.clock.advance(Duration{3'600'000});
    const RunResult result = later.run();
    return result;
  }
  std::vector<UndoLog::Step> left(const std::set<OnHost>& undone = {}) const {
    return undo_left(b.plan, b.plan, recorder.events, undone);
  }
};

TEST(UndoneLater, WhatIsRegisteredIsUndoneWithTheFactsOfThatRun) {
  HeldRun f;
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.hosts.count("a!0"), 0u);
  Fixture later(2);
  EXPECT_EQ(f.undo(later).verdict, Verdict::success);
  Lines steps = later.steps();
  std::ranges::sort(steps);
  EXPECT_EQ(steps, (Lines{"!a h0 changed", "!a h1 changed"}));
  for (const Started* s : later.hosts.started("a!0")) EXPECT_EQ(param_of(*s, "to"), "v1");
  EXPECT_EQ(later.hosts.count("a#0") + later.hosts.count("b#0"), 0u);
  ASSERT_EQ(later.recorder.all<events::UndoEnded>().size(), 1u);
  const auto began = later.recorder.all<events::RunStarted>().at(0);
  EXPECT_EQ(began.rollback, kUndo);
  EXPECT_EQ(began.rollback_of, f.options.run_id);
}

TEST(UndoneLater, APointOfNoReturnAndARollbackLeaveNothing) {
  for (const bool pivot : {true, false}) {
    Ways f;
    if (pivot) f.b.pivot();
    if (!pivot) f.back();
    if (!pivot) f.offer({"back"});
    if (!pivot) f.fails();
    FakePrompter ann;
    f.options.prompter = &ann;
    ann.yes();
    f.run();
    EXPECT_TRUE(undo_left(f.b.plan, f.b.plan, f.recorder.events, {}).empty());
  }
}

TEST(UndoneLater, WhatTheRunHasUndoneIsNotUndoneAgain) {
  Ways f;  // its failure undoes all
  f.fails();
  f.hosts.on("a!0", 1, {{Will::apply_fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  const auto left = undo_left(f.b.plan, f.b.plan, f.recorder.events, {});
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].node, f.a);
  EXPECT_EQ(left[0].hosts, std::vector<plan::HostIndex>{1});
}

TEST(UndoneLater, WhatAnotherRunHasUndoneIsNotUndoneAgain) {
  HeldRun f;
  f.run();
  Fixture first(2);
  first.hosts.on("a!0", 0, {{Will::apply_fail}});
  EXPECT_EQ(f.undo(first).verdict, Verdict::failed);
  const std::set<OnHost> undone = undone_by(first.recorder.events);
  EXPECT_EQ(undone, (std::set<OnHost>{{f.a, 1}}));
  Fixture second(2);
  EXPECT_EQ(f.undo(second, undone).verdict, Verdict::success);
  EXPECT_EQ(second.steps(), Lines{"!a h0 changed"});
  EXPECT_EQ(second.hosts.connects(), 1u) << "the other host is not needed";
}

TEST(UndoneLater, AHostThatFoundNothingToDoHasNothingToUndo) {
  HeldRun f;
  f.hosts.on("a#0", 1, {{Will::ok, {{"before", "v1"}}}});
  f.run();
  ASSERT_EQ(f.left().size(), 1u);
  EXPECT_EQ(f.left()[0].hosts, std::vector<plan::HostIndex>{0});
}

TEST(UndoneLater, AHostThatIsNotThereRefusesItOrIsLeftOut) {
  HeldRun f;
  f.run();
  Fixture refused(2);
  refused.hosts.refuse(0);
  EXPECT_EQ(f.undo(refused).verdict, Verdict::unreachable);
  EXPECT_EQ(refused.hosts.count("a!0"), 0u);
  f.options.without = {0};
  Fixture without(2);
  EXPECT_EQ(f.undo(without).verdict, Verdict::failed) << "one host is not undone";
  EXPECT_EQ(without.steps(), Lines{"!a h1 changed"});
}

TEST(UndoneLater, OnlyTheSecretsAndCommandsOfItsUndosAreNeeded) {
  HeldRun f;
  f.b.plan.secrets = {{"forward", plan::SecretSource::Kind::env, {"A"}, "x:1"},
                      {"back", plan::SecretSource::Kind::env, {"B"}, "x:2"}};
  f.b.plan.nodes[f.a].actions[0].params.push_back(Builder::secret_key(0));
  f.b.plan.nodes[f.a].undo[0].params.push_back(Builder::secret_key(1));
  std::vector<std::uint32_t> asked;
  f.options.secret = [&](std::uint32_t index) {
    asked.push_back(index);
    return Result<Secret>(Secret("s"));
  };
  f.run();
  asked.clear();
  Fixture later(2);
  EXPECT_EQ(f.undo(later).verdict, Verdict::success);
  EXPECT_EQ(asked, std::vector<std::uint32_t>{1});
}

// Whatever of its record is there when the controller dies: each undo is done once.
TEST(UndoneLater, InterruptedAnywhereItIsResumed) {
  HeldRun f;
  f.run();
  Fixture whole(2);
  f.undo(whole);
  const std::vector<events::Event> all = whole.recorder.events;
  for (std::size_t n = 1; n < all.size(); ++n) {
    const std::vector<events::Event> record(all.begin(), all.begin() + static_cast<long>(n));
    Fixture next(2);
    next.take_over(whole, record);
    next.clock.advance(record.back().at - FakeClock::start + Duration{60'000});
    const auto result = next.go_on();
    ASSERT_FALSE(result.not_resumed) << n << ": " << result.not_resumed->what;
    EXPECT_EQ(result.verdict, Verdict::success) << n;
    EXPECT_EQ(next.recorder.all<events::UndoEnded>().size(), 1u) << n;
    check_run(next);
  }
}

// ---- ending a run where it stands

TEST(EndedHere, AParkedRunRunsItsAlwaysBlocksAndIsAborted) {
  People f;
  f.between("sure", HumanKind::approve);
  f.b.step("b");
  f.b.section(plan::SectionKind::always, [&] { f.b.step("closing"); });
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  Fixture next(2);
  f.record = f.recorder.events;
  next.take_over(f, f.record);
  next.options.end_here = true;
  next.clock.advance(f.record.back().at - FakeClock::start + f.later);
  EXPECT_EQ(next.go_on().verdict, Verdict::aborted);
  EXPECT_EQ(next.outcomes("b"), Lines{});
  EXPECT_EQ(next.outcomes("closing"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_EQ(next.recorder.all<events::AbortRequested>().size(), 1u);
  EXPECT_EQ(undo_left(f.b.plan, f.b.plan, next.recorder.events, {}).size(), 1u);
  check_run(next);
}

TEST(EndedHere, ARunThatWaitsForATimeEndsToo) {
  People f;
  plan::Node& a = f.b.step("a");
  f.b.undo(a);
  f.b.wait("later", plan::Value(Time{FakeClock::start + Duration{7'200'000}, "UTC"}));
  f.b.step("b");
  f.hosts.on("a#0", {{.will = Will::change, .length = Duration{1'000}}});
  f.options.ask = nullptr;
  f.aborts = 1;  // as Ctrl-C while it waits: the run parks
  f.run();
  f.record = f.recorder.events;
  Fixture next(2);
  next.take_over(f, f.record);
  next.options.end_here = true;
  next.clock.advance(f.record.back().at - FakeClock::start + Duration{1'000});
  EXPECT_EQ(next.go_on().verdict, Verdict::aborted);
  EXPECT_EQ(next.hosts.count("b#0"), 0u);
}

// What is in flight is awaited under its id, and can be undone then.
TEST(EndedHere, AnInterruptedRunAwaitsItsTasks) {
  People f;
  plan::Node& a = f.b.step("a");
  f.b.undo(a);
  f.b.step("b");
  f.run();
  const auto& all = f.recorder.events;
  const auto started = std::ranges::find_if(all, [](const events::Event& e) {
    return std::holds_alternative<events::ActionStarted>(e.what);
  });
  const std::vector<events::Event> record(all.begin(), started + 1);
  Fixture next(2);
  next.take_over(f, record);
  next.options.end_here = true;
  next.clock.advance(record.back().at - FakeClock::start + Duration{60'000});
  EXPECT_EQ(next.go_on().verdict, Verdict::aborted);
  EXPECT_EQ(next.hosts.count("a#0"), 1u) << "the one that was in flight";
  EXPECT_EQ(next.hosts.count("b#0"), 0u);
  const auto left = undo_left(f.b.plan, f.b.plan, next.recorder.events, {});
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].hosts.size(), 1u);
}

TEST(EndedHere, ARunThatHadNotBegunChangesNothing) {
  People f;
  f.b.step("a");
  f.run();
  const std::vector<events::Event> record(f.recorder.events.begin(), f.recorder.events.begin() + 2);
  Fixture next(2);
  next.take_over(f, record);
  next.options.end_here = true;
  EXPECT_EQ(next.go_on().verdict, Verdict::aborted);
  EXPECT_EQ(next.hosts.connects(), 0u);
  EXPECT_EQ(next.ended().advice, "Aborted in the preflight: nothing was changed.");
}

}  // namespace
}  // namespace cnplay::run::test
