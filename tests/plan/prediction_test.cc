#include "plan/prediction.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
    b.plan.nodes[test].testing = true;
    plan = std::move(b.plan);
  }
};

Past past() {
  Past p;
  p.inventory = "prod";
  p.runs = 3;
  return p;
}

// Somebody looks at the new system for an hour: a step of people, who say that it is a test.
struct ByHand : Upgrade {
  explicit ByHand(bool testing) {
    Node& look = plan.nodes[test];
    look.kind = NodeKind::human;
    look.hosts.clear();
    look.actions.clear();
    look.human.emplace();
    look.testing = testing;
    for (const NodeId id : {test, thaw}) plan.nodes[id].after[0].kind = EdgeKind::all_hosts;
  }
};

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

TEST(Prediction, AsJson) {
  const ByHand u(true);
  Past seen;
  seen.inventory = "staging";
  seen.runs = 2;
  seen.steps.push_back({u.dump, 2, Duration{minutes{8}}, Duration{minutes{9}}});
  const Time now{Instant{Duration{1'790'000'000'000}}, "UTC"};
  const std::string text = to_json(u.plan, now, &seen);
  ASSERT_TRUE(from_json(text)) << "who reads a plan passes over it";
  const auto all = nlohmann::json::parse(text);
  const auto& out = all["prediction"];
  EXPECT_EQ(all["version"], 1);
  EXPECT_EQ(out["now"], "2026-09-21T14:13:20.000Z");
  EXPECT_EQ(out["source"],
            nlohmann::json::parse(R"({"by":"past runs","runs":2,"inventory":"staging"})"));
  const auto ms = [](std::int64_t m) { return m * 60'000; };
  EXPECT_EQ(out["outage"]["expect_ms"], ms(80));
  EXPECT_EQ(out["outage"]["median_ms"], ms(78));
  EXPECT_EQ(out["outage"]["worst_ms"], ms(79));
  EXPECT_EQ(out["outage_excluding_testing"]["median_ms"], ms(18));
  EXPECT_EQ(out["total"]["begins"], "2026-09-21T14:13:20.000Z");
  EXPECT_EQ(out["total"]["ends"], "2026-09-21T15:36:20.000Z");
  EXPECT_EQ(out["phases"][0]["phase"], "upgrade/cutover");
  EXPECT_EQ(out["phases"][0]["ends"], "2026-09-21T15:31:20.000Z");
  ASSERT_EQ(out["steps"].size(), 5u);
  const auto& dump = out["steps"][1];
  EXPECT_EQ(dump["source"], "past runs");
  EXPECT_EQ(dump["past_runs"], 2);
  EXPECT_EQ(dump["expect_ms"], ms(10));
  EXPECT_EQ(dump["worst_ms"], ms(9));
  EXPECT_EQ(dump["begins"], "2026-09-21T14:18:20.000Z");
  EXPECT_EQ(dump["ends"], "2026-09-21T14:26:20.000Z");
  EXPECT_EQ(out["steps"][2]["source"], "expect");
  EXPECT_EQ(out["steps"][2]["test"], true);
  EXPECT_TRUE(out["steps"][2]["median_ms"].is_null());
}

TEST(Prediction, AsJsonWithoutAnyPast) {
  Upgrade u;
  u.plan.nodes[u.test].expect.reset();
  const auto out =
      nlohmann::json::parse(to_json(u.plan, Time{Instant{}, "UTC"}, nullptr))["prediction"];
  EXPECT_EQ(out["source"], nlohmann::json::parse(R"({"by":"expect"})"));
  EXPECT_TRUE(out["steps"][2]["source"].is_null());
  EXPECT_EQ(out["total"]["unknown_steps"], 1);
  EXPECT_TRUE(out["total"]["median_ms"].is_null());
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
  const Past none{"prod", 0, {}};
  options.past = &none;
  EXPECT_NE(print(u.plan, options).find("by `expect`: no run of this play"), std::string::npos);
}

}  // namespace
}  // namespace cnplay::testing
