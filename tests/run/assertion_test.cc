// `assert` in a run: it holds, it fails, it depends; killed and resumed around it.
#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::AssertionChecked;
using events::AssertionEnd;
using events::Verdict;
using Lines = std::vector<std::string>;

// look -> the fact `n` of it is `value` -> assertion -> below.
struct Asserting : Fixture {
  explicit Asserting(const std::string& value) : Fixture(2) {
    plan::Node& look = b.once("look");
    look.actions[0].returns = {{"n", plan::FactType::string}};
    hosts.on("look#0", 0, {{.will = Will::change, .facts = {{"n", value}}}});
    plan::Expr same;
    same.op = plan::Op::eq;
    auto left =
        std::make_shared<plan::Expr>(*Builder::fact(look.id, "n").as<plan::Deferred>()->expr);
    auto right = std::make_shared<plan::Expr>();
    right->value = plan::Value(std::string("ready"));
    same.operands = {left, right};
    assertion =
        b.assertion("not ready", plan::Value(plan::Deferred{std::make_shared<plan::Expr>(same)}))
            .id;
    b.step("below");
  }
  plan::NodeId assertion = 0;
};

TEST(Assert, ThatHoldsLetsTheRunContinue) {
  Asserting f("ready");
  EXPECT_EQ(f.run().verdict, Verdict::success);
  const auto checked = f.recorder.all<AssertionChecked>();
  ASSERT_EQ(checked.size(), 1u);
  EXPECT_EQ(checked[0].how, AssertionEnd::holds);
  EXPECT_EQ(f.hosts.count("below#0"), 2u);
  check_run(f);
}

TEST(Assert, ThatDoesNotHoldFailsTheRun) {
  Asserting f("no");
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  const auto checked = f.recorder.all<AssertionChecked>();
  ASSERT_EQ(checked.size(), 1u);
  EXPECT_EQ(checked[0].how, AssertionEnd::fails);
  EXPECT_EQ(checked[0].message, "not ready");
  EXPECT_EQ(f.recorder.all<events::FailureDeclared>().at(0).node, f.assertion);
  EXPECT_EQ(f.hosts.count("below#0"), 0u);
  check_run(f);
}

TEST(Assert, DependsInADryRunWhereItsFactDoes) {
  Asserting f("no");
  f.options.mode = events::Mode::check;
  EXPECT_EQ(f.run().verdict, Verdict::success);
  const auto checked = f.recorder.all<AssertionChecked>();
  ASSERT_EQ(checked.size(), 1u);
  EXPECT_EQ(checked[0].how, AssertionEnd::depends);
}

TEST(Assert, IsReplayedFromEveryEventOfTheRecord) {
  for (const char* value : {"ready", "no"}) {
    Asserting whole(value);
    const Verdict verdict = whole.run().verdict;
    for (std::size_t cut = 1; cut < whole.recorder.events.size(); ++cut) {
      const std::vector<events::Event> record(
          whole.recorder.events.begin(),
          whole.recorder.events.begin() + static_cast<std::ptrdiff_t>(cut));
      Asserting next(value);
      next.take_over(whole, record);
      EXPECT_EQ(next.go_on().verdict, verdict) << value << " " << cut;
    }
  }
}

}  // namespace
}  // namespace cnplay::run::test
