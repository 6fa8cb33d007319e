// `let todo = check on web { ... }`: the checks alone, the answer, and what `when todo` skips.
#include <algorithm>

#include "run/take_up.h"
#include "support/run/people.h"

namespace cnplay::run::test {
namespace {

// A check of two modules, and a phase with an outage that is carried out if it says so.
struct Asking : Fixture {
  explicit Asking(std::size_t hosts = 2, bool work_before = false) : Fixture(hosts) {
    if (work_before) b.step("before");
    plan::Node& todo = b.step("todo");
    b.action(todo);
    for (plan::Action& action : todo.actions) {
      action.alone = true;
      action.apply = plan::kNone;
      action.verify = plan::Verify::none;
      action.returns = {{std::string(plan::kWouldChange), plan::FactType::bool_}};
    }
    todo_ = todo.id;
    b.once("announce").when = plan::Column(answer());
    b.wait("w", plan::Value(Time{FakeClock::start + Duration(60'000), "UTC"})).when =
        plan::Column(answer());
    phase = b.phase("cutover", [&] {
      b.undo(b.step("code"));
      b.pivot();
      b.human("go", plan::HumanKind::approve);
      b.step("migrate");
    });
    b.plan.phases[phase].outage = true;
    b.plan.phases[phase].when = answer();
    b.step("last");
    prompter.yes();
    options.prompter = &prompter;
  }
  plan::Value answer() const { return b.fact(todo_, std::string(plan::kWouldChange)); }
  void nothing_to_do() {
    hosts.on("todo#0", {{Will::ok}});
    hosts.on("todo#1", {{Will::ok}});
  }

  FakePrompter prompter;
  plan::NodeId todo_ = 0;
  std::uint32_t phase = 0;
};

TEST(CheckAlone, NothingToDoSkipsStepsWaitsPeopleAndThePhaseWithItsOutage) {
  Asking f;
  f.nothing_to_do();
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("todo"), (Lines{"h0 ok", "h1 ok"}));
  EXPECT_EQ(f.outcomes("announce"), (Lines{"h0 skipped"}));
  EXPECT_EQ(f.outcomes("code"), (Lines{"h0 skipped", "h1 skipped"}));
  EXPECT_EQ(f.outcomes("migrate"), (Lines{"h0 skipped", "h1 skipped"}));
  EXPECT_EQ(f.outcomes("last"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_TRUE(f.recorder.all<events::PhaseStarted>().empty());
  EXPECT_TRUE(f.recorder.all<events::WaitStarted>().empty());
  EXPECT_TRUE(f.recorder.all<events::HumanStarted>().empty());
  EXPECT_TRUE(f.recorder.all<events::Pivoted>().empty());
  EXPECT_FALSE(f.ended().outage);
  // What was skipped was not rehearsed.
  EXPECT_EQ(f.ended().partial, true);
  EXPECT_NE(f.notices().find("the phase `cutover` is skipped"), std::string::npos) << f.notices();
  check_run(f);
}

TEST(CheckAlone, OneChangeOnOneHostIsSomethingToDoForAll) {
  Asking f;
  f.nothing_to_do();
  f.hosts.on("todo#1", 1, {{Will::change}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("todo"), (Lines{"h0 ok", "h1 ok"}));
  EXPECT_EQ(f.outcomes("announce"), (Lines{"h0 changed"}));
  EXPECT_EQ(f.outcomes("migrate"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_EQ(f.recorder.all<events::WaitStarted>().size(), 1u);
  ASSERT_TRUE(f.ended().outage);
  EXPECT_FALSE(f.ended().partial);
  check_run(f);
}

TEST(CheckAlone, TheFirstChangeOfAHostIsTheLastThatIsAsked) {
  Asking f;
  f.hosts.on("todo#0", 0, {{Will::change}});
  f.hosts.on("todo#0", 1, {{Will::ok}});
  f.hosts.on("todo#1", {{Will::ok}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.hosts.started("todo#1").size(), 1u);
  for (const Started& started : f.hosts.started()) {
    if (started.step != "todo") continue;
    EXPECT_EQ(started.task.mode, remote::Mode::check);
    EXPECT_EQ(started.task.apply, "");
  }
}

TEST(CheckAlone, ItsOwnSkipIsNothingToDo) {
  Asking f(1);
  f.hosts.on("todo#0", {{Will::skip}});
  f.hosts.on("todo#1", {{Will::skip}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("code"), (Lines{"h0 skipped"}));
}

TEST(CheckAlone, ACheckThatFailsFailsTheRun) {
  Asking f;
  f.hosts.on("todo#0", 1, {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_TRUE(f.outcomes("announce").empty());
  check_run(f);
}

TEST(CheckAlone, WhereItIsLeftOutThereIsSomethingToDo) {
  Asking f;
  f.b.plan.nodes[f.todo_].left_out = "--start-at cutover";
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("migrate"), (Lines{"h0 changed", "h1 changed"}));
}

TEST(CheckAlone, ADryRunAnswersItAndSkipsAsARunWould) {
  Asking f;
  f.options.mode = events::Mode::check;
  f.nothing_to_do();
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("code"), (Lines{"h0 skipped", "h1 skipped"}));
  EXPECT_TRUE(f.recorder.all<events::PhaseStarted>().empty());
}

TEST(CheckAlone, InADryRunAnAnswerThatDependsLeavesThePhaseToDepend) {
  Asking f(1, true);
  f.options.mode = events::Mode::check;
  f.nothing_to_do();
  f.b.plan.nodes[f.todo_].actions[1].depends_on = {{0, 0, "service:x", {}}};
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("todo"), (Lines{"h0 depends"}));
  EXPECT_EQ(f.outcomes("code"), (Lines{"h0 depends"}));
  EXPECT_EQ(f.outcomes("announce"), (Lines{"h0 depends"}));
}

TEST(CheckAlone, ARunThatIsTakenUpKeepsTheRecordedAnswer) {
  for (const bool change : {false, true}) {
    Asking first;
    first.nothing_to_do();
    if (change) first.hosts.on("todo#0", 1, {{Will::change}});
    EXPECT_EQ(first.run().verdict, Verdict::success);
    // Up to the end of the check on its last host.
    const auto& all = first.recorder.events;
    std::size_t ends = 0;
    const auto cut = std::ranges::find_if(all, [&](const events::Event& event) {
      const auto* ended = std::get_if<events::StepEnded>(&event.what);
      return ended != nullptr && ended->node == first.todo_ && ++ends == 2;
    });
    ASSERT_NE(cut, all.end());
    const std::vector<events::Event> record(all.begin(), cut + 1);
    Asking second;
    // The hosts would say the opposite now.
    second.hosts.on("todo#0", {{change ? Will::ok : Will::change}});
    second.hosts.on("todo#1", {{Will::ok}});
    second.take_over(first, record);
    second.options.prompter = &second.prompter;
    second.clock.advance(record.back().at - FakeClock::start);
    const std::size_t before = second.hosts.count("todo#0");
    const RunResult result = second.go_on();
    EXPECT_EQ(result.verdict, Verdict::success) << second.notices();
    EXPECT_EQ(second.hosts.count("todo#0"), before);
    EXPECT_EQ(second.outcomes("migrate"),
              change ? (Lines{"h0 changed", "h1 changed"}) : (Lines{"h0 skipped", "h1 skipped"}));
  }
}

}  // namespace
}  // namespace cnplay::run::test
