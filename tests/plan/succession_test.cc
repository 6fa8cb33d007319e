// What of a plan stands in the one that takes its place in the middle of a run, and what is the
// same there: by that it is decided what is done again.
#include "plan/succession.h"

#include <gtest/gtest.h>

#include <functional>

#include "support/plan/builder.h"

namespace cnplay::plan {
namespace {

using cnplay::testing::all;
using cnplay::testing::param;
using cnplay::testing::PlanBuilder;

// Two hosts, and `play/code` on both of them: a checkout, then an install.
PlanBuilder made() {
  PlanBuilder b;
  b.host("web1");
  b.host("web2");
  b.phase("play/cutover", "Cutover");
  Action checkout = b.action("git.checkout", {param("rev", Value(std::string("v1")))});
  Action install = b.action("pip.install", {param("packages", Value(std::string("django")))});
  Action back = b.action("git.checkout", {param("rev", Value(std::string("v0")))});
  Node& code = b.step("play/code", {0, 1}, {std::move(checkout), std::move(install)}, {}, 0);
  code.undo.push_back(std::move(back));
  b.node(NodeKind::pivot, "play/pivot", all({0}));
  return b;
}

TEST(Succession, WhatHasNotChangedIsTheSame) {
  const PlanBuilder before = made(), after = made();
  const Succession next(before.plan, after.plan);
  for (const HostIndex host : {0U, 1U}) {
    EXPECT_EQ(next.host(host), host);
    EXPECT_TRUE(next.same(0, host));
    EXPECT_TRUE(next.same_undo(0, host));
    EXPECT_EQ(next.common(0, host), 2U);
    EXPECT_TRUE(next.same(1, host)) << "a node for no host is the same for any";
  }
  EXPECT_EQ(next.phase(0), 0U);
}

TEST(Succession, StepsAreKnownByTheirPathsAndHostsByTheirNames) {
  const PlanBuilder before = made();
  PlanBuilder after;
  after.host("new");
  after.host("web2");
  after.phase("play/before", "Before");
  after.phase("play/cutover", "The cutover, by another title");
  after.step("play/first", {0}, {after.action("x")}, {}, 0);
  Node& code = after.step("play/code", {1}, made().plan.nodes[0].actions, {}, 1);
  code.undo = made().plan.nodes[0].undo;
  after.plan.scripts = before.plan.scripts;
  const Succession next(before.plan, after.plan);
  EXPECT_EQ(next.host(0), kNone);
  EXPECT_EQ(next.host(1), 1U);
  EXPECT_EQ(next.phase(0), 1U);
  EXPECT_EQ(next.node(0), 1U);
  EXPECT_EQ(next.node(1), kNone);
  EXPECT_TRUE(next.same(0, 1));
  EXPECT_FALSE(next.same(0, 0)) << "its host is gone";
  EXPECT_EQ(next.common(0, 0), 0U);
  EXPECT_FALSE(next.same(1, 1)) << "it is gone";
}

TEST(Succession, AHostThatTheStepIsNotForAnyMoreHasNothingDone) {
  const PlanBuilder before = made();
  PlanBuilder after = made();
  after.plan.nodes[0].hosts = {1};
  const Succession next(before.plan, after.plan);
  EXPECT_FALSE(next.same(0, 0));
  EXPECT_EQ(next.common(0, 0), 0U);
  EXPECT_FALSE(next.same_undo(0, 0));
  EXPECT_TRUE(next.same(0, 1));
}

TEST(Succession, ANodeOfAnotherKindIsAnotherNode) {
  const PlanBuilder before = made();
  PlanBuilder after = made();
  after.plan.nodes[1].kind = NodeKind::wait;
  EXPECT_EQ(Succession(before.plan, after.plan).node(1), kNone);
}

TEST(Succession, WhatDoesNotTouchWhatWasDoneDoesNotCount) {
  const PlanBuilder before = made();
  PlanBuilder after = made();
  Node& code = after.plan.nodes[0];
  code.title = "Bring the code";
  code.retry.times = 3;
  code.timeout = Duration{60'000};
  code.expect = Duration{10'000};
  code.tolerate = 1;
  code.tags = {"web"};
  code.where = "elsewhere.play:1";
  const Succession next(before.plan, after.plan);
  EXPECT_TRUE(next.same(0, 0));
  EXPECT_EQ(next.common(0, 0), 2U);
}

TEST(Succession, AnActionIsTheSameOnOneHostAndAnotherOnTheNext) {
  const PlanBuilder before = made();
  PlanBuilder after = made();
  after.plan.nodes[0].actions[0].params[0].value =
      Column({Value(std::string("v1")), Value(std::string("v2"))}, {0, 1});
  const Succession next(before.plan, after.plan);
  EXPECT_TRUE(next.same(0, 0));
  EXPECT_EQ(next.common(0, 0), 2U);
  EXPECT_FALSE(next.same(0, 1));
  EXPECT_EQ(next.common(0, 1), 0U);
  EXPECT_TRUE(next.same_undo(0, 1)) << "the way back from it has not changed";
}

TEST(Succession, WhatIsCommonEndsWithTheFirstActionThatIsAnother) {
  const auto with = [](const std::function<void(PlanBuilder&, Node&)>& change) {
    const PlanBuilder before = made();
    PlanBuilder after = made();
    change(after, after.plan.nodes[0]);
    const Succession next(before.plan, after.plan);
    EXPECT_FALSE(next.same(0, 0));
    return next.common(0, 0);
  };
  const auto script = [](PlanBuilder& b, Action& a) { a.apply = b.script("another\n"); };
  EXPECT_EQ(with([&](PlanBuilder& b, Node& n) { script(b, n.actions[1]); }), 1U);
  EXPECT_EQ(with([&](PlanBuilder& b, Node& n) { script(b, n.actions[0]); }), 0U);
  EXPECT_EQ(with([](PlanBuilder& b, Node& n) { n.actions.push_back(b.action("more")); }), 2U);
  EXPECT_EQ(with([](PlanBuilder&, Node& n) { n.actions.pop_back(); }), 1U);
  EXPECT_EQ(with([](PlanBuilder&, Node& n) { n.actions[1].become = "root"; }), 1U);
  EXPECT_EQ(with([](PlanBuilder&, Node& n) { n.when = Column(Value(true)); }), 2U);
}

TEST(Succession, TheWayBackIsComparedByItself) {
  const PlanBuilder before = made();
  PlanBuilder after = made();
  after.plan.nodes[0].undo[0].params[0].value = Column(Value(std::string("v0.9")));
  const Succession next(before.plan, after.plan);
  EXPECT_FALSE(next.same(0, 0));
  EXPECT_EQ(next.common(0, 0), 2U);
  EXPECT_FALSE(next.same_undo(0, 0));
  PlanBuilder none = made();
  none.plan.nodes[0].undo.clear();
  EXPECT_FALSE(Succession(before.plan, none.plan).same_undo(0, 0));
}

}  // namespace
}  // namespace cnplay::plan
