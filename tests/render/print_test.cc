#include <gtest/gtest.h>

#include "plan/plan.h"
#include "plan/schedule.h"
#include "render/print.h"
#include "support/golden.h"
#include "support/plan/update_code.h"

namespace cnplay::testing {
namespace {

using namespace render;

PrintOptions at(const char* now) {
  PrintOptions options;
  options.now = *parse_time(now);
  return options;
}

TEST(PlanPrint, UpdateCode) {
  expect_golden("render/update_code.txt", print(update_code().plan, at("2026-11-20 21:30 UTC")));
}

TEST(PlanPrint, ManyHosts) {
  expect_golden("render/many_hosts.txt",
                print(update_code(40).plan, at("2026-11-20 23:50 Europe/Berlin")));
}

TEST(PlanPrint, WithoutClock) {
  expect_golden("render/without_clock.txt", print(update_code().plan, {}));
}

TEST(PlanPrint, NarrowAndInColour) {
  PrintOptions options = at("2026-11-20 21:30 UTC");
  options.width = 60;
  options.colour = true;
  expect_golden("render/narrow_colour.txt", print(update_code().plan, options));
}

Plan small() {
  PlanBuilder b;
  b.plan.play = "small";
  b.plan.inventory = "prod";
  b.plan.file = "small.play";
  for (int i = 1; i <= 9; ++i) b.host("app" + std::to_string(i));
  const std::vector<HostIndex> half{0, 1, 2, 3, 4};
  const std::vector<HostIndex> rest{5, 6, 7, 8};
  Action sh = b.action("sh");
  sh.check = kNone;
  b.plan.scripts[sh.apply].text = "redis-cli save\nredis-cli shutdown || true\n";
  Node& one = b.step("small/one", half, {sh}, {});
  one.tolerate = 2;
  one.title = "Stop redis";
  b.step("small/two", rest, {b.action("apt.update")}, same({0}));
  b.step("small/three", half, {b.action("apt.upgrade")}, same({0, 1}));
  b.node(NodeKind::barrier, "small/barrier", all({0, 1, 2}));
  Node& last = b.step("small/four", {0, 2, 4, 5, 6, 7}, {b.action("apt.upgrade")}, all({3}));
  std::vector<Value> values;
  for (int i = 0; i < 6; ++i) values.emplace_back("v" + std::to_string(i));
  last.actions[0].params = {Param{"version", Column(values, {0, 1, 2, 3, 4, 5}), false, false},
                            param("note", Value(std::string(400, 'x')))};
  last.tolerate = 9;
  b.plan.sections.push_back(Section{SectionKind::on_failure, {}, false});
  b.step("small/on_failure/say", half, {b.action("maintenance.place")}, {}, kNone, 1);
  b.plan.on_failure = {{Side::any, kNone, {{ResponseKind::section, Value(), {}, 1}}}};
  b.plan.sections.push_back(Section{SectionKind::always, {}, false});
  b.step("small/always/tidy", half, {b.action("maintenance.remove")}, {}, kNone, 2);
  return std::move(b.plan);
}

// Whatever a project calls its parts.
TEST(PlanPrint, ATitleBeginsNoLineOfOurs) {
  Plan p = small();
  p.title = "T\nforged";
  for (Node& node : p.nodes) node.title += "\nforged";
  for (Phase& phase : p.phases) phase.title += "\nforged";
  for (const PrintOptions& options : {PrintOptions{}, at("2026-11-20 21:30 UTC")}) {
    EXPECT_EQ(print(p, options).find("\nforged"), std::string::npos);
  }
}

// Steps that share no host are not ordered, though they are written one after the other.
TEST(PlanPrint, DisjointStepsAreConcurrent) {
  const Plan p = small();
  ASSERT_EQ(check_invariants(p), "");
  expect_golden("render/small.txt", print(p, at("2026-11-20 21:30 UTC")));
}

TEST(PlanPrint, ALineSaysWhatHostsWaitFor) {
  PlanBuilder b;
  b.plan.play = "waits";
  for (const char* name : {"web1", "web2", "db1"}) b.host(name);
  b.plan.sets.push_back({"web", {0, 1}});
  b.step("waits/copy", {2}, {b.action("sh")}, {});
  b.step("waits/look", {0, 1}, {b.action("sh")}, all({0}));
  b.step("waits/fix", {0, 1}, {b.action("sh")}, same({1}));
  b.step("waits/a", {0}, {b.action("sh")}, all({2}));
  b.step("waits/b", {1}, {b.action("sh")}, all({2}));
  b.step("waits/then", {2}, {b.action("sh")}, all({4}));
  const NodeId join = b.node(NodeKind::barrier, "waits/(join)", all({3, 5}));
  b.plan.nodes[join].title = "join";
  b.step("waits/end", {2}, {b.action("sh")}, all({6}));
  ASSERT_EQ(check_invariants(b.plan), "");
  expect_golden("render/waits.txt", print(b.plan, {}));
}

// What a person must know of the clock: whether all of it fits, and the way back as well.
TEST(PlanPrint, TheWindowADeadlineAndTheLastMinuteOfTheWayBack) {
  PlanBuilder b;
  b.plan.play = "launch";
  b.plan.inventory = "prod";
  const std::vector<HostIndex> web{b.host("web1"), b.host("web2")};
  const auto sync = b.phase("launch/sync", "Copy the files");
  b.step("launch/sync/copy", web, {b.action("sh")}, {}, sync).expect = Duration{90 * 60'000};
  b.plan.phases[sync].end = b.node(NodeKind::phase_end, "launch/sync/(end)", all({0}), sync);
  b.plan.sections.push_back(Section{SectionKind::rollback, {}, false});
  b.step("launch/rollback:dns/point", web, {b.action("sh")}, {}, kNone, 1).expect =
      Duration{20 * 60'000};
  b.plan.rollbacks.push_back({"dns", "Back to the old site", 1, "launch.play:9"});
  b.plan.deadlines.push_back(
      {0, Value(*parse_time("2026-12-02 01:45 UTC")), "dns", "launch.play:3"});
  b.plan.window = Window{Value(*parse_time("2026-12-01 22:00 UTC")),
                         Value(*parse_time("2026-12-02 02:00 UTC")), "launch.play:2"};
  ASSERT_EQ(check_invariants(b.plan), "");
  const auto copied = from_json(to_json(b.plan));
  ASSERT_TRUE(copied);
  EXPECT_EQ(hash(*copied), hash(b.plan));
  const std::string early = print(b.plan, at("2026-12-01 22:10 UTC"));
  expect_golden("render/launch.txt", early);
  EXPECT_NE(early.find("begun by 2026-12-02 01:40 UTC it ends within the window"),
            std::string::npos);
  // Begun at the deadline itself the way back would be too long.
  EXPECT_NE(early.find("dns ends 5 min after the window"), std::string::npos);
  const std::string late = print(b.plan, at("2026-12-02 01:00 UTC"));
  EXPECT_NE(late.find("does NOT FIT"), std::string::npos);
  EXPECT_NE(late.find("AFTER its deadline"), std::string::npos);
}

TEST(PlanPrint, HumanSteps) {
  PlanBuilder b;
  b.plan.play = "people";
  b.plan.inventory = "prod";
  b.plan.file = "people.play";
  for (const char* name : {"app1", "app2"}) b.host(name);
  b.step("people/one", {0, 1}, {b.action("apt.update")}, {});
  Node& disk = b.plan.nodes[b.node(NodeKind::human, "people/disk", all({0}))];
  disk.title = "Replace the disk";
  disk.expect = Duration{1'200'000};
  disk.human.emplace();
  disk.human->items = {Value("the old disk is out"), Value("the light is green")};
  disk.human->questions.push_back({"slot", FactType::int_, {}, Value("the slot that it is in")});
  Node& go = b.plan.nodes[b.node(NodeKind::human, "people/go", all({1}))];
  go.title = "Open the site?";
  go.timeout = Duration{7'200'000};
  go.human.emplace();
  go.human->kind = HumanKind::approve;
  go.human->by = {"ann", "@ops"};
  go.human->count = 2;
  go.human->fallback = Value(false);
  Node& how = b.plan.nodes[b.node(NodeKind::human, "people/how", all({2}))];
  how.human.emplace();
  how.human->kind = HumanKind::ask;
  how.human->questions.push_back({"how", FactType::string, {"fast", "slow"}, Value()});
  Node& last = b.step("people/last", {0, 1}, {b.action("apt.upgrade")}, all({3}));
  last.actions[0].params = {param("slot", deferred(fact(1, 0, "slot"))),
                            param("how", deferred(fact(3, 0, "how")))};
  ASSERT_EQ(check_invariants(b.plan), "");
  const auto copy = from_json(to_json(b.plan));
  ASSERT_TRUE(copy);
  EXPECT_EQ(to_json(*copy), to_json(b.plan));
  expect_golden("render/human.txt", print(b.plan, at("2026-11-20 21:30 UTC")));
}

TEST(PlanPrint, AnEmptyPlanPrints) {
  PlanBuilder b;
  b.plan.play = "nothing";
  EXPECT_NE(print(b.plan, {}).find("PLAN  nothing"), std::string::npos);
}

TEST(PlanSchedule, BranchesAndTimes) {
  const UpdateCode u = update_code();
  const Schedule s = schedule(u.plan, u.plan.sections[0], *parse_time("2026-11-20 21:30 UTC"));
  const auto seconds = [](int n) { return Duration{n * 1000}; };
  EXPECT_EQ(s.nodes[u.wait].end, seconds(1800));
  EXPECT_EQ(s.nodes[u.stop].begin, seconds(1800));
  EXPECT_EQ(s.nodes[u.packages].begin, seconds(1820));
  EXPECT_EQ(s.nodes[u.pivot].begin, seconds(1910));  // packages is longer than the snapshot
  EXPECT_EQ(s.phases[0].steps, seconds(20 + 90 + 120 + 15));
  EXPECT_EQ(s.phases[0].time->end - s.phases[0].time->begin, seconds(360));  // as it says
  EXPECT_EQ(s.total, seconds(1800 + 360));
  EXPECT_EQ(s.without_expect, 7U);
  std::size_t concurrent = 0;
  for (const Zone& z : s.zones) {
    if (z.lane_count == 1) continue;
    ++concurrent;
    EXPECT_EQ(z.lane_count, 2U);
    EXPECT_EQ(z.nodes.size(), 6U);
  }
  EXPECT_EQ(concurrent, 1U);
}

}  // namespace
}  // namespace cnplay::testing
