// Ways back that are taken for a deadline that has passed.
#include "support/run/ways.h"

namespace cnplay::run::test {
namespace {

using events::Outcome;

TEST(Deadline, WhatHasEndedInTimeIsNotTakenBack) {
  Ways f;
  f.back();
  f.hosts.on("b#0", {{Will::change, {}, Duration{10'000}}});
  f.deadline(Duration{600'000}, f.phase);
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_TRUE(f.recorder.all<events::DeadlinePassed>().empty());
}

TEST(Deadline, HostsInFlightFinishNothingMoreIsStartedAndNobodyIsAsked) {
  for (const bool play : {false, true}) {
    Ways f;
    f.b.step("c");
    f.back();
    f.hosts.on("b#0", {{Will::change, {}, Duration{900'000}}});
    f.deadline(Duration{600'000}, play ? plan::kNone : f.phase);
    EXPECT_EQ(f.run().verdict, Verdict::failed);
    EXPECT_EQ(f.outcomes("b"), (Lines{"h0 changed", "h1 changed"}));
    EXPECT_EQ(f.hosts.count("c#0"), 0u);
    EXPECT_EQ(f.outcomes("restore"), (Lines{"h0 changed", "h1 changed"}));
    const auto passed = f.recorder.all<events::DeadlinePassed>();
    ASSERT_EQ(passed.size(), 1u);
    EXPECT_EQ(passed[0].phase, play ? "" : "play/work");
    EXPECT_EQ(passed[0].rollback, "back");
    EXPECT_EQ(f.hosts.count("a!0"), 0u);
  }
}

TEST(Deadline, OfAPhaseThatIsOverDoesNotMatterToWhatFollows) {
  Ways f;
  f.b.step("c");
  f.back();
  f.hosts.on("c#0", {{Will::change, {}, Duration{900'000}}});
  f.deadline(Duration{600'000}, f.phase);
  EXPECT_EQ(f.run().verdict, Verdict::success);
}

TEST(Deadline, AFailureBeforeItIsAnsweredAsFailuresAre) {
  Ways f;
  f.back();
  f.fails();
  f.deadline(Duration{600'000}, f.phase);
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.hosts.count("a!0"), 2u);
  EXPECT_EQ(f.hosts.count("restore#0"), 0u);
}

TEST(Deadline, ItHoldsForARunThatIsParkedMeanwhile) {
  for (const bool answered : {false, true}) {
    Ways f;
    plan::NodeId asked = 0;
    const auto late = f.b.phase("late", [&] {
      asked = f.b.human("disk", HumanKind::manual).id;
      f.b.step("c");
    });
    f.back();
    f.deadline(Duration{1'800'000}, late);
    EXPECT_EQ(f.run().verdict, Verdict::parked);
    if (answered) f.answer(asked, "bob", "", true);
    Fixture second(2);
    EXPECT_EQ(f.resume(second).verdict, Verdict::failed);  // an hour later
    EXPECT_EQ(second.recorder.all<events::DeadlinePassed>().size(), 1u);
    EXPECT_EQ(second.hosts.count("c#0"), 0u);
    EXPECT_EQ(second.hosts.count("restore#0"), 2u);
    check_run(second);
  }
}

TEST(Deadline, ARunThatIsCutOffOnItsWayBackIsResumedOnIt) {
  Ways f;
  f.back();
  f.hosts.on("b#0", {{Will::change, {}, Duration{900'000}}});
  f.deadline(Duration{600'000}, f.phase);
  f.run();
  const auto all = f.recorder.events;
  for (std::size_t end = 1; end < all.size(); ++end) {
    SCOPED_TRACE(end);
    if (std::holds_alternative<events::PreflightEnded>(all[end].what)) continue;
    f.recorder.events.assign(all.begin(), all.begin() + static_cast<long>(end));
    f.later = Duration{1000};
    Fixture second(2);
    second.hosts.on("a#0", {{Will::change, {{"before", "v1"}}}});
    second.hosts.on("b#0", {{Will::change, {}, Duration{900'000}}});
    const RunResult result = f.resume(second);
    ASSERT_FALSE(result.not_resumed) << result.not_resumed->what;
    EXPECT_EQ(result.verdict, Verdict::failed);
    EXPECT_EQ(second.recorder.all<events::DeadlinePassed>().size(), 1u);
    EXPECT_EQ(second.outcomes("restore"), (Lines{"h0 changed", "h1 changed"}));
  }
}

TEST(Deadline, ADryRunSaysIt) {
  Ways f;
  f.back();
  f.deadline(Duration{600'000}, f.phase);
  f.options.mode = events::Mode::check;
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_NE(f.notices().find("run the rollback `back` if `work` had not ended at"),
            std::string::npos);
}

TEST(Deadline, OneThatIsOverAlreadyRefusesTheRun) {
  Ways f;
  f.back();
  f.deadline(Duration{-1}, f.phase);
  EXPECT_EQ(f.run().verdict, Verdict::refused);
  EXPECT_EQ(f.hosts.connects(), 0u);
}

}  // namespace
}  // namespace cnplay::run::test
