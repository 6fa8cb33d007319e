// The controller's clock is set, in the run or between a run and its resuming: what was measured
// stays true, nothing is done early, and nothing is done twice.
#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Verdict;
using std::chrono::hours;
using std::chrono::minutes;

// No duration that was told is below zero, or as long as what the clock was set by.
void expect_true_durations(const Fixture& f, Duration most) {
  for (const auto& e : f.recorder.all<events::StepEnded>()) {
    EXPECT_GE(e.took, Duration(0));
    EXPECT_LT(e.took, most);
  }
  for (const auto& e : f.recorder.all<events::PhaseEnded>()) {
    EXPECT_GE(e.took, Duration(0));
    EXPECT_LT(e.took, most);
  }
  EXPECT_GE(f.ended().took, Duration(0));
  EXPECT_LT(f.ended().took, most);
}

TEST(TheClockIsSet, InTheRunAndNothingIsMeasuredByIt) {
  for (const auto by : {hours(-3), hours(3)}) {
    Fixture f(2);
    f.b.phase("work", [&] {
      f.b.step("a");
      f.b.step("b");
    });
    f.b.plan.phases[0].outage = true;
    f.hosts.on("a#0", 0, {{.will = Will::change, .length = Duration(60'000)}});
    f.hosts.before_event = [&] { f.clock.set_by(by); };
    EXPECT_EQ(f.run().verdict, Verdict::success);
    expect_true_durations(f, hours(1));
    ASSERT_TRUE(f.ended().outage);
    EXPECT_GE(*f.ended().outage, Duration(60'000));
    EXPECT_LT(*f.ended().outage, hours(1));
  }
}

plan::Node& wait_until(Fixture& f, Duration after) {
  return f.b.wait("(wait)", plan::Value(Time{FakeClock::start + after, "UTC"}));
}

// A wait is for a time of the clock on the wall, whoever sets it.
TEST(TheClockIsSet, AWaitIsForTheTimeOnTheWall) {
  Fixture back(1);
  back.b.step("a");
  wait_until(back, minutes(30));
  back.b.step("b");
  back.hosts.before_event = [&] { back.clock.set_by(hours(-1)); };
  EXPECT_EQ(back.run().verdict, Verdict::success);
  EXPECT_GE(back.hosts.started("b#0").at(0)->at, minutes(90));

  Fixture on(1);
  on.b.step("a");
  wait_until(on, minutes(30)).late_by = minutes(5);
  on.b.step("b");
  on.hosts.before_event = [&] { on.clock.set_by(hours(2)); };
  EXPECT_EQ(on.run().verdict, Verdict::failed);
  EXPECT_EQ(on.hosts.count("b#0"), 0u) << "it is late, and nobody was asked";
}

// What is on record happened later than it is now, or in another order than its times: nothing is
// done again, and no length is below zero.
TEST(TheClockIsSet, InARunOrAfterItAndItIsResumed) {
  for (const auto& [in_the_run, since] : {std::pair{hours(0), hours(-2)},
                                          {hours(-3), hours(0)},
                                          {hours(3), hours(0)},
                                          {hours(3), hours(-3)}}) {
    Fixture first(2);
    first.b.phase("work", [&] {
      first.b.step("a");
      wait_until(first, minutes(1));
      first.b.step("b");
    });
    int seen = 0;
    first.hosts.before_event = [&] {
      if (++seen == 4) first.clock.set_by(in_the_run);
    };
    first.run();
    const auto& all = first.recorder.events;
    for (std::size_t cut = 0; cut < all.size(); ++cut) {
      const auto* ended = std::get_if<events::ActionEnded>(&all[cut].what);
      const auto* started = std::get_if<events::ActionStarted>(&all[cut].what);
      if (ended == nullptr && started == nullptr) continue;
      const std::vector<events::Event> record(all.begin(),
                                              all.begin() + static_cast<std::ptrdiff_t>(cut) + 1);
      Fixture second(2);
      second.take_over(first, record);
      second.clock.set_by(in_the_run + since);
      const auto result = second.go_on();
      EXPECT_FALSE(result.not_resumed) << result.not_resumed->what;
      EXPECT_EQ(result.verdict, Verdict::success) << cut;
      expect_true_durations(second, hours(8));
      EXPECT_EQ(second.recorder.all<events::ActionEnded>().size(), 4u) << cut;
    }
  }
}

}  // namespace
}  // namespace cnplay::run::test
