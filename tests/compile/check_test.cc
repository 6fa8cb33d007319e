// `let todo = check on web { ... }` in a plan: the document's example, and what waits for it.
#include <gtest/gtest.h>

#include "plan/choice.h"
#include "plan/eval.h"
#include "support/compile/world.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

constexpr const char* kInventory = "inventory i { group web { host w[1..2] } }\n";

std::string play_of(const std::string& body) {
  return "play p \"P\" {\n  hosts web = group(\"web\")\n  let app: path = \"/srv/app\"\n"
         "  let venv: path = \"/srv/venv\"\n"
         "  let site = { dir: app, venv: venv, settings: \"s\" }\n"
         "  let start = now + 30m\n" +
         body + "}\n";
}

const plan::Node& node_of(const plan::Plan& plan, const std::string& name) {
  for (const plan::Node& node : plan.nodes) {
    if (name_of(node) == name) return node;
  }
  throw std::logic_error("no node " + name);
}

TEST(CheckInAPlan, TheExampleOfTheLanguagesDocument) {
  const std::string document = read_text(source_directory() / "docs/language.md");
  const std::string mark = "<!-- check -->\n```\n";
  const std::size_t begin = document.find(mark);
  ASSERT_NE(begin, std::string::npos);
  const std::string example = document.substr(
      begin + mark.size(), document.find("\n```", begin + mark.size()) - begin - mark.size() + 1);
  const auto world = compile_text(play_of(example), kInventory);
  ASSERT_TRUE(world->plan) << world->text();
  const plan::Plan& plan = *world->plan;
  EXPECT_EQ(plan::check_invariants(plan), "");
  const plan::Node& todo = node_of(plan, "todo");
  ASSERT_EQ(todo.actions.size(), 2u);
  for (const plan::Action& action : todo.actions) {
    EXPECT_TRUE(action.alone);
    EXPECT_EQ(action.apply, plan::kNone);
    EXPECT_NE(action.check, plan::kNone);
  }
  EXPECT_EQ(plan::describe(node_of(plan, "announce").when.at(0), plan), "todo");
  EXPECT_EQ(plan::describe(node_of(plan, "(wait)").when.at(0), plan), "todo");
  EXPECT_EQ(plan::describe(plan.phases.at(0).when, plan), "todo");
  // Its steps do not repeat it, and need it.
  const plan::Node& code = node_of(plan, "cutover/code");
  EXPECT_TRUE(code.when.empty());
  EXPECT_EQ(plan::reads_fact_of(plan, code, [](plan::NodeId) { return true; }), todo.id);
}

TEST(CheckInAPlan, WhatFollowsOnTheSameHostsWaitsForAllOfThem) {
  const auto world =
      compile_text(play_of("  let todo = check on web { git.rebase(dir: app, onto: \"x\") }\n"
                           "  step work on web when todo { git.rebase(dir: app, onto: \"x\") }\n"),
                   kInventory);
  ASSERT_TRUE(world->plan) << world->text();
  const plan::Node& work = node_of(*world->plan, "work");
  ASSERT_EQ(work.after.size(), 1u);
  EXPECT_EQ(work.after[0].kind, plan::EdgeKind::all_hosts);
}

TEST(CheckInAPlan, APlanWithOneIsReadBackAsItWasWritten) {
  const auto world =
      compile_text(play_of("  let todo = check on web { git.rebase(dir: app, onto: \"x\") }\n"
                           "  phase one \"One\" when todo {\n"
                           "    step work on web { git.rebase(dir: app, onto: \"x\") }\n  }\n"),
                   kInventory);
  ASSERT_TRUE(world->plan) << world->text();
  const auto again = plan::from_json(plan::to_json(*world->plan));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(plan::hash(*again), plan::hash(*world->plan));
  EXPECT_FALSE(again->phases.at(0).when.is_none());
}

}  // namespace
}  // namespace cnplay::testing
