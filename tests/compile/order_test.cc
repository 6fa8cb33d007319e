// Text order is run order: which steps wait for which, and through how many edges.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "plan/plan.h"
#include "support/compile/world.h"

namespace cnplay::testing {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* kInventory = R"(inventory i {
  group web { host w[1..2] }
  group db { host d1 }
}
)";

std::unique_ptr<World> compiled(const std::string& body, const std::string& head = "") {
  const std::string play = head + "play p \"P\" {\n  hosts web = group(\"web\")\n" +
                           "  hosts db = group(\"db\")\n" + body + "}\n";
  return compile_text(play, kInventory);
}

// "look: all of copy": what each node waits for.
Lines waits(const std::string& body, const std::string& head = "") {
  const auto world = compiled(body, head);
  if (!world->plan) return {world->text()};
  Lines out;
  for (const plan::Node& node : world->plan->nodes) {
    std::string line = name_of(node) + ":";
    for (const plan::Edge& edge : node.after) {
      line += edge.kind == plan::EdgeKind::all_hosts ? " all of " : " ";
      line += name_of(world->plan->node(edge.from));
    }
    out.push_back(line);
  }
  return out;
}

std::string step(const std::string& name, const std::string& on) {
  return "  step " + name + " on " + on + " { sh \"\"\"true\"\"\" }\n";
}

TEST(Order, AStepOnOtherHostsWaitsForTheStepAbove) {
  EXPECT_EQ(waits(step("copy", "db") + step("look", "web")), (Lines{"copy:", "look: all of copy"}));
}

TEST(Order, StepsOnTheSameHostsRunHostByHost) {
  EXPECT_EQ(waits(step("a", "web") + step("b", "group(\"web\")") + step("c", "web | host(\"w1\")")),
            (Lines{"a:", "b: a", "c: b"}));
}

TEST(Order, APartOfASetIsAnotherSet) {
  EXPECT_EQ(waits(step("a", "web") + step("b", "web[0]") + step("c", "web")),
            (Lines{"a:", "b: all of a", "c: all of b"}));
}

TEST(Order, OnceIsASetOfOneHost) {
  EXPECT_EQ(waits(step("a", "web once") + step("b", "web[0]") + step("c", "web")),
            (Lines{"a:", "b: a", "c: all of b"}));
}

TEST(Order, WhatFollowsAParallelWaitsForAllOfItsBranches) {
  EXPECT_EQ(
      waits("  parallel {\n" + step("a", "db") + step("b", "web") + "  }\n" + step("c", "web")),
      (Lines{"a:", "b:", "(join): all of a all of b", "c: all of (join)"}));
}

TEST(Order, TheBranchesOfAParallelWaitForWhatStandsAbove) {
  EXPECT_EQ(waits(step("x", "web") + "  parallel {\n" + step("a", "web") + step("b", "db") +
                  "    parallel {\n" + step("c", "web") + step("d", "db") + "    }\n  }\n" +
                  "  barrier\n"),
            (Lines{"x:", "a: all of x", "b: all of x", "c: all of x", "d: all of x",
                   "(barrier): all of a all of b all of c all of d"}));
}

TEST(Order, InsideOfABranchTheRuleHoldsAgain) {
  EXPECT_EQ(waits("  parallel {\n    sequence {\n" + step("a", "web") + step("b", "web") +
                  step("c", "db") + "    }\n" + step("d", "db") + "  }\n"),
            (Lines{"a:", "b: a", "c: all of b", "d:"}));
}

TEST(Order, APhaseBeginsAndEndsWhereAllHostsAreDone) {
  EXPECT_EQ(
      waits(step("a", "web") + "  phase p {\n" + step("b", "web") + "  }\n" + step("c", "web")),
      (Lines{"a:", "p/b: all of a", "p/(end): all of p/b", "c: all of p/(end)"}));
}

TEST(Order, ASerialStepBeginsAndEndsWhereAllHostsAreDone) {
  EXPECT_EQ(waits(step("a", "web") + step("b", "web serial 1") + step("c", "web")),
            (Lines{"a:", "b[1]: all of a", "b[2]: all of b[1]", "c: all of b[2]"}));
  EXPECT_EQ(waits(step("a", "web") + step("b", "web serial 2") + step("c", "web")),
            (Lines{"a:", "b: all of a", "c: all of b"}));
}

TEST(Order, AFactOfAnotherHostIsWaitedForOnAllHosts) {
  const std::string code =
      "  step code on web { let m = git.rebase(dir: \"/srv\", onto: \"x\") }\n";
  const std::string read =
      "  step read on web { sh(x: code.m[web[0]].before) \"\"\"echo \"$x\" \"\"\" }\n";
  EXPECT_EQ(waits(code + read + step("end", "web")),
            (Lines{"code:", "read: all of code", "end: read"}));
  EXPECT_EQ(waits(code + step("between", "web") + read),
            (Lines{"code:", "between: code", "read: all of code between"}));
  EXPECT_EQ(waits(code + step("between", "db") + step("more", "web") + read),
            (Lines{"code:", "between: all of code", "more: all of between", "read: more"}))
      << "all hosts were waited for since";
}

TEST(Order, WhatLimitTakesAwayKeepsItsWaits) {
  EXPECT_EQ(waits(step("a", "web") + step("b", "web[0]"), "# limit: w1, d1\n"),
            (Lines{"a:", "b: all of a"}));
}

TEST(Order, AStepThatLimitLeavesOutKeepsItsWaits) {
  const std::string middle = step("a", "web") + step("m", "db") + step("b", "web");
  EXPECT_EQ(waits(middle), (Lines{"a:", "m: all of a", "b: all of m"}));
  EXPECT_EQ(waits(middle, "# limit: web\n"), (Lines{"a:", "b: all of a"}));
  EXPECT_EQ(waits(step("a", "web") + "  parallel {\n" + step("m", "db") + step("n", "db serial 1") +
                      "  }\n" + step("b", "web"),
                  "# limit: web\n"),
            (Lines{"a:", "b: all of a"}));
}

TEST(Order, AnIfThatIsNotTakenHasNoWaits) {
  EXPECT_EQ(
      waits(step("a", "web") + "  if false {\n" + step("b", "db") + "  }\n" + step("c", "web")),
      (Lines{"a:", "c: a"}));
}

// Plays made at random, each with what must hold of any two of its steps.
class Made {
 public:
  explicit Made(unsigned seed) : random_(seed) {
    block("  ", 0, false);
    if (steps_.empty()) add("  ");
  }
  struct Step {
    std::vector<std::pair<int, int>> branches;  // (parallel, branch), from the outermost on
    std::string set;
    int stretch = 0;  // of steps on one set, between two places where hosts wait
  };
  const std::string& text() const { return text_; }
  const std::map<std::string, Step>& steps() const { return steps_; }

 private:
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  void add(const std::string& indent) {
    static const char* const kSets[] = {"web", "db", "web | db", "web[0]"};
    const std::string set = kSets[pick(4)];
    if (set != set_) ++stretch_;
    set_ = set;
    const std::string name = "s" + std::to_string(100 + static_cast<int>(steps_.size()));
    text_ += indent + "step " + name + " on " + set + " { sh \"\"\"true\"\"\" }\n";
    steps_[name] = {branches_, set, stretch_};
  }
  void meet() {
    ++stretch_;
    set_.clear();
  }
  void block(const std::string& indent, int depth, bool in_parallel) {
    for (int i = pick(4) + 1; i > 0; --i) {
      const int what = pick(depth < 3 ? 8 : 5);
      if (what < 5) {
        add(indent);
      } else if (what == 5 && !in_parallel) {
        meet();
        text_ += indent + "barrier\n";
      } else if (what == 6 && !in_parallel) {
        meet();
        text_ += indent + "phase p" + std::to_string(++numbers_) + " {\n";
        block(indent + "  ", depth + 1, false);
        text_ += indent + "}\n";
        meet();
      } else {
        const int id = ++numbers_;
        text_ += indent + "parallel {\n";
        for (int branch = 0, n = pick(3) + 1; branch < n; ++branch) {
          meet();
          branches_.emplace_back(id, branch);
          text_ += indent + "  sequence {\n";
          block(indent + "    ", depth + 1, true);
          text_ += indent + "  }\n";
          branches_.pop_back();
        }
        meet();
        text_ += indent + "}\n";
      }
    }
  }

  std::mt19937 random_;
  std::string text_, set_;
  std::map<std::string, Step> steps_;  // their names in the order of the text
  std::vector<std::pair<int, int>> branches_;
  int stretch_ = 0;
  int numbers_ = 0;
};

bool side_by_side(const Made::Step& a, const Made::Step& b) {
  for (std::size_t i = 0; i < a.branches.size() && i < b.branches.size(); ++i) {
    if (a.branches[i].first != b.branches[i].first) return false;
    if (a.branches[i].second != b.branches[i].second) return true;
  }
  return false;
}

TEST(Order, HoldsOfPlaysMadeAtRandomThroughFewEdges) {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    const Made made(seed);
    const auto world = compiled(made.text());
    ASSERT_TRUE(world->plan) << world->text() << made.text();
    const plan::Plan& plan = *world->plan;
    // reach[b][a]: 0: b does not wait for a, 1: host by host, 2: for all of its hosts.
    std::vector<std::vector<int>> reach(plan.nodes.size());
    std::size_t edges = 0;
    for (const plan::Node& node : plan.nodes) {
      auto& row = reach[node.id];
      row.assign(plan.nodes.size(), 0);
      edges += node.after.size();
      for (const plan::Edge& edge : node.after) {
        const int kind = edge.kind == plan::EdgeKind::all_hosts ? 2 : 1;
        row[edge.from] = std::max(row[edge.from], kind);
        for (std::size_t a = 0; a < edge.from; ++a) {
          if (reach[edge.from][a] != 0) row[a] = std::max({row[a], kind, reach[edge.from][a]});
        }
      }
    }
    EXPECT_LE(edges, 2 * plan.nodes.size()) << made.text();
    std::map<std::string, plan::NodeId> ids;
    for (const plan::Node& node : plan.nodes) {
      ids[node.path.substr(node.path.rfind('/') + 1)] = node.id;
    }
    for (const auto& [a, first] : made.steps()) {
      for (const auto& [b, then] : made.steps()) {
        if (a >= b) continue;
        const int want = side_by_side(first, then) ? 0 : first.stretch == then.stretch ? 1 : 2;
        ASSERT_EQ(reach[ids.at(b)][ids.at(a)], want)
            << "seed " << seed << ": " << b << " after " << a << "\n"
            << made.text();
      }
    }
  }
}

TEST(Order, ASecondEditionOfTheRuleVoidsRehearsals) {
  const auto world = compiled(step("a", "web"));
  ASSERT_TRUE(world->plan) << world->text();
  const auto& program = world->plan->program;
  EXPECT_NE(
      std::ranges::find(program, "cnplay's rule for the order of steps", &plan::ProgramPart::name),
      program.end());
}

}  // namespace
}  // namespace cnplay::testing
