// Phases that are done batch by batch: which hosts a batch has, what its steps run on and wait for.
#include <gtest/gtest.h>

#include <algorithm>

#include "plan/plan.h"
#include "render/print.h"
#include "support/compile/world.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* kInventory = R"(inventory i {
  group web { host w[1..5] }
  group canary { members w2 }
  group lb { host l1 }
}
)";

std::string play_of(const std::string& body, const std::string& head = "") {
  return head + "play p \"P\" {\n  hosts web = group(\"web\")\n  hosts lb = group(\"lb\")\n" +
         "  hosts canary = group(\"canary\")\n" + body + "}\n";
}

std::string step(const std::string& name, const std::string& on) {
  return "    step " + name + " on " + on + " { sh \"\"\"true\"\"\" }\n";
}

std::string phase(const std::string& serial, const std::string& body) {
  return "  phase roll serial " + serial + " {\n" + body + "  }\n";
}

// "roll[w1]/work w1", of each step and batch end: where it runs, and after `/` what it is about.
Lines places(const std::string& body, const std::string& head = "") {
  const auto world = compile_text(play_of(body, head), kInventory);
  if (!world->plan) return {world->text()};
  EXPECT_EQ(plan::check_invariants(*world->plan), "");
  Lines out;
  for (const plan::Node& node : world->plan->nodes) {
    if (node.kind == plan::NodeKind::phase_end) continue;
    std::string line = name_of(node);
    for (const plan::HostIndex h : node.hosts) line += " " + world->plan->hosts[h].name;
    const std::string about = node.kind == plan::NodeKind::batch_end ? " " : " about ";
    for (const plan::HostIndex h : node.made_from) line += about + world->plan->hosts[h].name;
    out.push_back(line);
  }
  return out;
}

TEST(Batches, TheExampleOfTheLanguagesDocument) {
  const std::string document = read_text(source_directory() / "docs/language.md");
  const std::string mark = "<!-- batches -->\n```\n";
  const std::size_t begin = document.find(mark);
  ASSERT_NE(begin, std::string::npos);
  const std::string example = document.substr(
      begin + mark.size(), document.find("\n```", begin + mark.size()) - begin - mark.size() + 1);
  const auto world = compile_text(play_of(example),
                                  "inventory i { group web { host w[1..2] }\n"
                                  "group canary { members w1 }\n"
                                  "group lb { host l1 } }\n");
  ASSERT_TRUE(world->plan) << world->text();
  Lines found;
  for (const plan::Node& node : world->plan->nodes) {
    std::string line = name_of(node) + ":";
    for (const plan::Edge& edge : node.after) {
      line += edge.kind == plan::EdgeKind::all_hosts ? " all of " : " ";
      line += name_of(world->plan->node(edge.from));
    }
    found.push_back(line);
  }
  EXPECT_EQ(
      found,
      (Lines{"roll[w1]/drain[w1]:", "roll[w1]/upgrade: all of roll[w1]/drain[w1]",
             "roll[w1]/smoke: roll[w1]/upgrade", "roll[w1]/undrain[w1]: all of roll[w1]/smoke",
             "roll[w1]/(batch): all of roll[w1]/undrain[w1]",
             "roll[w2]/drain[w2]: all of roll[w1]/(batch)",
             "roll[w2]/upgrade: all of roll[w2]/drain[w2]", "roll[w2]/smoke: roll[w2]/upgrade",
             "roll[w2]/undrain[w2]: all of roll[w2]/smoke",
             "roll[w2]/(batch): all of roll[w2]/undrain[w2]",
             "roll/(end): all of roll[w2]/(batch)"}));
}

TEST(Batches, ASizeIsANumberAPercentageOrAListOfWhichTheLastRepeats) {
  EXPECT_EQ(places(phase("2 of web", step("a", "web"))),
            (Lines{"roll[1]/a w1 w2", "roll[1]/(batch) w1 w2", "roll[2]/a w3 w4",
                   "roll[2]/(batch) w3 w4", "roll[w5]/a w5", "roll[w5]/(batch) w5"}));
  EXPECT_EQ(places(phase("40% of web", step("a", "web"))),
            places(phase("2 of web", step("a", "web"))));
  EXPECT_EQ(places(phase("[1, 40%] of web", step("a", "web"))),
            (Lines{"roll[w1]/a w1", "roll[w1]/(batch) w1", "roll[2]/a w2 w3",
                   "roll[2]/(batch) w2 w3", "roll[3]/a w4 w5", "roll[3]/(batch) w4 w5"}));
}

TEST(Batches, WithoutOfTheStepsSayWhichHosts) {
  EXPECT_EQ(places(phase("[1, 4]", step("a", "web"))),
            (Lines{"roll[w1]/a w1", "roll[w1]/(batch) w1", "roll[2]/a w2 w3 w4 w5",
                   "roll[2]/(batch) w2 w3 w4 w5"}));
}

TEST(Batches, APartThatBatchSaysRunsWhereItIs) {
  EXPECT_EQ(places(phase("3 of web", step("a", "batch[0]") + step("b", "canary & batch") +
                                         step("c", "batch - batch[0]"))),
            (Lines{"roll[1]/a w1", "roll[1]/b w2", "roll[1]/c w2 w3", "roll[1]/(batch) w1 w2 w3",
                   "roll[2]/a w4", "roll[2]/c w5", "roll[2]/(batch) w4 w5"}));
}

TEST(Batches, AStepOnOtherHostsIsAboutTheHostsThatItReads) {
  const std::string reads =
      "    step s on lb { sh(n: batch[0].name) \"\"\"echo \"$n\" \"\"\" }\n"
      "    step t on lb { sh \"\"\"true\"\"\" }\n"
      "    for h in batch {\n"
      "      step u \"On ${h}\" on lb { sh \"\"\"true\"\"\" }\n"
      "      step v on lb even if out { sh \"\"\"true\"\"\" }\n"
      "      step w on h { sh \"\"\"true\"\"\" }\n"
      "    }\n";
  EXPECT_EQ(places(phase("2 of canary | host(\"w5\")", reads)),
            (Lines{"roll[1]/s l1 about w2", "roll[1]/t l1", "roll[1]/u[w2] l1 about w2",
                   "roll[1]/v[w2] l1", "roll[1]/w[w2] w2", "roll[1]/u[w5] l1 about w5",
                   "roll[1]/v[w5] l1", "roll[1]/w[w5] w5", "roll[1]/(batch) w2 w5"}));
}

TEST(Batches, AStepOfAProcedureIsAboutTheHostThatItIsGiven) {
  const auto world = compile_text(
      "procedure drain(on: hosts, name: string) {\n"
      "  step drain on on { sh(n: name) \"\"\"echo \"$n\" \"\"\" }\n}\n" +
          play_of("  phase roll serial 2 of canary {\n    do drain(on: lb, name: batch[0].name)\n" +
                  step("w", "canary") + "  }\n"),
      kInventory);
  ASSERT_TRUE(world->plan) << world->text();
  const auto drain = std::ranges::find(world->plan->nodes, "drain", &plan::Node::title);
  ASSERT_NE(drain, world->plan->nodes.end());
  ASSERT_EQ(drain->made_from.size(), 1U);
  EXPECT_EQ(world->plan->hosts[drain->made_from[0]].name, "w2");
}

TEST(Batches, ThePrintedPlanNamesTheEndOfABatchAndTheHostThatAStepIsMadeFrom) {
  const auto world = compile_text(
      play_of(phase(
          "1 of canary",
          step("a", "canary") + "    for h in batch { step undrain on lb { sh \"true\" } }\n")),
      kInventory);
  ASSERT_TRUE(world->plan) << world->text();
  const std::string text = render::print(*world->plan, {});
  EXPECT_NE(text.find("the batch ends: w2"), std::string::npos) << text;
  EXPECT_NE(text.find("skipped if w2 is out of the run"), std::string::npos) << text;
}

TEST(Batches, AreCutFromWhatLimitLeaves) {
  const std::string body = phase("2 of web", step("d", "lb") + step("a", "web"));
  EXPECT_EQ(places(body, "# limit: w1, w4, w5, l1\n"),
            (Lines{"roll[1]/d l1", "roll[1]/a w1 w4", "roll[1]/(batch) w1 w4", "roll[w5]/d l1",
                   "roll[w5]/a w5", "roll[w5]/(batch) w5"}));
  EXPECT_EQ(places(body + step("end", "lb"), "# limit: l1\n"), (Lines{"end l1"}));
  const auto world = compile_text(play_of(body + step("end", "lb"), "# limit: l1\n"), kInventory);
  EXPECT_NE(world->text().find("`--limit` leaves out this phase"), std::string::npos)
      << world->text();
}

TEST(Batches, ThoseThatHaveBegunKeepTheirHostsInAChangedPlay) {
  EXPECT_EQ(places(phase("2 of web", step("a", "web")), "# begun: p/roll w2 w4\n"),
            (Lines{"roll[1]/a w2 w4", "roll[1]/(batch) w2 w4", "roll[2]/a w1 w3",
                   "roll[2]/(batch) w1 w3", "roll[w5]/a w5", "roll[w5]/(batch) w5"}));
}

TEST(Batches, FactsOfStepsOnOtherHostsAreThoseOfTheBatch) {
  const auto world = compile_text(
      play_of(phase("3 of web",
                    "    step d on lb { let m = git.rebase(dir: \"/srv\", onto: \"x\") }\n"
                    "    step a on web { sh(x: d.m[lb[0]].before) \"\"\"echo \"$x\" \"\"\" }\n")),
      kInventory);
  ASSERT_TRUE(world->plan) << world->text();
  std::vector<plan::NodeId> read;
  for (const plan::Node& node : world->plan->nodes) {
    if (node.title != "a") continue;
    const auto* fact = node.actions[0].params[0].value.at(0).as<plan::Deferred>();
    ASSERT_NE(fact, nullptr);
    read.push_back(fact->expr->fact.node);
  }
  EXPECT_EQ(read, (std::vector<plan::NodeId>{0, 3}));
}

TEST(Batches, FactsOfTheBatchesHostsAreReadAfterThePhase) {
  const auto world = compile_text(
      play_of("  phase roll serial 1 of web {\n"
              "    step code on web { let m = git.rebase(dir: \"/srv\", onto: \"x\") }\n"
              "    for h in batch {\n      step one on h { let m = git.rebase(dir: \"/o\", onto: "
              "\"x\") }\n    }\n  }\n"
              "  step read on web { sh(x: code.m.before, y: one[web[1]].m[web[1]].before) "
              "\"\"\"echo \"$x$y\" \"\"\" }\n"),
      kInventory);
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(plan::check_invariants(*world->plan), "");
}

TEST(Batches, ValuesOfOneBatchAreNotThoseOfAnother) {
  const auto world =
      compile_text(play_of(phase("1 of web",
                                 "    let first = batch[0].name\n"
                                 "    for n in [first] {\n      step s on lb {\n"
                                 "        sh(n: n, all: if batch == web then \"all\" else first) "
                                 "\"\"\"echo \"$n$all\" \"\"\"\n      }\n    }\n")),
                   kInventory);
  ASSERT_TRUE(world->plan) << world->text();
  Lines values;
  for (const plan::Node& node : world->plan->nodes) {
    for (const plan::Action& action : node.actions) {
      values.push_back(plan::text_of(action.params.at(0).value.at(0)).value_or("?") + " " +
                       plan::text_of(action.params.at(1).value.at(0)).value_or("?"));
    }
  }
  EXPECT_EQ(values, (Lines{"w1 w1", "w2 w2", "w3 w3", "w4 w4", "w5 w5"}));
}

TEST(Batches, AMistakeInABatchIsReportedOnce) {
  const auto world = compile_text(play_of(phase("1 of web", step("a", "wbe"))), kInventory);
  EXPECT_FALSE(world->plan);
  EXPECT_NE(world->text().find("\n1 error\n"), std::string::npos) << world->text();
}

TEST(Batches, ALargePlanIsAWarningThatNamesTheLoop) {
  const auto world = compile_text(
      "play p \"P\" {\n  hosts web = group(\"web\")\n"
      "  phase roll serial 1 of web { for x in [\"a\", \"b\"] { step s on web { sh "
      "\"\"\"true\"\"\" } } }\n"
      "}\n",
      "inventory i { group web { host w[1..7000] } }\n");
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_NE(world->text().find("warning[E0707]: the plan has 21001 steps"), std::string::npos)
      << world->text();
  EXPECT_NE(world->text().find("serial 1 of web"), std::string::npos) << world->text();
}

}  // namespace
}  // namespace cnplay::testing
