// `inventory.NAME` in a plan: the document's example, and the types of what is read.
#include <gtest/gtest.h>

#include "support/compile/world.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

constexpr const char* kInventory = R"(inventory prod {
  vars {
    domain: "coralnet.org"
    of: "${inventory}"
    begin: "2026-12-01 22:00 UTC"
    grace: 30m
    ports: [80, 443]
    limits: { small: 1, large: 2 }
  }
  group web {
    vars { domain: "web.example" }
    host w[1..2]
  }
}
)";

std::unique_ptr<World> compile_body(const std::string& body) {
  return compile_text("play p \"P\" {\n  hosts web = group(\"web\")\n" + body + "}\n", kInventory);
}

const plan::Node& node_of(const plan::Plan& plan, const std::string& name) {
  for (const plan::Node& node : plan.nodes) {
    if (name_of(node) == name) return node;
  }
  throw std::logic_error("no node " + name);
}

TEST(InventoryNames, TheExampleOfTheLanguagesDocument) {
  const std::string document = read_text(source_directory() / "docs/language.md");
  const std::string mark = "<!-- inventory -->\n```\n";
  const std::size_t begin = document.find(mark);
  ASSERT_NE(begin, std::string::npos);
  const auto world = compile_body(document.substr(
      begin + mark.size(), document.find("\n```", begin + mark.size()) - begin - mark.size() + 1));
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(world->plan->locks, (std::vector<std::string>{"deploy/coralnet.org"}));
  const plan::Node& step = node_of(*world->plan, "switch");
  EXPECT_EQ(step.title, "Point coralnet.org here");
  // Of the inventory, whatever the group says.
  EXPECT_EQ(step.actions[0].params[0].value.at(0), plan::Value(std::string("coralnet.org")));
  const auto* until = node_of(*world->plan, "(wait)").until.as<Time>();
  ASSERT_NE(until, nullptr);
  EXPECT_EQ(format_time(*until), "2026-12-01 22:00:00 UTC");
}

TEST(InventoryNames, StandInTheTextsOfPeople) {
  const auto world = compile_body(R"(  manual look "Look at ${inventory.domain}" {
    item "${inventory.domain} is up, of ${inventory.of} and ${inventory.name}"
  }
  step a on web { sh """:""" }
)");
  ASSERT_TRUE(world->plan) << world->text();
  const plan::Node& look = node_of(*world->plan, "look");
  EXPECT_EQ(look.title, "Look at coralnet.org");
  EXPECT_EQ(look.human->items.at(0),
            plan::Value(std::string("coralnet.org is up, of prod and prod")));
}

TEST(InventoryNames, HaveTheTypeOfTheirValue) {
  const auto world = compile_body(R"(  let first: int = inventory.ports[0]
  let large: int = inventory.limits["large"]
  let root: path = "/srv/${inventory.domain}"
  for port in inventory.ports { step each on web { sh(port: port) """: "$port" """ } }
  step a on web timeout inventory.grace { sh(n: first + large, root: root) """: "$n" "$root" """ }
)");
  ASSERT_TRUE(world->plan) << world->text();
  const plan::Node& a = node_of(*world->plan, "a");
  EXPECT_EQ(a.timeout, std::chrono::minutes(30));
  EXPECT_EQ(a.actions[0].params[0].value.at(0), plan::Value(std::int64_t{82}));
  EXPECT_EQ(node_of(*world->plan, "each[443]").hosts.size(), 2u);
}

TEST(InventoryNames, AreThereInAPlayThatUsesTheController) {
  const auto world =
      compile_body("  step a \"${inventory.domain}\" on local { sh \"\"\":\"\"\" }\n");
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(node_of(*world->plan, "a").title, "coralnet.org");
}

TEST(InventoryNames, AValueOfThePlayHidesTheInventory) {
  const auto world = compile_body(R"(  let inventory = { domain: "mine" }
  step a "${inventory.domain}" on web { sh """:""" }
)");
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(node_of(*world->plan, "a").title, "mine");
}

}  // namespace
}  // namespace cnplay::testing
