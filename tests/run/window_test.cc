// The window: a run begins in it, and it may close before the run has ended. On the fake clock,
// which can be set.
#include "support/run/ways.h"

namespace cnplay::run::test {
namespace {

using events::AtWindow;

constexpr Duration kHour{3'600'000};

// a takes longer than what is left of the window, then b and c on both hosts.
struct Windowed : People {
  explicit Windowed(Duration open = Duration{600'000}, Duration of_a = Duration{900'000}) {
    plan::Node& first = b.step("a");
    b.undo(first);
    hosts.on("a#0", {{Will::change, {}, of_a}});
    b.step("b");
    b.step("c");
    window(open);
  }
  void window(Duration open) {
    b.plan.window = plan::Window{plan::Value(Time{FakeClock::start - kHour, "UTC"}),
                                 plan::Value(Time{FakeClock::start + open, "UTC"}), "play.play:2"};
  }
  // Somebody does so while the first step is at work.
  void sets_clock(Duration by) {
    hosts.on_start = [this, by](const remote::Task& task) {
      if (task.mode == remote::Mode::apply) clock.set_by(by);
    };
  }
  template <class T>
  std::size_t count() const {
    return recorder.all<T>().size();
  }
  std::vector<AtWindow> decided() const {
    std::vector<AtWindow> out;
    for (const auto& said : recorder.all<events::WindowAnswered>()) out.push_back(said.choice);
    return out;
  }
};
using Said = std::vector<AtWindow>;

TEST(WindowCloses, NotBeforeItsTime) {
  Windowed f(Duration{1'800'000});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.count<events::WindowClosed>(), 0u);
}

TEST(WindowCloses, WhatIsAtWorkEndsNothingMoreBeginsAndTheRunParks) {
  Windowed f;
  const RunResult result = f.run();
  EXPECT_EQ(result.verdict, Verdict::parked);
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_EQ(f.hosts.cancels(), 0u);
  EXPECT_EQ(f.hosts.count("b#0") + f.hosts.count("!a#0"), 0u);
  const auto closed = f.recorder.all<events::WindowClosed>();
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].until.at, FakeClock::start + Duration{600'000});
  EXPECT_FALSE(closed[0].past_pivot);
  EXPECT_FALSE(closed[0].clock_set);
  const auto parked = f.recorder.all<events::RunParked>();
  ASSERT_EQ(parked.size(), 1u);
  EXPECT_FALSE(parked[0].node);
  EXPECT_EQ(parked[0].reason, "the window is over, nobody is at a terminal");
  EXPECT_NE(result.advice.find("cnplay resume --yes " + f.options.run_id), std::string::npos)
      << result.advice;
}

TEST(WindowCloses, APersonLetsItGoOnAndIsNotAskedAgain) {
  Windowed f;
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes({{"window", "go_on"}});
  ann.on_poll = [&] { EXPECT_EQ(f.hosts.count("b#0"), 0u) << "it began before she had spoken"; };
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.decided(), Said{AtWindow::go_on});
  EXPECT_EQ(ann.asked_for.size(), 1u);
  EXPECT_EQ(f.outcomes("c"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_FALSE(ann.asking);
  check_run(f);
}

TEST(WindowCloses, APersonHasItTakenBack) {
  Windowed f;
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes({{"window", "roll_back"}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.decided(), Said{AtWindow::roll_back});
  EXPECT_EQ(f.outcomes("!a"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
  EXPECT_FALSE(ann.asking);
  check_run(f);
}

TEST(WindowCloses, APersonLeavesItForLater) {
  Windowed f;
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.later();
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  EXPECT_TRUE(f.decided().empty());
  Fixture next(2);
  FakePrompter bob;
  bob.yes({{"window", "go_on"}});
  next.options.prompter = &bob;
  next.options.user = "bob";
  EXPECT_EQ(f.resume(next).verdict, Verdict::success);
  EXPECT_EQ(next.recorder.all<events::WindowClosed>().size(), 1u) << "said once";
  const auto said = next.recorder.all<events::WindowAnswered>();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].user, "bob");
  EXPECT_EQ(next.hosts.count("a#0"), 0u);
  EXPECT_EQ(next.outcomes("c"), (Lines{"h0 changed", "h1 changed"}));
  check_run(next);
}

TEST(WindowCloses, ResumedWithoutATerminalItParksOnceMoreUnlessItWasSaidBefore) {
  for (const bool yes : {false, true}) {
    Windowed f;
    f.run();
    f.options.past_window = yes;
    Fixture next(2);
    EXPECT_EQ(f.resume(next).verdict, yes ? Verdict::success : Verdict::parked);
    EXPECT_EQ(next.hosts.count("b#0"), yes ? 2u : 0u);
    check_run(next);
  }
}

TEST(WindowCloses, PastThePointOfNoReturnItGoesOnLoudly) {
  People f;
  f.b.step("a");
  f.b.pivot();
  f.hosts.on("b#0", {{Will::change, {}, Duration{900'000}}});
  f.b.step("b");
  f.b.step("c");
  f.b.plan.window =
      plan::Window{plan::Value(Time{FakeClock::start - kHour, "UTC"}),
                   plan::Value(Time{FakeClock::start + Duration{600'000}, "UTC"}), "play.play:2"};
  EXPECT_EQ(f.run().verdict, Verdict::success);
  const auto closed = f.recorder.all<events::WindowClosed>();
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_TRUE(closed[0].past_pivot);
  EXPECT_EQ(f.hosts.count("c#0"), 2u);
}

TEST(WindowCloses, ThePointOfNoReturnItselfIsNotPassed) {
  People f;
  f.b.step("a");
  f.hosts.on("a#0", {{Will::change, {}, Duration{900'000}}});
  f.b.pivot();
  f.b.plan.window =
      plan::Window{plan::Value(Time{FakeClock::start - kHour, "UTC"}),
                   plan::Value(Time{FakeClock::start + Duration{600'000}, "UTC"}), "play.play:2"};
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  EXPECT_TRUE(f.recorder.all<events::Pivoted>().empty());
}

TEST(WindowCloses, InTheLastStepNobodyIsAsked) {
  Windowed f(Duration{600'000}, Duration{1000});
  f.hosts.on("c#0", {{Will::change, {}, Duration{900'000}}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.count<events::WindowClosed>(), 1u);
  EXPECT_TRUE(f.decided().empty());
}

TEST(WindowCloses, WhileAPersonThinksAboutAStepTheyAreLeftToAnswer) {
  People f;
  f.between("disk", HumanKind::manual);
  f.b.step("b");
  f.b.plan.window =
      plan::Window{plan::Value(Time{FakeClock::start - kHour, "UTC"}),
                   plan::Value(Time{FakeClock::start + Duration{600'000}, "UTC"}), "play.play:2"};
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.on_poll = [&] {
    if (ann.polls == 1) f.clock.advance(kHour);
    if (ann.polls == 20) ann.yes();
    if (ann.polls == 30) ann.yes({{"window", "go_on"}});
  };
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(ann.asked_for.size(), 2u);
  EXPECT_EQ(f.hosts.count("b#0"), 2u);
}

TEST(WindowCloses, AFailureMeanwhileIsAnsweredAsFailuresAre) {
  Windowed f;
  f.hosts.on("a#0", 1, {{Will::apply_fail, {}, Duration{1'200'000}}});
  FakePrompter ann;  // is asked nothing
  f.options.prompter = &ann;
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_TRUE(ann.asked_for.empty());
  EXPECT_EQ(f.outcomes("!a"), (Lines{"h0 changed", "h1 changed"}));
}

TEST(WindowCloses, AnAbortWhileSomebodyIsAskedEndsTheRun) {
  Windowed f;
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.on_poll = [&] { f.aborts = 1; };
  EXPECT_EQ(f.run().verdict, Verdict::aborted);
  EXPECT_FALSE(ann.asking);
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
}

TEST(WindowCloses, WithForksWhatHasNoPlaceYetDoesNotBegin) {
  Windowed f;
  f.options.forks = 1;
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  EXPECT_EQ(f.hosts.count("a#0"), 1u) << "the other host had no place";
  f.options.past_window = true;
  Fixture next(2);
  EXPECT_EQ(f.resume(next).verdict, Verdict::success);
  EXPECT_EQ(next.outcomes("a"), (Lines{"h0 changed", "h1 changed"}));
  check_run(next);
}

TEST(WindowCloses, NothingIsSentAheadIntoTheTimeBehindIt) {
  const auto sent = [](Duration open) {
    Windowed f(open, Duration{1000});
    if (open == Duration{0}) f.b.plan.window.reset();
    for (plan::Node& node : f.b.plan.nodes) {
      for (plan::Action& action : node.actions) Builder::no_check(action);
    }
    EXPECT_EQ(f.run().verdict, Verdict::success);
    return f.hosts.sent_ahead();
  };
  EXPECT_GT(sent(Duration{0}), 0u);
  EXPECT_EQ(sent(kHour), 0u);
}

TEST(WindowCloses, ADryRunIsNotHeldUp) {
  Windowed f;
  f.options.mode = events::Mode::check;
  f.hosts.on("a#0", {{Will::change, {}, Duration{900'000}}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.count<events::WindowClosed>(), 0u);
}

// ---- clocks that are set

TEST(WindowAndClock, SetBackItIsNoLongerForThat) {
  Windowed f;
  f.sets_clock(-24 * kHour);
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  const auto closed = f.recorder.all<events::WindowClosed>();
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].clock_set, -24 * kHour);
}

TEST(WindowAndClock, SetForwardItAsksAndHarmsNothing) {
  Windowed f(2 * kHour);
  f.sets_clock(24 * kHour);
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes({{"window", "go_on"}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  const auto closed = f.recorder.all<events::WindowClosed>();
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].clock_set, 24 * kHour);
  EXPECT_EQ(f.hosts.cancels(), 0u);
  EXPECT_EQ(f.outcomes("c"), (Lines{"h0 changed", "h1 changed"}));
}

TEST(WindowAndClock, ADriftOfSecondsIsNotWorthAWord) {
  Windowed f;
  f.sets_clock(Duration{3000});
  f.run();
  const auto closed = f.recorder.all<events::WindowClosed>();
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_FALSE(closed[0].clock_set);
}

// ---- the record

TEST(WindowOnRecord, CutOffAnywhereItIsResumed) {
  for (const char* word : {"go_on", "roll_back"}) {
    Windowed f;
    FakePrompter ann;
    f.options.prompter = &ann;
    ann.yes({{"window", word}});
    f.run();
    const auto all = f.recorder.events;
    for (std::size_t end = 1; end < all.size(); ++end) {
      SCOPED_TRACE(word + std::to_string(end));
      if (std::holds_alternative<events::PreflightEnded>(all[end].what)) continue;
      f.recorder.events.assign(all.begin(), all.begin() + static_cast<long>(end));
      f.later = Duration{1000};
      Fixture next(2);
      FakePrompter bob;
      bob.yes({{"window", word}});
      next.options.prompter = &bob;
      next.hosts.on("a#0", {{Will::change, {}, Duration{900'000}}});
      const RunResult result = f.resume(next);
      ASSERT_FALSE(result.not_resumed) << result.not_resumed->what;
      EXPECT_EQ(result.verdict, word[0] == 'g' ? Verdict::success : Verdict::failed);
      EXPECT_EQ(next.recorder.all<events::WindowClosed>().size(), 1u);
      EXPECT_EQ(next.recorder.all<events::WindowAnswered>().size(), 1u);
      // Of a way back it would look for what these hosts have applied, which the first ones did.
      if (word[0] == 'g') check_run(next);
    }
  }
}

TEST(Window, ARunBeginsInItOrNotAtAll) {
  const Duration hour{3'600'000};
  for (const auto& [from, to, verdict] :
       {std::tuple(-hour, hour, Verdict::success), std::tuple(hour, 2 * hour, Verdict::refused),
        std::tuple(-2 * hour, Duration{0}, Verdict::refused)}) {
    Ways f;
    f.back();
    f.b.plan.window = plan::Window{plan::Value(Time{FakeClock::start + from, "UTC"}),
                                   plan::Value(Time{FakeClock::start + to, "UTC"}), "play.play:2"};
    EXPECT_EQ(f.run().verdict, verdict);
    EXPECT_EQ(f.hosts.connects(), verdict == Verdict::success ? 2u : 0u);
  }
}

TEST(Window, AWayBackIsTakenOutsideOfItAsWell) {
  Ways f;
  f.back();
  f.b.plan.window =
      plan::Window{plan::Value(Time{FakeClock::start - Duration{1000}, "UTC"}),
                   plan::Value(Time{FakeClock::start + Duration{600'000}, "UTC"}), "play.play:2"};
  EXPECT_EQ(f.run().verdict, Verdict::success);
  Fixture later(2);
  later.clock.advance(Duration{3'600'000});
  EXPECT_EQ(f.take_back(later, "back").verdict, Verdict::success);
}

}  // namespace
}  // namespace cnplay::run::test
