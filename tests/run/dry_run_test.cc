// --check: what a run would change, and nothing that is not known.
#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Verdict;
using Lines = std::vector<std::string>;

struct Dry : Fixture {
  explicit Dry(std::size_t hosts) : Fixture(hosts) { options.mode = events::Mode::check; }
};

plan::Param path(const std::string& name, const std::string& value) {
  return Builder::param(name, plan::Value(value), true);
}

TEST(DryRun, SaysWhatWouldChangeAndNeverApplies) {
  Dry f(2);
  f.b.step("a");
  Builder::no_check(f.b.step("sh").actions[0]);
  f.hosts.on("a#0", 1, {{Will::ok}});
  const RunResult result = f.run();
  EXPECT_EQ(result.verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 would_change", "h1 ok"}));
  EXPECT_EQ(f.outcomes("sh"), (Lines{"h0 would_run", "h1 would_run"}));
  EXPECT_EQ(f.hosts.count("sh#0"), 0u);
  EXPECT_NE(result.advice.find("nothing was changed"), std::string::npos);
}

TEST(DryRun, ItsTimesAreComparedWithNothing) {
  Dry f(1);
  f.b.step("a").expect = std::chrono::minutes(1);
  f.options.past = plan::Past{"staging", 1, {{0, 1, Duration{1000}, Duration{1000}}}};
  f.run();
  const events::RunEnded ended = f.ended();
  ASSERT_FALSE(ended.steps.empty());
  EXPECT_FALSE(ended.steps[0].expect);
  EXPECT_FALSE(ended.steps[0].usual);
  EXPECT_FALSE(ended.outage);
}

TEST(DryRun, APreviewStandsInForTheChangedPath) {
  Dry f(1);
  plan::Node& code = f.b.step("code");
  code.actions[0].params = {path("dir", "/cnhome")};
  code.actions[0].writes = {"dir"};
  code.actions[0].preview = f.b.script("code#0 preview");
  plan::Node& pip = f.b.step("pip");
  pip.actions[0].params = {path("venv", "/srv/venv"), path("requirements", "/cnhome/req.txt"),
                           path("other", "/cnhome2/x")};
  EXPECT_EQ(f.run().verdict, Verdict::success);
  const auto& variables = f.hosts.started("pip#0").at(0)->task.variables;
  EXPECT_EQ(variables[0].value, "/srv/venv");
  EXPECT_EQ(variables[1].value, "/tmp/preview/code/req.txt");
  EXPECT_EQ(variables[2].value, "/cnhome2/x");
}

TEST(DryRun, WithoutAPreviewWhatTouchesThePathDepends) {
  Dry f(1);
  plan::Node& code = f.b.step("code");
  code.actions[0].params = {path("dir", "/cnhome")};
  code.actions[0].writes = {"dir"};
  const std::pair<const char*, const char*> cases[] = {
      {"/cnhome/x", "depends"},     {"/cnhome", "depends"},   {"/", "depends"},
      {"/cnhomes", "would_change"}, {"/srv", "would_change"},
  };
  for (const auto& [where, outcome] : cases) {
    f.b.step(std::string("at") + where).actions[0].params = {path("p", where)};
  }
  EXPECT_EQ(f.run().verdict, Verdict::success);
  for (const auto& [where, outcome] : cases) {
    EXPECT_EQ(f.outcomes(std::string("at") + where), (Lines{std::string("h0 ") + outcome}));
  }
}

void depend(Dry& f, plan::Node& later, plan::NodeId on, std::vector<plan::HostIndex> hosts = {}) {
  later.actions[0].depends_on = {{on, 0, "service:nginx", std::move(hosts)}};
  f.hosts.on(later.title + "#0", {{Will::ok}});
}

TEST(DryRun, ALookAtAThingDependsOnTheStepThatWouldHaveChangedIt) {
  Dry f(2);
  const plan::NodeId stop = f.b.step("stop").id;
  f.b.plan.nodes[stop].actions[0].touches = {"service:nginx"};
  f.hosts.on("stop#0", 1, {{Will::ok}});
  depend(f, f.b.step("start"), stop);
  f.b.plan.nodes.back().actions[0].touches = {"service:nginx"};
  const plan::NodeId start = f.b.plan.nodes.back().id;
  depend(f, f.b.step("again"), start);  // what depends might change something, too
  depend(f, f.b.step("elsewhere"), stop, {1});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("start"), (Lines{"h0 depends", "h1 ok"}));
  EXPECT_EQ(f.outcomes("again"), (Lines{"h0 depends", "h1 ok"}));
  EXPECT_EQ(f.outcomes("elsewhere"), (Lines{"h0 ok", "h1 ok"}));
  for (const auto& e : f.recorder.all<events::ActionEnded>()) {
    if (e.node != start || e.host != 0) continue;
    EXPECT_EQ(e.reason, "depends on what `stop` would change, service:nginx");
  }
}

TEST(DryRun, AStepWhoseConditionDependsMightChangeItsThings) {
  Dry f(1);
  plan::Node& look = f.b.step("look");
  look.actions[0].returns = {{"size", plan::FactType::int_}};
  look.actions[0].touches = {"service:other"};
  f.hosts.on("look#0", {{Will::change, {{"size", "3"}}}});
  const plan::NodeId looked = look.id;
  plan::Node& stop = f.b.step("stop");
  stop.when = plan::Column(Builder::fact(looked, "size"));
  stop.actions[0].touches = {"service:nginx"};
  const plan::NodeId stopped = stop.id;
  depend(f, f.b.step("start"), stopped);
  f.run();
  EXPECT_EQ(f.outcomes("stop"), Lines{"h0 depends"});
  EXPECT_EQ(f.outcomes("start"), Lines{"h0 depends"});
}

TEST(DryRun, BehindAStepWhoseEffectNobodyKnowsOkIsOfNow) {
  Dry f(2);
  f.b.step("before");
  f.hosts.on("before#0", {{Will::ok}});
  Builder::no_check(f.b.step("script", {0}).actions[0]);
  f.b.step("after");
  f.hosts.on("after#0", {{Will::ok}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  std::vector<std::string> reasons;
  for (const auto& e : f.recorder.all<events::ActionEnded>()) reasons.push_back(e.reason);
  EXPECT_EQ(f.outcomes("after"), (Lines{"h0 ok", "h1 ok"}));
  EXPECT_EQ(
      std::ranges::count(reasons, "as it is now: `script` would run before, and may change it"), 1);
}

TEST(DryRun, NothingDependsWhereNothingWouldChange) {
  Dry f(1);
  plan::Node& code = f.b.step("code");
  code.actions[0].params = {path("dir", "/cnhome")};
  code.actions[0].writes = {"dir"};
  f.hosts.on("code#0", {{Will::ok}});
  f.b.step("pip").actions[0].params = {path("p", "/cnhome/x")};
  f.run();
  EXPECT_EQ(f.outcomes("pip"), (Lines{"h0 would_change"}));
}

TEST(DryRun, WhatReadsAFactOfAnUnappliedChangeDepends) {
  Dry f(2);
  plan::Node& a = f.b.step("a");
  a.actions[0].returns = {{"x", plan::FactType::bool_}};
  f.b.step("param").actions[0].params = {Builder::param("x", Builder::fact(a.id, "x"))};
  f.b.step("when").when = plan::Column(Builder::fact(a.id, "x"));
  f.hosts.on("a#0", 0, {{Will::change, {{"x", "true"}}}});
  f.hosts.on("a#0", 1, {{Will::ok, {{"x", "true"}}}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.outcomes("param"), (Lines{"h0 depends", "h1 would_change"}));
  EXPECT_EQ(f.outcomes("when"), (Lines{"h0 depends", "h1 would_change"}));
}

TEST(DryRun, ChecksOnlyLookIfNothingWouldChangeBefore) {
  for (const bool change : {true, false}) {
    Dry f(2);
    f.b.step("a");
    f.b.barrier();
    Builder::no_apply(f.b.step("http").actions[0]);
    f.hosts.on("a#0", {{Will::ok}});
    if (change) f.hosts.on("a#0", 1, {{Will::change}});
    f.hosts.on("http#0", {{Will::ok}});
    EXPECT_EQ(f.run().verdict, Verdict::success);
    EXPECT_EQ(f.outcomes("http"),
              change ? (Lines{"h0 depends", "h1 depends"}) : (Lines{"h0 ok", "h1 ok"}));
  }
}

TEST(DryRun, HandlersWaitsPivotsUndoAndLocks) {
  Dry f(1);
  const plan::NodeId reload = f.b.handler("reload").id;
  plan::Node& a = f.b.step("a");
  a.actions[0].notify = {reload};
  f.b.undo(a);
  Time far;
  far.at = FakeClock::start + Duration(3'600'000);
  f.b.wait("start", plan::Value(far));
  f.b.pivot();
  f.b.step("b");
  f.b.plan.locks = {"x"};
  f.hosts.hold_lock(0, "bob");
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_LT(f.clock.steady(), Duration(60'000));
  EXPECT_NE(f.notices().find("would wait until"), std::string::npos);
  EXPECT_EQ(f.outcomes("(reload)"), (Lines{"h0 would_run"}));
  EXPECT_EQ(f.hosts.count("reload#0"), 0u);
}

TEST(DryRun, AFailedCheckEndsItWithoutUndo) {
  Dry f(1);
  f.b.undo(f.b.step("a"));
  f.b.step("b");
  f.hosts.on("b#0", {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.hosts.count("a!0"), 0u);
  EXPECT_TRUE(f.recorder.all<events::UndoStarted>().empty());
}

}  // namespace
}  // namespace cnplay::run::test
