// --tags, --skip-tags, --start-at: what is left out, what stays, and that the graph is the same.
#include <gtest/gtest.h>

#include "plan/choice.h"
#include "render/print.h"
#include "support/compile/world.h"

namespace cnplay::testing {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* kInventory = R"(inventory test {
  group web { host web[1..3] { address: "10.0.0.${index}" } }
}
)";

constexpr const char* kPlay = R"(
play p "A play" {
  hosts web = group("web")
  phase front tags ["front"] {
    step stop on web {
      sh """true"""
      undo { sh """true""" }
    }
    approve go "Go on?"
    step page on web tags ["page", "front"] { sh """true""" }
  }
  wait until "2026-12-01 22:00 UTC"
  phase back tags ["back"] {
    step code on web serial 2 { sh """true""" }
    wait until "2026-12-01 23:00 UTC"
    pivot "no way back"
    step migrate on web once { sh """true""" }
    on_failure after pivot { hold "by hand" }
  }
  do more() tags ["more"]
  step last on web tags ["always"] { sh """true""" }
  approve done "All well?"
  always { step closing on web { sh """true""" } }
}
procedure more() {
  step inner on group("web") tags ["inner"] { sh """true""" }
}
)";

struct Choice {
  const char* head;
  Lines left_out;  // last parts of paths
};

Lines left_out(const plan::Plan& plan) {
  Lines out;
  for (const plan::Node& node : plan.nodes) {
    if (!node.left_out.empty()) out.push_back(node.path.substr(node.path.rfind('/') + 1));
  }
  return out;
}

std::unique_ptr<World> compiled(const std::string& head) {
  auto world = compile_text(head + kPlay, kInventory);
  EXPECT_TRUE(world->plan) << world->text();
  return world;
}

TEST(Tags, ChooseStepsAndWhatStandsInThem) {
  for (const Choice& c : std::vector<Choice>{
           {"", {}},
           {"# tags: page\n",
            {"stop", "go", "code[1]", "code[2]", "(wait)", "(pivot)", "migrate", "(end)", "inner"}},
           {"# tags: back\n", {"stop", "go", "page", "(end)", "inner"}},
           {"# tags: inner\n",
            {"stop", "go", "page", "(end)", "code[1]", "code[2]", "(wait)", "(pivot)", "migrate",
             "(end)"}},
           {"# tags: more,front\n",
            {"code[1]", "code[2]", "(wait)", "(pivot)", "migrate", "(end)"}},
           {"# skip-tags: back,always\n",
            {"code[1]", "code[2]", "(wait)", "(pivot)", "migrate", "(end)", "last"}},
           {"# tags: front\n# skip-tags: page\n",
            {"page", "code[1]", "code[2]", "(wait)", "(pivot)", "migrate", "(end)", "inner"}},
       }) {
    EXPECT_EQ(left_out(*compiled(c.head)->plan), c.left_out) << c.head;
  }
}

// What lies behind a point of no return lies behind it, wherever the run begins.
TEST(StartAt, LeavesOutWhatStandsBefore) {
  for (const Choice& c : std::vector<Choice>{
           {"# start-at: stop\n", {}},
           {"# start-at: go\n", {"stop"}},
           {"# start-at: p/back/code\n", {"stop", "go", "page", "(end)", "(wait)"}},
           {"# start-at: code[2]\n", {"stop", "go", "page", "(end)", "(wait)", "code[1]"}},
           {"# start-at: back/migrate\n",
            {"stop", "go", "page", "(end)", "(wait)", "code[1]", "code[2]", "(wait)"}},
       }) {
    auto got = left_out(*compiled(c.head)->plan);
    for (auto& name : got) {
      if (name == "(wait)-2") name = "(wait)";
    }
    EXPECT_EQ(got, c.left_out) << c.head;
  }
}

TEST(LeftOut, TheGraphStaysTheSame) {
  const auto whole = compiled("");
  const auto part = compiled("# start-at: migrate\n");
  ASSERT_EQ(whole->plan->nodes.size(), part->plan->nodes.size());
  for (std::size_t i = 0; i < whole->plan->nodes.size(); ++i) {
    EXPECT_EQ(whole->plan->nodes[i].path, part->plan->nodes[i].path);
    EXPECT_EQ(whole->plan->nodes[i].after.size(), part->plan->nodes[i].after.size());
  }
  EXPECT_NE(plan::hash(*whole->plan), plan::hash(*part->plan));
  EXPECT_EQ(plan::chosen_part(*whole->plan), "");
  EXPECT_EQ(plan::chosen_part(*part->plan), "--start-at migrate");
  EXPECT_EQ(plan::chosen_part(*compiled("# start-at: stop\n")->plan), "");
}

TEST(LeftOut, IsPrintedAndTakesNoTime) {
  const auto part = compiled("# tags: page\n");
  const std::string text = render::print(*part->plan, {});
  EXPECT_NE(text.find("left out: --tags page"), std::string::npos) << text;
  const auto back = plan::from_json(plan::to_json(*part->plan));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(plan::hash(*back), plan::hash(*part->plan));
  EXPECT_EQ(left_out(*back), left_out(*part->plan));
}

// Handlers run if they are notified: what they read counts only then.
TEST(LeftOut, AHandlerThatNobodyNotifiesNeedsNothing) {
  const std::string play = R"(play p "A play" {
  hosts web = group("web")
  handler reload on web { sh """true""" }
  step code on web tags ["code"] { sh """true""" notify reload }
  step other on web { sh """true""" }
}
)";
  EXPECT_TRUE(compile_text("# skip-tags: code\n" + play, kInventory)->plan);
}

TEST(Incident, IsOfThePlan) {
  const auto world = compile_text(R"(play p "A play" {
  hosts web = group("web")
  mode incident
  require rehearsed(on: "staging", within: 7d)
  step s on web { sh """true""" }
}
)",
                                  kInventory);
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_TRUE(world->plan->incident);
  EXPECT_EQ(world->plan->requirements.size(), 1u);
  EXPECT_FALSE(world->plan->program.empty());
}

TEST(Program, SaysWhatHasChanged) {
  using Parts = std::vector<plan::ProgramPart>;
  const Parts before{{"p.play", "1"}, {"lib/a.play", "2"}, {"template x", "3"}};
  EXPECT_EQ(plan::program_changes(before, before), Lines{});
  EXPECT_EQ(plan::program_changes(before, Parts{{"p.play", "9"}, {"template x", "3"}, {"b", "4"}}),
            (Lines{"p.play was changed", "b is new", "lib/a.play is gone"}));
  // The same text by another name is the same.
  EXPECT_EQ(plan::program_changes(
                before, Parts{{"./p.play", "1"}, {"lib/a.play", "2"}, {"template x", "3"}}),
            Lines{});
  EXPECT_EQ(plan::program_changes({}, before), Lines{});
}

}  // namespace
}  // namespace cnplay::testing
