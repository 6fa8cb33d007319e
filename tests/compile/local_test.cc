// Steps on `local`, the controller: a host of every play and of no inventory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/plan.h"
#include "support/compile/world.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kInventory = R"(inventory i {
  group web {
    host w1
    host w2
  }
}
)";

std::vector<std::string> hosts_of(const plan::Plan& plan) {
  std::vector<std::string> names;
  for (const plan::Host& host : plan.hosts) names.push_back(host.name);
  return names;
}

std::unique_ptr<World> compiled(const std::string& text) {
  auto world = compile_text(text, kInventory);
  if (!world->plan) throw std::runtime_error(world->text());
  return world;
}

TEST(LocalSteps, TheExampleOfTheLanguagesDocument) {
  const std::string document = read_text(source_directory() / "docs/language.md");
  const std::string mark = "<!-- local -->\n```\n";
  const std::size_t begin = document.find(mark);
  ASSERT_NE(begin, std::string::npos);
  const std::size_t from = begin + mark.size();
  const auto world = compile_text(document.substr(from, document.find("\n```", from) - from + 1),
                                  "inventory i { group db { host db1 } }");
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_THAT(hosts_of(*world->plan), ElementsAre("db1", "local"));
  EXPECT_EQ(plan::text_of(world->plan->nodes[0].actions[0].params[0].value.at(0)), "db1");
}

TEST(LocalSteps, TheEnvironmentOfTheInventoryHoldsOnTheController) {
  const auto world = compile_text(
      "play p \"P\" {\n  path [\"/play\"]\n  step build on local { sh \"\"\"true\"\"\" }\n}\n",
      "inventory i {\n  env { AT: \"${host}\", OF: \"i\" }\n  path [\"/inventory\"]\n"
      "  group web {\n    env { OF: \"web\" }\n    host w1\n  }\n}\n");
  ASSERT_TRUE(world->plan) << world->text();
  const plan::Node& node = world->plan->nodes[0];
  std::vector<std::string> set;
  for (const auto& variable : node.environment) {
    set.push_back(variable.name + "=" + *variable.value.at(0).as<std::string>());
  }
  EXPECT_THAT(set, ElementsAre("AT=local", "OF=i"));
  std::vector<std::string> folders;
  for (const auto& folder : *node.search_path.at(0).as<plan::List>()) {
    folders.push_back(*folder.as<std::string>());
  }
  EXPECT_THAT(folders, ElementsAre("/play", "/inventory"));
}

TEST(LocalSteps, TheControllerIsTheLastHostAndNamedAsSuch) {
  const auto world = compiled(
      "play p \"P\" {\n  step build on local { sh \"\"\"true\"\"\" }\n"
      "  step copy on group(\"all\") { sh \"\"\"true\"\"\" }\n}\n");
  const plan::Plan& plan = *world->plan;
  EXPECT_THAT(hosts_of(plan), ElementsAre("w1", "w2", "local"));
  EXPECT_TRUE(plan.hosts[2].local);
  EXPECT_FALSE(plan.hosts[0].local);
  EXPECT_EQ(plan::find_local(plan), 2u);
  EXPECT_THAT(plan.nodes[0].hosts, ElementsAre(2u));
  EXPECT_THAT(plan.nodes[1].hosts, ElementsAre(0u, 1u));
  const auto again = plan::from_json(plan::to_json(plan));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->hosts[2].local);
  EXPECT_EQ(plan::hash(*again), plan::hash(plan));
}

TEST(LocalSteps, APlayThatDoesNotNameItHasNoSuchHost) {
  const auto world = compiled(
      "# localhost is no word of it\nplay p \"P\" {\n"
      "  step copy on group(\"all\") { sh \"\"\"true\"\"\" }\n}\n");
  EXPECT_THAT(hosts_of(*world->plan), ElementsAre("w1", "w2"));
  EXPECT_FALSE(plan::find_local(*world->plan));
}

TEST(LocalSteps, APlayOfTheControllerAloneNeedsNoInventory) {
  const auto world = compiled(
      "# no inventory\nplay p \"P\" {\n"
      "  step build on local { sh(n: local.name, i: inventory.name) \"\"\"true\"\"\" }\n}\n");
  const plan::Plan& plan = *world->plan;
  EXPECT_THAT(hosts_of(plan), ElementsAre("local"));
  EXPECT_EQ(plan.inventory, "local");
  EXPECT_EQ(plan::text_of(plan.nodes[0].actions[0].params[0].value.at(0)), "local");
}

TEST(LocalSteps, ALimitLeavesThemIn) {
  const auto world = compiled(
      "# limit: w2\nplay p \"P\" {\n  step copy on group(\"web\") { sh \"\"\"true\"\"\" }\n"
      "  step build on local { sh \"\"\"true\"\"\" }\n}\n");
  EXPECT_THAT(hosts_of(*world->plan), ElementsAre("w2", "local"));
}

TEST(LocalSteps, APercentageOfHostsDoesNotCountTheController) {
  const auto world = compiled(
      "play p \"P\" {\n  tolerate 50%\n  step build on local { sh \"\"\"true\"\"\" }\n"
      "  step copy on group(\"web\") { sh \"\"\"true\"\"\" }\n}\n");
  EXPECT_EQ(world->plan->nodes[1].tolerate, 1u);  // of two, not of three
}

TEST(LocalSteps, ASetOfTheControllerAloneMayBeNamedAndHandedToAProcedure) {
  const auto world = compiled(
      "procedure build(where: hosts) { step make on where { sh \"\"\"true\"\"\" } }\n"
      "play p \"P\" {\n  hosts here = local expect 1\n  do build(where: here)\n"
      "  for h in local { step turn on h { sh(n: h.name) \"\"\"true\"\"\" } }\n}\n");
  EXPECT_THAT(hosts_of(*world->plan), ElementsAre("local"));
}

TEST(LocalSteps, AHostVariableWithADefaultHasItThere) {
  const auto world = compiled(
      "play p \"P\" {\n  hostvar color: string = \"blue\"\n"
      "  step build on local { sh(c: color) \"\"\"true\"\"\" }\n}\n");
  EXPECT_EQ(plan::text_of(world->plan->nodes[0].actions[0].params[0].value.at(0)), "blue");
}

TEST(LocalSteps, HostsOfABatchAndTheControllerTakeTurns) {
  const auto world = compiled(
      "play p \"P\" {\n  phase roll serial 1 of group(\"web\") {\n"
      "    step drain on local { sh(h: batch[0].name) \"\"\"true\"\"\" }\n"
      "    step work on group(\"web\") & batch { sh \"\"\"true\"\"\" }\n  }\n}\n");
  std::vector<std::string> told;
  for (const plan::Node& node : world->plan->nodes) {
    if (node.kind == plan::NodeKind::step && !node.actions.empty())
      told.push_back(name_of(node) + " " + world->plan->hosts[node.hosts[0]].name);
  }
  EXPECT_THAT(told, ElementsAre("roll[w1]/drain local", "roll[w1]/work w1", "roll[w2]/drain local",
                                "roll[w2]/work w2"));
}

}  // namespace
}  // namespace cnplay::testing
