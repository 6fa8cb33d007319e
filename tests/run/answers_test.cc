// Who may answer a human step, and what makes an answer whole.
#include "support/run/people.h"

namespace cnplay::run::test {
namespace {

TEST(WhoMay, SomebodyElseIsNotEvenAsked) {
  People f;
  f.between("go", HumanKind::approve).human->by = {"bob", "@ops"};
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes();
  const RunResult result = f.run();
  EXPECT_EQ(result.verdict, Verdict::parked);
  EXPECT_TRUE(ann.asked_for.empty());
  EXPECT_NE(result.advice.find("as bob or a member of the group ops"), std::string::npos);
}

TEST(WhoMay, AMemberOfTheGroup) {
  People f;
  f.between("go", HumanKind::approve).human->by = {"bob", "@ops"};
  FakePrompter ann;
  f.options.prompter = &ann;
  f.options.groups = {"users", "ops"};
  ann.yes();
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.recorder.all<HumanAnswered>().at(0).by, "@ops");
}

TEST(WhoMay, TwoDifferentPeople) {
  People f;
  f.between("go", HumanKind::approve).human->count = 2;
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes();
  ann.yes();
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  EXPECT_EQ(ann.asked_for.size(), 1u);
  EXPECT_EQ(f.recorder.all<HumanAnswered>().size(), 1u);
  // Nor does she count twice hours later.
  People again;
  again.options.prompter = &ann;
  EXPECT_EQ(f.resume(again).verdict, Verdict::parked);
  EXPECT_EQ(ann.asked_for.size(), 1u);
  People other;
  FakePrompter bob;
  bob.yes();
  other.options.prompter = &bob;
  other.options.user = "bob";
  EXPECT_EQ(again.resume(other).verdict, Verdict::success);
}

TEST(WhoMay, ARecordThatSaysOtherwiseIsNotGoneOnWith) {
  struct Case {
    const char *user, *by;
  };
  for (const Case& c : {Case{"eve", "eve"}, Case{"eve", ""}, Case{"eve", "bob"}}) {
    People f;
    f.between("go", HumanKind::approve).human->by = {"bob", "@ops"};
    f.b.step("b");
    EXPECT_EQ(f.run().verdict, Verdict::parked);
    f.answer(1, c.user, c.by, true);
    People next;
    const RunResult result = f.resume(next);
    ASSERT_TRUE(result.not_resumed) << c.by;
    EXPECT_NE(result.not_resumed->what.find("eve may not answer"), std::string::npos);
    EXPECT_EQ(next.hosts.count("b#0"), 0u);
  }
}

TEST(CheckAnswer, SaysWhatIsWrong) {
  plan::Human human;
  human.kind = HumanKind::manual;
  human.questions = {question("slot", plan::FactType::int_),
                     question("label", plan::FactType::string)};
  human.questions[1].choices = {"a", "b"};
  const auto check = [&](std::vector<std::pair<std::string, Untrusted>> values) {
    HumanAnswered answer;
    answer.user = "ann";
    answer.yes = true;
    answer.values = std::move(values);
    const Status status = check_answer(human, answer, {});
    return status ? "" : status.error().what;
  };
  const auto text = [](const char* t) { return Untrusted(std::string(t)); };
  EXPECT_EQ(check({{"slot", text("3")}, {"label", text("b")}}), "");
  EXPECT_EQ(check({{"slot", text("3")}}), "`label` is missing");
  EXPECT_EQ(check({{"slot", text("3")}, {"slot", text("4")}, {"label", text("a")}}),
            "`slot` is given twice");
  EXPECT_EQ(check({{"slot", text("three")}, {"label", text("a")}}), "`slot` should be an int");
  EXPECT_EQ(check({{"slot", text("3")}, {"label", text("c")}}), "`label` cannot be `c`");
  EXPECT_EQ(check({{"other", text("3")}}), "nobody asked for `other`");
  EXPECT_EQ(check({{"slot", Untrusted(std::string(5000, '1'))}, {"label", text("a")}}),
            "`slot` is longer than 4096 bytes");
}

}  // namespace
}  // namespace cnplay::run::test
