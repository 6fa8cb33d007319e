// A host as a value: its name in a text, its members, loops over hosts.
#include <gtest/gtest.h>

#include "plan/plan.h"
#include "support/compile/world.h"

namespace cnplay::testing {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* kInventory = R"(inventory i {
  group web {
    vars { color: "red" }
    host w1 { address: "10.0.0.1" }
    host w2 {
      address: "10.0.0.2"
      vars { color: "blue" }
    }
  }
}
)";

std::unique_ptr<World> compiled(const std::string& body, const std::string& head = "") {
  return compile_text(head + "play p \"P\" {\n  hosts web = group(\"web\")\n" +
                          "  hostvar color: string\n" + body + "}\n",
                      kInventory);
}

// "step[w1] w1: v=red", of every step: its hosts, and the parameters of its scripts.
Lines steps(const std::string& body, const std::string& head = "") {
  const auto world = compiled(body, head);
  if (!world->plan) return {world->text()};
  Lines out;
  for (const plan::Node& node : world->plan->nodes) {
    std::string line = node.path.substr(node.path.find('/') + 1);
    for (const plan::HostIndex h : node.hosts) line += " " + world->plan->hosts[h].name;
    for (const plan::Action& action : node.actions) {
      for (const plan::Param& param : action.params) {
        line += " " + param.name + "=" + plan::text_of(param.value.at(0)).value_or("?");
      }
    }
    if (!node.when.empty()) line += node.when.at(0) == plan::Value(true) ? " always" : " never";
    out.push_back(line);
  }
  return out;
}

TEST(Hosts, AHostInATextIsItsName) {
  EXPECT_EQ(steps("  step a on web { sh(h: \"${web[0]}\") \"\"\"echo \"$h\" \"\"\" }\n"),
            (Lines{"a w1 w2 h=w1"}));
}

TEST(Hosts, ATextWithAHostIsComparedAsAText) {
  EXPECT_EQ(steps("  step a on web when \"${web[0]}\" == \"other\" { sh \"\"\"true\"\"\" }\n"
                  "  step b on web when \"${web[0]}\" != \"w1\" { sh \"\"\"true\"\"\" }\n"),
            (Lines{"a w1 w2 never", "b w1 w2 never"}));
}

TEST(Hosts, ATextWithAHostDecidesAnIfAndALoop) {
  EXPECT_EQ(steps("  if \"${web[0]}\" == \"w1\" {\n    step a on web { sh \"\"\"echo yes\"\"\" }\n"
                  "  } else {\n    step a on web { sh \"\"\"echo no\"\"\" }\n  }\n"
                  "  for x in [\"${web[0]}\"] {\n"
                  "    step c on web { sh(x: x) \"\"\"echo \"$x\" \"\"\" }\n  }\n"),
            (Lines{"a w1 w2", "c[w1] w1 w2 x=w1"}));
}

TEST(Hosts, ALoopOverHostsIsCarriedOutHostByHost) {
  EXPECT_EQ(steps("  for h in web {\n    step s \"On ${h}\" on h {\n"
                  "      sh(n: h.name, a: h.address, c: h.color) \"\"\"echo \"$n$a$c\" \"\"\"\n"
                  "    }\n  }\n"),
            (Lines{"s[w1] w1 n=w1 a=10.0.0.1 c=red", "s[w2] w2 n=w2 a=10.0.0.2 c=blue"}));
}

TEST(Hosts, ALoopOverHostsLeavesOutWhatLimitTakesAway) {
  EXPECT_EQ(steps("  for h in web { step s on h { sh \"\"\"true\"\"\" } }\n", "# limit: w2\n"),
            (Lines{"s[w2] w2"}));
}

TEST(Hosts, HostsAreComparedAsSets) {
  EXPECT_EQ(steps("  for h in web {\n"
                  "    if h == web[0] { step first on h { sh \"\"\"true\"\"\" } }\n"
                  "    if h in web - web[0] { step rest on h { sh \"\"\"true\"\"\" } }\n  }\n"),
            (Lines{"first[w1] w1", "rest[w2] w2"}));
}

TEST(Hosts, AHostThatLimitTakesAwayHasStillItsName) {
  EXPECT_EQ(steps("  step a on web { sh(last: \"${web[1]}\") \"\"\"echo \"$last\" \"\"\" }\n"
                  "  step b on web[1] { sh \"\"\"true\"\"\" }\n",
                  "# limit: w1\n"),
            (Lines{"a w1 last=w2"}));
}

TEST(Hosts, AHostVariableOfAHostThatLimitTakesAwayAsksForAWiderLimit) {
  const auto world = compiled(
      "  step a on web { sh(c: host(\"w2\").color) \"\"\"echo \"$c\" \"\"\" }\n", "# limit: w1\n");
  EXPECT_NE(world->text().find("`color` of `w2` is not known under `--limit`"), std::string::npos)
      << world->text();
}

TEST(Hosts, SetsAreComparedAsTheInventoryGivesThem) {
  EXPECT_EQ(steps("  if web == group(\"web\") { step same on web { sh \"\"\"true\"\"\" } }\n"
                  "  if host(\"w2\") in web { step inner on web { sh \"\"\"true\"\"\" } }\n"
                  "  if web == web[0] { step one on web { sh \"\"\"true\"\"\" } }\n",
                  "# limit: w1\n"),
            (Lines{"same w1"}));
}

TEST(Hosts, AFactOfATurnIsReadByItsHost) {
  const auto world = compiled(
      "  for h in web { step code on h { let m = git.rebase(dir: \"/srv\", onto: \"x\") } }\n"
      "  for h in web { step read on web[0] {\n"
      "    sh(x: code[h].m[h].before) \"\"\"echo \"$x\" \"\"\" } }\n");
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(plan::check_invariants(*world->plan), "");
  for (const std::size_t i : {0U, 1U}) {
    const plan::Value& value = world->plan->nodes.at(2 + i).actions[0].params[0].value.at(0);
    const auto* fact = value.as<plan::Deferred>();
    ASSERT_NE(fact, nullptr);
    EXPECT_EQ(fact->expr->fact.node, i);
    EXPECT_EQ(fact->expr->fact.host, i);
  }
}

TEST(Hosts, AManualHasOneItemAHost) {
  const auto world = compiled(
      "  manual look \"Look\" {\n    item \"first\"\n"
      "    for h in web { item \"${h} at ${h.address}\" }\n  }\n"
      "  step a on web { sh \"\"\"true\"\"\" }\n");
  ASSERT_TRUE(world->plan) << world->text();
  Lines items;
  for (const plan::Value& item : world->plan->nodes.at(0).human->items) {
    items.push_back(plan::text_of(item).value_or("?"));
  }
  EXPECT_EQ(items, (Lines{"first", "w1 at 10.0.0.1", "w2 at 10.0.0.2"}));
}

TEST(Hosts, AMemberThatAHostDoesNotHaveIsNamed) {
  const auto world =
      compiled("  step a on web { sh(x: web[0].colour) \"\"\"echo \"$x\" \"\"\" }\n");
  EXPECT_NE(world->text().find("did you mean `color`?"), std::string::npos) << world->text();
}

}  // namespace
}  // namespace cnplay::testing
