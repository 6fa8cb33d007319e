// A human step as a conversation: what is asked, line by line, and what is understood.
#include "run/dialogue.h"

#include <gtest/gtest.h>

namespace cnplay::run::test {
namespace {

using plan::HumanKind;
using Lines = std::vector<std::string>;

plan::Question question(const std::string& name, plan::FactType type) {
  plan::Question q;
  q.name = name;
  q.type = type;
  q.text = plan::Value("the " + name);
  return q;
}

struct Talk {
  explicit Talk(HumanKind kind) {
    node.title = "Replace the disk";
    node.human.emplace();
    node.human->kind = kind;
  }
  // The prompts and what was said to the lines; "yes"/"no"/"later" at the end.
  std::string hold(const Lines& lines) {
    Asked asked;
    asked.node = &node;
    for (const auto& item : node.human->items) asked.items.push_back(*item.as<std::string>());
    for (const auto& q : node.human->questions) {
      asked.questions.push_back(plan::text_of(q.text).value_or(""));
    }
    Dialogue dialogue(asked);
    std::string out;
    for (const std::string& line : lines) {
      out += dialogue.prompt() + "\n";
      out += dialogue.take(line);
      if (dialogue.reply()) break;
    }
    reply = dialogue.reply();
    return out;
  }
  plan::Node node;
  std::optional<Prompter::Reply> reply;
};

TEST(Dialogue, TicksItemByItemThenAsksForTheEvidence) {
  Talk talk(HumanKind::manual);
  talk.node.human->items = {plan::Value("it is out"), plan::Value("the light is green")};
  talk.node.human->questions = {question("slot", plan::FactType::int_)};
  EXPECT_EQ(talk.hold({"yes", "maybe", " y ", "seven", "7"}),
            "  [1/2] it is out: done? [yes/no/later] \n"
            "  [2/2] the light is green: done? [yes/no/later] \n"
            "  please answer yes, no or later\n"
            "  [2/2] the light is green: done? [yes/no/later] \n"
            "  slot: the slot (a whole number, or later): \n"
            "  `slot` should be an int: it is a whole number\n"
            "  slot: the slot (a whole number, or later): \n");
  ASSERT_TRUE(talk.reply);
  EXPECT_TRUE(talk.reply->answer.yes);
  ASSERT_EQ(talk.reply->answer.values.size(), 1u);
  EXPECT_EQ(talk.reply->answer.values[0].second.raw(), "7");
}

TEST(Dialogue, NoAsksWhy) {
  Talk talk(HumanKind::manual);
  EXPECT_EQ(talk.hold({"no", "stop", "the rack is locked"}),
            "  [1/1] Replace the disk: done? [yes/no/later] \n"
            "  not done: stop the run here, wait for it, or correct the answer? "
            "[stop/wait/correct] \n  why? \n");
  ASSERT_TRUE(talk.reply);
  EXPECT_FALSE(talk.reply->answer.yes);
  EXPECT_EQ(talk.reply->answer.remark.raw(), "the rack is locked");
}

TEST(Dialogue, OneNoFailsNothingByItself) {
  Talk slip(HumanKind::manual);
  slip.hold({"no", "n", "correct", "yes"});
  ASSERT_TRUE(slip.reply);
  EXPECT_TRUE(slip.reply->answer.yes);
  Talk waits(HumanKind::manual);
  waits.hold({"no", "wait"});
  EXPECT_TRUE(waits.reply && waits.reply->later);
}

TEST(Dialogue, AnApprovalTakesTheWholeWord) {
  Talk talk(HumanKind::approve);
  talk.hold({"y", "yes", ""});
  EXPECT_FALSE(talk.reply);
  talk.hold({"approve"});
  EXPECT_TRUE(talk.reply && talk.reply->answer.yes);
  talk.hold({"refuse", "not today"});
  EXPECT_TRUE(talk.reply && !talk.reply->answer.yes && !talk.reply->later);
}

TEST(Dialogue, LaterIsAlwaysThere) {
  for (const HumanKind kind : {HumanKind::manual, HumanKind::approve, HumanKind::ask}) {
    Talk talk(kind);
    if (kind == HumanKind::ask)
      talk.node.human->questions = {question("x", plan::FactType::string)};
    talk.hold({"later"});
    EXPECT_TRUE(talk.reply && talk.reply->later);
  }
}

TEST(Dialogue, WhatAHostSaidCannotSteerTheTerminal) {
  Talk talk(HumanKind::manual);
  talk.node.human->items = {plan::Value("\x1b]0;gone\x07 out")};
  EXPECT_EQ(talk.hold({"y"}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace cnplay::run::test
