// The record of a run whose play was changed in its middle, told in terms of the plan in force.
#include "journal/plans.h"

#include <gtest/gtest.h>

#include "support/plan/builder.h"

namespace cnplay::journal {
namespace {

using cnplay::testing::all;
using cnplay::testing::param;
using cnplay::testing::PlanBuilder;
using plan::HostIndex;
using plan::kNone;
using plan::NodeId;
using plan::NodeKind;
using plan::Value;

// `a` (two actions) and `b` on two hosts, and a question.
PlanBuilder made() {
  PlanBuilder b;
  b.host("web1");
  b.host("web2");
  b.phase("play", "Play");
  b.phase("play/cutover", "Cutover", 0);
  std::vector<plan::Action> actions;
  actions.push_back(b.action("x", {param("v", Value(std::string("1")))}));
  actions.push_back(b.action("y", {param("v", Value(std::string("1")))}));
  b.step("play/a", {0, 1}, std::move(actions), {}, 1).undo.push_back(b.action("z"));
  b.step("play/b", {0, 1}, {b.action("w")}, all({0}), 1);
  plan::Human human;
  human.kind = plan::HumanKind::ask;
  human.questions.push_back({"port", plan::FactType::int_, {}, Value(std::string("Which?"))});
  plan::Node& ask = b.plan.nodes[b.node(NodeKind::human, "play/ask", all({1}))];
  ask.human = std::move(human);
  return b;
}

events::Event ended(NodeId node, HostIndex host, std::uint32_t action,
                    events::Part part = events::Part::forward) {
  events::ActionEnded e;
  e.node = node;
  e.host = host;
  e.action = action;
  e.part = part;
  return {1, {}, std::move(e)};
}

// After the merge: "path host" of each, `-` before what the plan in force has not in its sections.
std::vector<std::string> told(const plan::Plan& merged, std::size_t nodes,
                              const std::vector<events::Event>& events) {
  std::vector<std::string> out;
  for (const events::Event& event : events) {
    const auto& e = std::get<events::ActionEnded>(event.what);
    out.push_back((e.node < nodes ? "" : "-") + merged.node(e.node).path + " " +
                  merged.hosts.at(e.host).name);
  }
  return out;
}

using Lines = std::vector<std::string>;

TEST(Plans, WhatIsTheSameKeepsItsPlace) {
  plan::Plan merged = made().plan;
  const plan::Plan before = made().plan, after = made().plan;
  std::vector<events::Event> events = {ended(0, 0, 0), ended(0, 1, 1), ended(1, 1, 0)};
  merge(merged, before, after, events);
  EXPECT_EQ(merged.nodes.size(), after.nodes.size()) << "nothing had to be kept";
  EXPECT_EQ(told(merged, 3, events), (Lines{"play/a web1", "play/a web2", "play/b web2"}));
}

TEST(Plans, WhatIsGoneStandsBehindThePlanAndInNoSection) {
  plan::Plan merged = made().plan;
  const plan::Plan before = made().plan;
  PlanBuilder after;
  after.host("web2");
  after.phase("play", "Play");
  after.step("play/b", {0}, {made().plan.nodes[1].actions}, {}, 0);
  after.plan.scripts = before.scripts;
  std::vector<events::Event> events = {ended(0, 0, 1), ended(1, 0, 0), ended(1, 1, 0)};
  merge(merged, before, after.plan, events);
  EXPECT_EQ(told(merged, 1, events), (Lines{"-play/a web1", "-play/b web1", "play/b web2"}));
  EXPECT_EQ(merged.sections[0].nodes, (std::vector<NodeId>{0}));
  // All that is needed to show it: its host, its phase and the phase around that, its actions.
  const plan::Node& gone = merged.node(std::get<events::ActionEnded>(events[0].what).node);
  ASSERT_EQ(gone.actions.size(), 2U);
  EXPECT_EQ(gone.actions[1].module, "y");
  EXPECT_TRUE(gone.actions[1].params.empty()) << "it can be shown, not run";
  EXPECT_EQ(gone.undo.size(), 1U);
  ASSERT_NE(gone.phase, kNone);
  EXPECT_EQ(merged.phases.at(gone.phase).path, "play/cutover");
  EXPECT_EQ(merged.phases.at(gone.phase).parent, 0U) << "the phase of that path in the new plan";
}

TEST(Plans, AnActionThatIsAnotherWasDoneByAStepThatIsGone) {
  plan::Plan merged = made().plan;
  const plan::Plan before = made().plan;
  PlanBuilder after = made();
  after.plan.nodes[0].actions[1].become = "root";
  std::vector<events::Event> events = {ended(0, 0, 0), ended(0, 0, 1),
                                       ended(0, 0, 0, events::Part::undo)};
  merge(merged, before, after.plan, events);
  EXPECT_EQ(told(merged, 3, events), (Lines{"play/a web1", "-play/a web1", "play/a web1"}));
}

TEST(Plans, AnAnswerToAQuestionThatIsAnotherIsNoneToTheNewOne) {
  const plan::Plan before = made().plan;
  PlanBuilder other = made();
  other.plan.nodes[2].human->questions[0].type = plan::FactType::string;
  for (const bool changed : {false, true}) {
    plan::Plan merged = before;
    events::HumanAnswered answer;
    answer.node = 2;
    std::vector<events::Event> events = {{1, {}, answer}};
    merge(merged, before, changed ? other.plan : before, events);
    const NodeId node = std::get<events::HumanAnswered>(events[0].what).node;
    EXPECT_EQ(node, changed ? 3U : 2U);
    EXPECT_EQ(merged.node(node).human->questions.at(0).name, "port");
  }
}

TEST(Plans, ARunThatWentOnFromAStepThatIsGoneGoesOnFromTheNextThatIsLeft) {
  const plan::Plan before = made().plan;
  PlanBuilder after = made();
  after.plan.nodes[0].path = "play/other";
  plan::Plan merged = before;
  events::RunResumed resumed;
  resumed.from = 0;
  std::vector<events::Event> events = {{1, {}, resumed}};
  merge(merged, before, after.plan, events);
  EXPECT_EQ(std::get<events::RunResumed>(events[0].what).from, NodeId{1});
}

// The play was changed twice: what the first change took away is still told of after the second.
TEST(Plans, MergedOnceMoreNothingOfTheRecordIsLost) {
  const plan::Plan first = made().plan;
  PlanBuilder second = made();
  second.plan.nodes[1].path = "play/c";
  PlanBuilder third = made();
  third.plan.nodes[0].path = "play/d";
  third.plan.hosts[0].name = "db1";
  plan::Plan merged = first;
  std::vector<events::Event> events = {ended(0, 0, 0), ended(1, 1, 0)};
  merge(merged, first, second.plan, events);
  EXPECT_EQ(told(merged, 3, events), (Lines{"play/a web1", "-play/b web2"}));
  events.push_back(ended(1, 0, 0));
  merge(merged, second.plan, third.plan, events);
  EXPECT_EQ(told(merged, 3, events), (Lines{"-play/a web1", "-play/b web2", "-play/c web1"}));
}

}  // namespace
}  // namespace cnplay::journal
