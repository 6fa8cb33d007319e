// What of a play is carried out, from the command line: options, questions, what has changed.
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/changed.h"
#include "cli/options.h"
#include "cli/step_prompter.h"
#include "cli/wiring.h"
#include "support/cli/pipes.h"

namespace cnplay::cli {
namespace {

using Lines = std::vector<std::string>;
using Said = run::StepPrompter::Said;

std::variant<Options, int> read(std::vector<std::string> words) {
  words.insert(words.begin(), "cnplay");
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  return read_options(static_cast<int>(argv.size()), argv.data());
}

TEST(Options, OfAPart) {
  const auto run =
      std::get<Options>(read({"-i", "staging", "x.play", "--tags", "a,b", "--skip-tags", "c",
                              "--start-at", "p/code", "--step", "--incident", "INC-7"}));
  EXPECT_EQ(run.tags, "a,b");
  EXPECT_EQ(run.skip_tags, "c");
  EXPECT_EQ(run.start_at, "p/code");
  EXPECT_EQ(run.incident, "INC-7");
  EXPECT_TRUE(run.stepwise);
  EXPECT_FALSE(run.yes);
  EXPECT_TRUE(std::get<Options>(read({"-i", "staging", "x.play", "-y"})).yes);
  EXPECT_EQ(std::get<Options>(read({"plan", "-i", "a", "x.play", "--tags", "a"})).tags, "a");
  EXPECT_EQ(std::get<Options>(read({"check", "-i", "a", "x.play", "--tags", "a"})).tags, "a");
  const auto resume = std::get<Options>(read({"resume", "2026", "--from", "code", "-y"}));
  EXPECT_EQ(resume.from, "code");
  EXPECT_TRUE(resume.yes);
}

TEST(Ticket, IsOneLineOfText) {
  EXPECT_EQ(*read_ticket("  INC-7 the disk is full \r"), "INC-7 the disk is full");
  for (const std::string& bad :
       {std::string(), std::string(" \t"), std::string("a\nb"), std::string("a\x1b[2J"),
        std::string(201, 'x'), std::string("\xff")}) {
    EXPECT_FALSE(read_ticket(bad)) << bad;
  }
}

using Asked = test::Pipes;

TEST_F(Asked, BeforeAStep) {
  TerminalStepPrompter prompter(in_[0], out_[1]);
  for (const auto& [typed, said] :
       std::vector<std::pair<std::string, Said>>{{"y\n", Said::run},
                                                 {"yes\n", Said::run},
                                                 {"no\n", Said::skip},
                                                 {"all\n", Said::run_all},
                                                 {"abort\n", Said::abort}}) {
    prompter.begin("code on web1", "");
    EXPECT_NE(shown().find("code on web1\n"), std::string::npos);
    EXPECT_FALSE(prompter.poll());
    type(typed);
    EXPECT_EQ(prompter.poll(), said) << typed;
    prompter.end("");
  }
}

TEST_F(Asked, WhatOthersNeedIsNotSkippedAndNonsenseIsAskedAgain) {
  TerminalStepPrompter prompter(in_[0], out_[1]);
  prompter.begin("code on web1", "migrate");
  shown();
  type("no\nperhaps\n");
  EXPECT_FALSE(prompter.poll());
  const std::string text = shown();
  EXPECT_NE(text.find("it cannot be skipped: `migrate` reads its facts"), std::string::npos);
  EXPECT_NE(text.find("not understood"), std::string::npos);
}

TEST_F(Asked, TheEndOfTheInputIsAbort) {
  TerminalStepPrompter prompter(in_[0], out_[1]);
  prompter.begin("code on web1", "");
  ::close(in_[1]);
  EXPECT_EQ(prompter.poll(), Said::abort);
  in_[1] = ::dup(in_[0]);
}

plan::Plan a_plan() {
  plan::Plan plan;
  plan.play = "p";
  for (const char* name : {"web1", "web2"}) {
    plan.hosts.emplace_back();
    plan.hosts.back().name = name;
  }
  plan.sections.push_back({plan::SectionKind::main, {}, false});
  for (const char* path : {"p/code", "p/check[a]", "p/check[b]", "p/x/code"}) {
    plan::Node node;
    node.id = static_cast<plan::NodeId>(plan.nodes.size());
    node.path = path;
    node.hosts = {0, 1};
    plan::Action action;
    action.module = "sh";
    action.params.push_back({"dir", plan::Column(plan::Value(std::string("/srv"))), false, false});
    node.actions.push_back(action);
    plan.sections[0].nodes.push_back(node.id);
    plan.nodes.push_back(std::move(node));
  }
  return plan;
}

TEST(FindStep, ByItsPathOrTheEndOfIt) {
  const plan::Plan plan = a_plan();
  EXPECT_EQ(*find_step(plan, "x/code"), 3u);
  EXPECT_EQ(*find_step(plan, "p/code"), 0u);
  EXPECT_EQ(*find_step(plan, "check"), 1u);
  EXPECT_EQ(*find_step(plan, "check[b]"), 2u);
  EXPECT_NE(find_step(plan, "code").error().what.find("may be"), std::string::npos);
  EXPECT_NE(find_step(plan, "none").error().help.find("x/code"), std::string::npos);
}

TEST(PlanChanges, NameTheSteps) {
  const plan::Plan before = a_plan();
  EXPECT_EQ(plan_changes(before, before), Lines{});
  plan::Plan after = a_plan();
  after.nodes[0].actions[0].params[0].value =
      plan::Column({plan::Value(std::string("/srv")), plan::Value(std::string("/opt"))}, {0, 1});
  after.nodes[1].hosts = {0};
  after.nodes[3].path = "p/y/code";
  EXPECT_EQ(plan_changes(before, after), (Lines{"step p/code would do something else on web2",
                                                "step p/check[a] would no longer run on web2",
                                                "step p/y/code is new", "step p/x/code is gone"}));
}

}  // namespace
}  // namespace cnplay::cli
