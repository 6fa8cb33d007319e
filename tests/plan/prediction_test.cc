#include "plan/prediction.h"

#include <gtest/gtest.h>

#include "support/plan/upgrade.h"

namespace cnplay::testing {
namespace {

TEST(Prediction, PeopleWhoTestAreTesting) {
  for (const bool testing : {true, false}) {
    const ByHand u(testing);
    ASSERT_EQ(check_invariants(u.plan), "");
    const Outlook out = outlook(u.plan, std::nullopt, nullptr);
    ASSERT_TRUE(out.outage && out.outage_excluding_testing);
    EXPECT_EQ(out.outage->expect, Duration{minutes{80}});
    EXPECT_EQ(out.outage_excluding_testing->expect, Duration{minutes{testing ? 20 : 80}});
  }
}

TEST(Prediction, AStepThatChangesSomethingIsATestIfItSaysSo) {
  Upgrade u;
  u.plan.nodes[u.dump].testing = true;
  const Outlook out = outlook(u.plan, std::nullopt, nullptr);
  EXPECT_EQ(out.outage_excluding_testing->expect, Duration{minutes{10}});
}

TEST(Prediction, AStepThatOnlyLooksIsNotATestByItself) {
  Upgrade u;
  u.plan.nodes[u.test].testing = false;
  const Outlook out = outlook(u.plan, std::nullopt, nullptr);
  EXPECT_EQ(out.outage_excluding_testing->expect, Duration{minutes{80}});
}

TEST(Prediction, WithoutTestingTheWorstIsNotBelowTheMedian) {
  Upgrade u;
  // Beside the dump: only where the test is the longer of the two it is alone.
  u.plan.nodes[u.test].after = u.plan.nodes[u.dump].after;
  for (const Edge& edge : u.plan.nodes[u.test].after) {
    u.plan.nodes[u.thaw].after.push_back({u.dump, edge.kind});
  }
  Past p = past();
  p.steps = {{u.dump, 3, minutes{8}, minutes{40}}, {u.test, 3, minutes{30}, minutes{31}}};
  const Outlook out = outlook(u.plan, std::nullopt, &p);
  EXPECT_EQ(out.outage_excluding_testing->median, Duration{minutes{18}});
  EXPECT_EQ(out.outage_excluding_testing->worst, Duration{minutes{50}});
  p.steps = {{u.dump, 3, minutes{8}, minutes{8}}, {u.test, 3, minutes{5}, minutes{60}}};
  const Outlook longer = outlook(u.plan, std::nullopt, &p);
  EXPECT_EQ(longer.outage_excluding_testing->median, Duration{minutes{18}});
  EXPECT_EQ(longer.outage_excluding_testing->worst, Duration{minutes{18}});
}

TEST(Prediction, WhetherItIsATestDecidesNothingOfWhatARunDoes) {
  Upgrade u;
  const std::string before = hash(u.plan);
  u.plan.nodes[u.dump].testing = true;
  EXPECT_EQ(hash(u.plan), before);
  const auto back = from_json(to_json(u.plan));
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->nodes[u.dump].testing);
}

TEST(Prediction, OutageWithAndWithoutTestingByExpect) {
  const Upgrade u;
  ASSERT_EQ(check_invariants(u.plan), "");
  const Outlook out = outlook(u.plan, std::nullopt, nullptr);
  ASSERT_TRUE(out.outage && out.outage_excluding_testing);
  EXPECT_EQ(out.outage->expect, Duration{minutes{80}});
  EXPECT_EQ(out.outage_excluding_testing->expect, Duration{minutes{20}});
  EXPECT_EQ(out.total.expect, Duration{minutes{85}});
  EXPECT_FALSE(out.total.median);
  EXPECT_EQ(out.outage->unknown, 0U);
}

TEST(Prediction, PastRunsCountBeforeExpectAndTheRestByExpect) {
  const Upgrade u;
  Past p = past();
  p.steps = {{u.dump, 3, minutes{8}, minutes{12}}, {u.test, 2, minutes{30}, minutes{90}}};
  const Outlook out = outlook(u.plan, std::nullopt, &p);
  EXPECT_EQ(out.outage->expect, Duration{minutes{80}});
  EXPECT_EQ(out.outage->median, Duration{minutes{5 + 8 + 30 + 5}});
  EXPECT_EQ(out.outage->worst, Duration{minutes{5 + 12 + 90 + 5}});
  EXPECT_EQ(out.outage_excluding_testing->median, Duration{minutes{18}});
  EXPECT_EQ(out.outage_excluding_testing->worst, Duration{minutes{22}});
  EXPECT_EQ(out.total.worst, Duration{minutes{5 + 12 + 90 + 5 + 5}});
}

// The phase's own word holds as long as something in it has not been seen.
TEST(Prediction, APhaseThatWasMeasuredTakesAsLongAsItsSteps) {
  Upgrade u;
  u.plan.phases[0].expect = minutes{100};
  Past p = past();
  for (const NodeId id : {u.freeze, u.dump, u.test}) {
    p.steps.push_back({id, 3, minutes{2}, minutes{3}});
  }
  EXPECT_EQ(outlook(u.plan, std::nullopt, &p).outage->median, Duration{minutes{100}});
  p.steps.push_back({u.thaw, 3, minutes{2}, minutes{3}});
  const Outlook out = outlook(u.plan, std::nullopt, &p);
  EXPECT_EQ(out.outage->median, Duration{minutes{8}});
  EXPECT_EQ(out.outage->worst, Duration{minutes{12}});
}

TEST(Prediction, ATestOfUnknownLengthLeavesTheOutageWithoutItUnknown) {
  Upgrade u;
  u.plan.nodes[u.test].expect.reset();
  const Outlook out = outlook(u.plan, std::nullopt, nullptr);
  EXPECT_EQ(out.outage->expect, Duration{minutes{20}});
  EXPECT_EQ(out.outage->unknown, 1U);
  EXPECT_FALSE(out.outage_excluding_testing->expect);
  // A phase that says how long it takes answers for it.
  u.plan.phases[0].expect = minutes{90};
  EXPECT_EQ(outlook(u.plan, std::nullopt, nullptr).outage->unknown, 0U);
}

}  // namespace
}  // namespace cnplay::testing
