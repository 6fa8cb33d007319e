#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "render/print.h"
#include "support/golden.h"
#include "support/plan/upgrade.h"

namespace cnplay::testing {
namespace {

using namespace render;

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
  expect_golden("render/predicted.txt", print(u.plan, options));
  const Past none{"prod", 0, {}};
  options.past = &none;
  EXPECT_NE(print(u.plan, options).find("by `expect`: no run of this play"), std::string::npos);
}

}  // namespace
}  // namespace cnplay::testing
