// `assert` in a plan: the document's example, what is decided now, and what the run must look at.
#include <gtest/gtest.h>

#include "plan/choice.h"
#include "render/print.h"
#include "render/runbook.h"
#include "support/compile/world.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

constexpr const char* kInventory =
    "inventory i { vars { domain: \"coralnet.org\" }\n group web { host w[1..2] }\n"
    " group db { host d1 } }\n";

std::unique_ptr<World> compile_body(const std::string& body) {
  return compile_text(
      "play p \"P\" {\n  hosts web = group(\"web\")\n  hosts db = group(\"db\")\n" + body + "}\n",
      kInventory);
}

const plan::Node* find(const plan::Plan& plan, const std::string& name) {
  for (const plan::Node& node : plan.nodes) {
    if (name_of(node) == name) return &node;
  }
  return nullptr;
}

TEST(AssertInAPlan, TheExampleOfTheLanguagesDocument) {
  std::string document = read_text(source_directory() / "docs/language.md");
  const std::string mark = "<!-- assert -->\n```\n";
  const std::size_t begin = document.find(mark);
  ASSERT_NE(begin, std::string::npos);
  std::string example = document.substr(
      begin + mark.size(), document.find("\n```", begin + mark.size()) - begin - mark.size() + 1);
  const auto world = compile_body(example);
  ASSERT_TRUE(world->plan) << world->text();
  const plan::Plan& plan = *world->plan;
  EXPECT_EQ(plan::check_invariants(plan), "");
  // The first one is decided, and gone.
  const plan::Node* node = find(plan, "(assert)");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->kind, plan::NodeKind::assertion);
  EXPECT_EQ(plan::describe(node->holds, plan), "code.moved[w1].before != code.moved[w1].target");
  EXPECT_TRUE(node->if_not.is_deferred());
  EXPECT_EQ(find(plan, "(assert)-2"), nullptr);
  EXPECT_EQ(plan::reads_fact_of(plan, *node, [](plan::NodeId) { return true; }),
            find(plan, "code")->id);
}

TEST(AssertInAPlan, EverythingAboveEndsFirstAndWhatFollowsWaits) {
  const auto world =
      compile_body(R"(  step look on web[0] once { let moved = git.rebase(dir: "/srv", onto: "x") }
  step other on db { sh """:""" }
  assert look.moved.before != "", "empty"
  step below on web { sh """:""" }
)");
  ASSERT_TRUE(world->plan) << world->text();
  const plan::Plan& plan = *world->plan;
  const plan::Node* node = find(plan, "(assert)");
  ASSERT_NE(node, nullptr);
  ASSERT_EQ(node->after.size(), 1u);
  EXPECT_EQ(node->after[0].from, find(plan, "other")->id);
  EXPECT_EQ(node->after[0].kind, plan::EdgeKind::all_hosts);
  EXPECT_EQ(find(plan, "below")->after.at(0).from, node->id);
  const auto again = plan::from_json(plan::to_json(plan));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(plan::hash(*again), plan::hash(plan));
  EXPECT_EQ(find(*again, "(assert)")->if_not, plan::Value(std::string("empty")));
}

TEST(AssertInAPlan, IsShownByPlanAndDocs) {
  const auto world =
      compile_body(R"(  step look on web[0] once { let moved = git.rebase(dir: "/srv", onto: "x") }
  assert look.moved.before != "", "nothing is there"
)");
  ASSERT_TRUE(world->plan) << world->text();
  const std::string printed = render::print(*world->plan, {});
  EXPECT_NE(printed.find("ASSERT look.moved[w1].before != \"\""), std::string::npos) << printed;
  EXPECT_NE(printed.find("else the run fails: \"nothing is there\""), std::string::npos) << printed;
  render::RunbookOptions options;
  options.title_of = [](std::string_view) { return std::string(); };
  options.commands_of = options.title_of;
  const std::string book = render::to_markdown(render::runbook(*world->plan, options));
  EXPECT_NE(book.find("must hold. Else stop, the run has failed:"), std::string::npos) << book;
}

TEST(AssertInAPlan, StartAtLeavesOutTheAssertionsAbove) {
  const auto world = compile_text(R"(# start-at: below
play p "P" {
  hosts web = group("web")
  step look on web[0] once { let moved = git.rebase(dir: "/srv", onto: "x") }
  assert look.moved.before != "", "empty"
  step below on web { sh """:""" }
}
)",
                                  kInventory);
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(find(*world->plan, "(assert)")->left_out, "--start-at below");
}

}  // namespace
}  // namespace cnplay::testing
