// What of the graph is carried out: steps that are left out, a person who is asked before each
// step, incidents; and what each means when the run is taken up.
#include <algorithm>
#include <deque>

#include "run/stepwise.h"
#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Choice;
using events::Verdict;
using Lines = std::vector<std::string>;
using Said = StepPrompter::Said;

constexpr const char* kWhy = "--tags web";

TEST(LeftOut, IsSkippedForThatReasonAndTheRestGoesOn) {
  Fixture f(2);
  f.b.step("a").left_out = kWhy;
  plan::Node& b = f.b.step("b");
  b.left_out = kWhy;
  b.actions[0].needs = {"git"};
  b.actions[0].preflight = f.b.script("b#0 preflight");
  f.b.undo(b);
  f.b.once("c", 1).left_out = kWhy;
  f.b.human("h", plan::HumanKind::approve).left_out = kWhy;
  f.b.wait("w", plan::Value(Time{FakeClock::start + Duration(1'000'000'000), "UTC"})).left_out =
      kWhy;
  f.b.step("d");
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 skipped", "h1 skipped"}));
  EXPECT_EQ(f.outcomes("c"), (Lines{"h1 skipped"}));
  EXPECT_EQ(f.outcomes("d"), (Lines{"h0 changed", "h1 changed"}));
  for (const auto& e : f.recorder.all<events::StepEnded>()) {
    EXPECT_EQ(e.reason, f.b.plan.node(e.node).title == "d" ? "" : kWhy);
  }
  EXPECT_EQ(f.hosts.count("a#0") + f.hosts.count("b#0") + f.hosts.count("c#0"), 0u);
  EXPECT_EQ(f.hosts.count("b#0 preflight"), 0u);
  EXPECT_TRUE(f.recorder.all<events::WaitStarted>().empty());
  const auto human = f.recorder.all<events::HumanEnded>();
  ASSERT_EQ(human.size(), 1u);
  EXPECT_EQ(human[0].how, events::HumanEnd::skipped);
  EXPECT_EQ(f.ended().partial, true);
  check_run(f);
}

TEST(LeftOut, HasNoWayBack) {
  Fixture f(1);
  plan::Node& a = f.b.step("a");
  f.b.undo(a);
  a.left_out = kWhy;
  plan::Node& b = f.b.step("b");
  f.b.undo(b);
  f.b.step("c");
  f.hosts.on("c#0", {{Will::apply_fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.hosts.count("a!0"), 0u);
  EXPECT_EQ(f.hosts.count("b!0"), 1u);
}

TEST(LeftOut, APointOfNoReturnAndAPhaseWithNothingInIt) {
  Fixture f(1);
  plan::Node& a = f.b.step("a");
  f.b.undo(a);
  const std::uint32_t phase = f.b.phase("p", [&] {
    f.b.step("b").left_out = kWhy;
    f.b.pivot().left_out = kWhy;
  });
  f.b.plan.phases[phase].outage = true;
  f.b.plan.nodes[f.b.plan.phases[phase].end].left_out = "nothing is done in it";
  f.b.step("c");
  f.hosts.on("c#0", {{Will::apply_fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.hosts.count("a!0"), 1u);
  EXPECT_TRUE(f.recorder.all<events::Pivoted>().empty());
  EXPECT_TRUE(f.recorder.all<events::PhaseStarted>().empty());
  EXPECT_FALSE(f.ended().outage);
}

TEST(LeftOut, ARunWithNothingLeftOutIsWhole) {
  Fixture f(1);
  f.b.step("a");
  f.run();
  EXPECT_FALSE(f.ended().partial);
}

// --- incidents

struct Required : Fixture {
  Required() : Fixture(1) {
    b.step("a");
    b.plan.requirements.push_back({{}, "staging", Duration(86'400'000), "p.play:9"});
    options.requirement = [this](const plan::Requirement&) {
      ++asked;
      return rehearsed;
    };
  }
  Result<std::string> rehearsed = fail("not rehearsed on staging");
  int asked = 0;
};

TEST(Incident, WithATicketRequirementsAreNotHeld) {
  Required f;
  f.options.incident = "INC-7";
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.asked, 0);
  EXPECT_EQ(f.recorder.all<events::RunStarted>()[0].incident, "INC-7");
  EXPECT_NE(f.notices().find("is waived: incident INC-7"), std::string::npos) << f.notices();
}

TEST(Incident, WithoutATicketItIsRefusedBeforeAnyConnection) {
  Required f;
  f.b.plan.incident = true;
  f.rehearsed = std::string("holds");
  EXPECT_EQ(f.run().verdict, Verdict::refused);
  EXPECT_EQ(f.hosts.connects(), 0u);
  const auto problems = f.recorder.all<events::PreflightProblem>();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].help.find("--incident"), std::string::npos);
}

TEST(Incident, ADryRunAndAPreflightNeedNoTicket) {
  Required dry;
  dry.b.plan.incident = true;
  dry.options.mode = events::Mode::check;
  EXPECT_EQ(dry.run().verdict, Verdict::success);
  EXPECT_NE(dry.notices().find("no ticket was given"), std::string::npos);
  Required alone;
  alone.b.plan.incident = true;
  EXPECT_EQ(alone.preflight().verdict, Verdict::success);
}

TEST(Requirement, WhatSatisfiesItIsTold) {
  Required f;
  f.rehearsed = std::string("holds by run r1, 2h ago");
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_NE(f.notices().find("holds by run r1, 2h ago"), std::string::npos) << f.notices();
}

// --- step by step

class FakeStepper final : public StepPrompter {
 public:
  void begin(const std::string& what, const std::string& needed_by) override {
    EXPECT_FALSE(asking);
    asking = true;
    asked.push_back(what + (needed_by.empty() ? "" : " <" + needed_by));
  }
  std::optional<Said> poll() override {
    EXPECT_TRUE(asking);
    if (answers.empty()) return std::nullopt;
    const Said said = answers.front();
    answers.pop_front();
    return said;
  }
  void end(const std::string& why) override {
    asking = false;
    if (!why.empty()) ended.push_back(why);
  }
  std::deque<Said> answers;
  Lines asked, ended;
  bool asking = false;
};

struct Stepwise : Fixture {
  explicit Stepwise(std::deque<Said> answers) : Fixture(2) {
    stepper.answers = std::move(answers);
    options.stepwise = true;
    options.stepper = &stepper;
  }
  FakeStepper stepper;
};

TEST(Stepwise, EachStepIsAskedForOnceForAllItsHosts) {
  Stepwise f({Said::run, Said::skip, Said::run});
  f.b.step("a");
  f.b.step("b");
  f.b.step("c");
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.stepper.asked, (Lines{"0/a on h0, h1", "1/b on h0, h1", "2/c on h0, h1"}));
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_EQ(f.outcomes("b"), (Lines{"h0 skipped", "h1 skipped"}));
  EXPECT_EQ(f.outcomes("c"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
  EXPECT_EQ(f.ended().partial, true);
  EXPECT_EQ(f.recorder.all<events::RunStarted>()[0].stepwise, true);
  const auto chosen = f.recorder.all<events::StepChosen>();
  ASSERT_EQ(chosen.size(), 3u);
  EXPECT_EQ(chosen[1].choice, Choice::skip);
  EXPECT_EQ(chosen[1].user, "ann");
  check_run(f);
}

TEST(Stepwise, AllAsksNoMore) {
  Stepwise f({Said::run_all});
  f.b.parallel({[&] { f.b.step("a"); }, [&] { f.b.step("b"); }});
  f.b.step("c");
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.stepper.asked.size(), 1u);
  EXPECT_EQ(f.outcomes("b"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_FALSE(f.ended().partial);
  check_run(f);
}

TEST(Stepwise, AbortEndsTheRunAndItsClosersRun) {
  Stepwise f({Said::run, Said::abort});
  f.b.step("a");
  f.b.step("b");
  f.b.section(plan::SectionKind::always, [&] { f.b.step("last"); });
  EXPECT_EQ(f.run().verdict, Verdict::aborted);
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
  EXPECT_EQ(f.hosts.count("last#0"), 2u);  // not asked for
}

TEST(Stepwise, WhatOthersReadIsNotSkipped) {
  Stepwise f({Said::skip, Said::run, Said::run});
  plan::Node& a = f.b.step("a");
  a.actions[0].returns = {{"x", plan::FactType::string}};
  const plan::NodeId id = a.id;
  f.hosts.on("a#0", {{Will::change, {{"x", "1"}}}});
  f.b.step("b").actions[0].params.push_back(Builder::param("p", Builder::fact(id, "x")));
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.stepper.asked, (Lines{"0/a on h0, h1 <b", "0/a on h0, h1 <b", "1/b on h0, h1"}));
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 changed", "h1 changed"}));
}

TEST(Stepwise, WithNobodyThereNoStepIsBegun) {
  Stepwise f({});
  f.options.stepper = nullptr;
  f.b.step("a");
  EXPECT_EQ(f.run().verdict, Verdict::aborted);
  EXPECT_EQ(f.hosts.count("a#0"), 0u);
}

TEST(Stepwise, ACtrlCEndsTheQuestion) {
  Stepwise f({});
  f.b.step("a");
  f.aborts = 1;
  EXPECT_EQ(f.run().verdict, Verdict::aborted);
  EXPECT_EQ(f.hosts.count("a#0"), 0u);
  EXPECT_FALSE(f.stepper.asking);
}

// Wherever the run is cut, what was said is not asked again, and holds.
TEST(Stepwise, WhatWasSaidHoldsWhenTheRunIsTakenUp) {
  Stepwise first({Said::run, Said::skip, Said::run, Said::run});
  const auto build = [](Fixture& f) {
    f.b.step("a");
    f.b.parallel({[&] { f.b.step("b"); }, [&] { f.b.step("c"); }});
    f.b.step("d");
  };
  build(first);
  ASSERT_EQ(first.run().verdict, Verdict::success);
  const auto& all = first.recorder.events;
  for (std::size_t cut = 1; cut + 1 < all.size(); ++cut) {
    const std::vector<events::Event> record(all.begin(),
                                            all.begin() + static_cast<std::ptrdiff_t>(cut));
    std::size_t said = 0;
    Lines skipped;
    for (const events::Event& event : record) {
      const auto* chosen = std::get_if<events::StepChosen>(&event.what);
      if (chosen == nullptr) continue;
      ++said;
      if (chosen->choice == Choice::skip) skipped.push_back(first.b.plan.node(chosen->node).title);
    }
    Stepwise second({Said::run, Said::run, Said::run, Said::run});
    build(second);
    second.options.record = &record;
    second.clock.advance(record.back().at - FakeClock::start + Duration(60'000));
    second.recorder.events = record;
    ASSERT_TRUE(second.recorder.commit());
    const RunResult result = run::run(second.b.plan, second.hosts, second.recorder, second.clock,
                                      second.options, second.aborts);
    ASSERT_EQ(result.verdict, Verdict::success)
        << cut << (result.not_resumed ? result.not_resumed->what : "");
    EXPECT_EQ(second.stepper.asked.size(), 4 - said) << cut;
    for (const std::string& step : skipped) {
      EXPECT_EQ(second.outcomes(step), (Lines{"h0 skipped", "h1 skipped"})) << cut;
    }
    EXPECT_EQ(second.ended().partial.value_or(false), !skipped.empty()) << cut;
  }
}

}  // namespace
}  // namespace cnplay::run::test
