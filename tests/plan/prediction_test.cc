#include "plan/prediction.h"

#include <gtest/gtest.h>

#include "support/golden.h"
#include "support/plan/update_code.h"

namespace cnplay::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Cobalt's upgrade, in small: a freeze and a dump of the outage, then tests of unknown length.
struct Upgrade {
  Plan plan;
  NodeId freeze{}, dump{}, test{}, thaw{}, tidy{};

  Upgrade() {
    PlanBuilder b;
    b.plan.play = "upgrade";
    b.plan.inventory = "prod";
    b.plan.file = "upgrade.play";
    b.host("app1");
    const auto down = b.phase("upgrade/cutover", "Cutover");
    b.plan.phases[down].outage = true;
    const auto step = [&](const char* path, std::optional<Duration> expect, std::uint32_t phase,
                          std::vector<Edge> after) {
      Node& n = b.step(path, {0}, {b.action("sh")}, std::move(after), phase);
      n.expect = expect;
      return n.id;
    };
    freeze = step("upgrade/cutover/freeze", minutes{5}, down, {});
    dump = step("upgrade/cutover/dump", minutes{10}, down, same({freeze}));
    test = step("upgrade/cutover/test", minutes{60}, down, same({dump}));
    thaw = step("upgrade/cutover/thaw", minutes{5}, down, same({test}));
    const auto end = b.node(NodeKind::phase_end, "upgrade/cutover/end", all({thaw}), down);
    b.plan.phases[down].end = end;
    tidy = step("upgrade/tidy", minutes{5}, kNone, all({end}));
    b.plan.nodes[test].actions[0].apply = kNone;
    plan = std::move(b.plan);
  }
};

Past past() {
  Past p;
  p.inventory = "prod";
  p.runs = 3;
  return p;
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

TEST(Prediction, AsPrinted) {
  Upgrade u;
  Past p = past();
  p.steps = {{u.dump, 3, minutes{8}, minutes{12}}, {u.test, 1, minutes{30}, minutes{30}}};
  PrintOptions options;
  options.now = *parse_time("2026-11-20 21:30 UTC");
  options.past = &p;
  u.plan.nodes[u.tidy].expect.reset();
  u.plan.phases[0].budget = minutes{50};
  Notification page;
  page.on_failure = page.on_parked = true;
  page.command = {"/usr/local/bin/page", "web"};
  u.plan.notifications.push_back(page);
  expect_golden("plan/predicted.txt", print(u.plan, options));
  p.inventory = "staging";
  EXPECT_NE(print(u.plan, options).find("the last 3 runs on staging: there is none on prod"),
            std::string::npos);
  const Past none{"prod", 0, {}};
  options.past = &none;
  EXPECT_NE(print(u.plan, options).find("by `expect`: no run of this play"), std::string::npos);
}

}  // namespace
}  // namespace cnplay::testing
