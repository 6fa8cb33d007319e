// Hash, JSON and invariants of whole plans.
#include "plan/plan.h"

#include <gtest/gtest.h>

#include <functional>

#include "support/cpu.h"
#include "support/plan/update_code.h"

namespace cnplay::testing {
namespace {

TEST(PlanInvariants, TheTourHolds) { EXPECT_EQ(check_invariants(update_code().plan), ""); }

TEST(PlanInvariants, EachViolationIsNamed) {
  struct Case {
    std::string expected;
    std::function<void(UpdateCode&)> damage;
  };
  const std::vector<Case> cases = {
      {"two hosts are named web1", [](UpdateCode& u) { u.plan.hosts[1].name = "web1"; }},
      {"node update_code/cutover/code: an edge that does not point back",
       [](UpdateCode& u) { u.plan.nodes[u.code].after = same({u.code}); }},
      {"node update_code/announce: its id is not its index",
       [](UpdateCode& u) { u.plan.nodes[0].id = 7; }},
      {"two nodes have the path update_code/cutover/stop",
       [](UpdateCode& u) { u.plan.nodes[u.page].path = "update_code/cutover/stop"; }},
      {"node update_code/cutover/stop: only steps and handlers have hosts, and each must have some",
       [](UpdateCode& u) { u.plan.nodes[u.stop].hosts.clear(); }},
      {"node update_code/cutover/stop: its hosts are not in inventory order",
       [](UpdateCode& u) {
         u.plan.nodes[u.stop].hosts = {1, 0};
       }},
      {"node update_code/cutover/stop: a host that does not exist",
       [](UpdateCode& u) {
         u.plan.nodes[u.stop].hosts = {0, 99};
       }},
      {"node update_code/announce: `once` is on one host",
       [](UpdateCode& u) {
         u.plan.nodes[u.announce].hosts = {0, 1};
       }},
      {"node update_code/wait: waits have a time",
       [](UpdateCode& u) { u.plan.nodes[u.wait].until = Value(); }},
      {"node update_code/announce, django.maintenance_on: password holds a secret and is not "
       "marked so",
       [](UpdateCode& u) { u.plan.nodes[0].actions[0].params[2].secret = false; }},
      {"node update_code/announce, django.maintenance_on, password: a secret that does not exist",
       [](UpdateCode& u) { u.plan.secrets.clear(); }},
      {"node update_code/cutover/code, git.rebase, dir: a column that does not fit the hosts",
       [](UpdateCode& u) {
         u.plan.nodes[u.code].actions[0].params[0].value = Column({Value("a")}, {0});
       }},
      {"node update_code/cutover/code, git.rebase, dir: a column's index is out of range",
       [](UpdateCode& u) {
         u.plan.nodes[u.code].actions[0].params[0].value = Column({Value("a")}, {0, 1});
       }},
      {"node update_code/cutover/code, git.rebase: no such script",
       [](UpdateCode& u) { u.plan.nodes[u.code].actions[0].check = 9999; }},
      {"node update_code/cutover/code, git.rebase: neither check nor apply",
       [](UpdateCode& u) {
         u.plan.nodes[u.code].actions[0].check = u.plan.nodes[u.code].actions[0].apply = kNone;
       }},
      {"node update_code/cutover/static, when: a fact of a later step",
       [](UpdateCode& u) {
         u.plan.nodes[u.statics].when = Column(deferred(fact(u.smoke, 0, "x")));
       }},
      {"node update_code/cutover/static, when: git.rebase has no fact `nope`",
       [](UpdateCode& u) {
         u.plan.nodes[u.statics].when = Column(deferred(fact(u.code, 0, "nope")));
       }},
      {"node update_code/cutover/code, git.rebase, onto: a fact of the action itself or of a later "
       "one",
       [](UpdateCode& u) {
         u.plan.nodes[u.code].actions[0].params[1].value =
             Column(deferred(fact(u.code, 0, "before")));
       }},
      {"node update_code/cutover/static, when: `not` with a wrong number of operands",
       [](UpdateCode& u) { u.plan.nodes[u.statics].when = Column(deferred(op(Op::not_, {}))); }},
      {"node update_code/cutover/static, django.collectstatic: notifies what is not a handler",
       [](UpdateCode& u) { u.plan.nodes[u.statics].actions[0].notify = {u.code}; }},
      {"node update_code/cutover/static, django.collectstatic: no parameter `x` to read or write",
       [](UpdateCode& u) { u.plan.nodes[u.statics].actions[0].writes = {"x"}; }},
      {"phase update_code/cutover: its end is not the end of a phase",
       [](UpdateCode& u) { u.plan.phases[0].end = u.open; }},
      {"the main section is the first, and the only one",
       [](UpdateCode& u) { u.plan.sections[1].kind = SectionKind::main; }},
      {"node update_code/announce stands in two sections",
       [](UpdateCode& u) { u.plan.sections[1].nodes = {0}; }},
      {"node update_code/cutover/end stands in no section",
       [](UpdateCode& u) { u.plan.sections[0].nodes.pop_back(); }},
      {"on_failure: no such section",
       [](UpdateCode& u) {
         u.plan.on_failure[0].responses[0] = {ResponseKind::section, Value(), {}, 1};
       }},
  };
  for (const Case& c : cases) {
    UpdateCode u = update_code();
    c.damage(u);
    EXPECT_EQ(check_invariants(u.plan), c.expected);
  }
}

TEST(PlanHash, TheSameInputGivesTheSame) {
  EXPECT_EQ(hash(update_code().plan), hash(update_code().plan));
  EXPECT_EQ(hash(update_code().plan).size(), 64U);
}

TEST(PlanHash, PlacesAndTitlesDoNotCount) {
  Plan p = update_code().plan;
  const std::string before = hash(p);
  p.title = p.owner = p.file = p.program_hash = "other";
  for (Node& n : p.nodes) {
    n.where = n.title = "other";
    for (Action& a : n.actions) a.where = "other";
  }
  for (Script& s : p.scripts) s.where = "other";
  p.phases[0].title = "other";
  p.secrets[0].where = p.requirements[0].where = "other";
  EXPECT_EQ(hash(p), before);
}

TEST(PlanHash, WhatARunDoesCounts) {
  const std::string before = hash(update_code().plan);
  const std::vector<std::function<void(UpdateCode&)>> changes = {
      [](UpdateCode& u) { u.plan.inventory = "prod"; },
      [](UpdateCode& u) { u.plan.hosts[0].connection.port = 2222; },
      [](UpdateCode& u) { u.plan.scripts[0].text += " "; },
      [](UpdateCode& u) { u.plan.nodes[u.code].after.clear(); },
      [](UpdateCode& u) { u.plan.nodes[u.code].after[0].kind = EdgeKind::all_hosts; },
      [](UpdateCode& u) { u.plan.nodes[u.code].tolerate = 1; },
      [](UpdateCode& u) { u.plan.nodes[u.stop].actions[0].become = "deploy"; },
      [](UpdateCode& u) { u.plan.nodes[u.code].undo.clear(); },
      [](UpdateCode& u) { u.plan.nodes[u.packages].retry.times = 3; },
      [](UpdateCode& u) { u.plan.nodes[u.statics].when = Column(); },
      [](UpdateCode& u) {
        u.plan.nodes[u.statics].when = Column(deferred(fact(u.code, 0, "before")));
      },
      [](UpdateCode& u) { u.plan.on_failure[1].responses[0].message = Value("x"); },
      [](UpdateCode& u) { u.plan.locks.clear(); },
      [](UpdateCode& u) { u.plan.secrets[0].arguments[0] = "OTHER"; },
  };
  std::vector<std::string> seen{before};
  for (const auto& change : changes) {
    UpdateCode u = update_code();
    change(u);
    const std::string h = hash(u.plan);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), h), 0) << seen.size();
    seen.push_back(h);
  }
}

TEST(PlanHash, OfAnActionKnowsItsHost) {
  const UpdateCode u = update_code();
  const Action& rebase = u.plan.nodes[u.code].actions[0];
  EXPECT_NE(hash(u.plan, rebase, 0), hash(u.plan, rebase, 1));  // another directory
  const Action& pip = u.plan.nodes[u.packages].actions[0];
  EXPECT_EQ(hash(u.plan, pip, 0), hash(u.plan, pip, 1));
}

TEST(PlanHash, TakesLinearTime) {
  const Plan quarter = update_code(5'000).plan;
  const Plan whole = update_code(20'000).plan;
  hash(quarter);  // warm up
  cnplay::testing::expect_linear(cnplay::testing::cpu_seconds_of([&] { hash(quarter); }),
                                 cnplay::testing::cpu_seconds_of([&] { hash(whole); }));

  UpdateCode u = update_code();
  ExprPtr e = fact(u.code, 0, "before");
  for (int i = 0; i < 60; ++i) e = op(Op::add, {e, e});
  u.plan.nodes[u.statics].when = Column(deferred(e));
  EXPECT_EQ(hash(u.plan).size(), 64U);
  EXPECT_EQ(check_invariants(u.plan), "");
}

TEST(PlanJson, ComesBackAsItWas) {
  for (const std::size_t webs : {1U, 2U, 40U}) {
    const Plan p = update_code(webs).plan;
    const std::string text = to_json(p);
    const auto back = from_json(text);
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(to_json(*back), text);
    EXPECT_EQ(hash(*back), hash(p));
    EXPECT_EQ(back->title, p.title);
    EXPECT_EQ(back->nodes[3].where, p.nodes[3].where);
    EXPECT_EQ(back->program_hash, p.program_hash);
  }
}

TEST(PlanJson, EveryKindOfValueComesBack) {
  Plan p = update_code().plan;
  p.params = {{"none", Value()},
              {"bool", Value(true)},
              {"int", Value(std::numeric_limits<std::int64_t>::min())},
              {"string", Value("a\n\"\\ \xC3\xBC")},
              {"bytes", Value(std::string("\xff\x00z", 3))},
              {"duration", Value(Duration{-1})},
              {"time", Value(*parse_time("2026-12-01 22:00:00.123 UTC"))},
              {"zone", Value(*parse_time("2026-12-01 22:00 America/Los_Angeles"))},
              {"size", Value(Size{17})},
              {"percent", Value(Percent{25})},
              {"list", Value(List{Value(List{}), Value("x")})},
              {"record", Value(Record{{"z", Value()}, {"a", Value(std::int64_t{1})}})},
              {"secret", Value(SecretRef{0})},
              {"deferred", deferred(op(Op::concat, {text("a"), now_expr(), secret_expr(0)}))}};
  const auto back = from_json(to_json(p));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->params, p.params);
  EXPECT_EQ(back->params[7].second.as<Time>()->zone, "America/Los_Angeles");
}

TEST(PlanJson, SharedExpressionsStayShared) {
  UpdateCode u = update_code();
  ExprPtr e = fact(u.code, 0, "before");
  for (int i = 0; i < 60; ++i) e = op(Op::add, {e, e});
  u.plan.nodes[u.statics].when = Column(deferred(e));
  const auto back = from_json(to_json(u.plan));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(hash(*back), hash(u.plan));
}

TEST(PlanJson, BrokenTextIsAnErrorThatSaysWhy) {
  const auto why = [](const std::string& text) {
    const auto r = from_json(text);
    return r ? std::string("no error") : r.error().what;
  };
  EXPECT_NE(why("").find("parse error"), std::string::npos);
  EXPECT_NE(why("{}").find("no version"), std::string::npos);
  EXPECT_NE(why(R"({"version": 2})").find("version 2, expected 1"), std::string::npos);
  EXPECT_NE(why(R"({"version":1,"expressions":[],"plan":{"nodes":[{"id":"x"}]}})")
                .find("nodes: id: expected an integer"),
            std::string::npos);
  EXPECT_NE(why(R"({"version":1,"expressions":[],"plan":{"nodes":[{"id":0,"kind":"step"}]}})")
                .find("stands in no section"),
            std::string::npos);
  EXPECT_NE(why(R"({"version":1,"expressions":[{"op":"not","operands":[0]}],"plan":{}})")
                .find("comes later"),
            std::string::npos);
}

TEST(PlanJson, DeepExpressionsAreRefused) {
  std::string table = R"({"op":"now"})";
  for (int i = 0; i < 50'000; ++i) {
    table += R"(,{"op":"negate","operands":[)" + std::to_string(i) + "]}";
  }
  const auto r = from_json(R"({"version":1,"expressions":[)" + table + R"(],"plan":{}})");
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().what.find("nested too deeply"), std::string::npos) << r.error().what;
}

// Whatever is cut or altered: an Error or a plan that keeps the invariants, never a crash.
TEST(PlanJson, DamagedTextNeverCrashes) {
  const std::string text = to_json(update_code().plan);
  std::uint64_t seed = 1;
  for (int i = 0; i < 300; ++i) {
    std::string damaged = text;
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::size_t at = (seed >> 33) % damaged.size();
    if (i % 3 == 0) {
      damaged.resize(at);
    } else {
      damaged[at] = "09[]{}\",ax"[(seed >> 20) % 10];
    }
    const auto back = from_json(damaged);
    if (back) {
      EXPECT_EQ(check_invariants(*back), "");
    }
  }
}

}  // namespace
}  // namespace cnplay::testing
