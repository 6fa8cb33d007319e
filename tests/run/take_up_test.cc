// A run that has failed goes forward once more, with its play mended or as it was: what failed is
// done again, what was done is not, and what cannot be is refused and named.
#include "run/take_up.h"

#include <algorithm>
#include <map>

#include "run/rerun.h"
#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Verdict;
using Lines = std::vector<std::string>;

// A first run; then another controller takes it up, with `next` in the place of its plan.
class Failed {
 public:
  explicit Failed(std::size_t hosts = 2, std::uint64_t seed = 1) : first(hosts, seed) {}

  Result<Lines> judge(const plan::Plan& next, std::optional<plan::NodeId> from = {}) const {
    return can_take_up(first.b.plan, first.b.plan, first.recorder.events, next, from);
  }
  std::string why(const plan::Plan& next, std::optional<plan::NodeId> from = {}) const {
    const auto judged = judge(next, from);
    return judged ? std::string() : judged.error().what;
  }
  // The record once it is taken up. The plans must have the same nodes.
  std::vector<events::Event> taken(const Fixture& of) const {
    auto record = of.recorder.events;
    events::PlanTaken what{"ann", "desk", "a", "b", "plan-2.json", {}};
    record.push_back({record.back().seq + 1, record.back().at, std::move(what)});
    return record;
  }
  RunResult go_on(Fixture& second, const plan::Plan& next, std::vector<events::Event> record,
                  std::optional<plan::NodeId> from = {}) {
    record_ = std::move(record);
    second.take_over(first, record_);
    second.b.plan = next;
    second.options.from = from;
    EXPECT_TRUE(can_follow(next, second.options));
    second.clock.advance(record_.back().at - FakeClock::start + Duration(60'000));
    return second.go_on();
  }

  Fixture first;

 private:
  std::vector<events::Event> record_;
};

plan::ScriptId other(plan::Plan& plan, plan::ScriptId script, const std::string& more) {
  plan.scripts.push_back({plan.scripts[script].text + more, "mended:1"});
  return static_cast<plan::ScriptId>(plan.scripts.size() - 1);
}

void mend(plan::Plan& plan, plan::NodeId node, std::size_t action = 0) {
  plan::Action& a = plan.nodes[node].actions[action];
  a.apply = other(plan, a.apply, "# mended");
}

// It is done on h0 as it was: nobody has said that h0 may be left so.
TEST(TakeUp, AStepThatIsDoneSomewhereIsNotMendedElsewhere) {
  Failed f;
  const plan::NodeId a = f.first.b.step("a").id;
  f.first.hosts.on("a#0", 1, {{Will::apply_fail}});
  ASSERT_EQ(f.first.run().verdict, Verdict::failed);
  plan::Plan next = f.first.b.plan;
  mend(next, a);
  EXPECT_NE(f.why(next).find("/a` on h0"), std::string::npos) << f.why(next);
}

TEST(TakeUp, WhatFailedIsDoneAgainAndNothingBefore) {
  Failed f;
  f.first.b.step("a");
  const plan::NodeId b = f.first.b.step("b").id;
  f.first.b.barrier();
  f.first.b.step("c");
  f.first.hosts.on("b#0", {{Will::apply_fail}});
  ASSERT_EQ(f.first.run().verdict, Verdict::failed);
  plan::Plan next = f.first.b.plan;
  mend(next, b);
  EXPECT_EQ(f.why(next), "");
  Fixture second(2);
  EXPECT_EQ(f.go_on(second, next, f.taken(f.first)).verdict, Verdict::success);
  EXPECT_EQ(second.hosts.count("a#0"), 0u);
  EXPECT_EQ(second.hosts.count("b#0"), 2u);
  EXPECT_EQ(second.hosts.count("c#0"), 2u);
  for (const Started* s : second.hosts.started("b#0")) {
    EXPECT_NE(s->task.apply.find("# mended"), std::string::npos);
  }
  // No claim of the former plan is met.
  std::vector<std::uint64_t> ids;
  for (const auto& e : second.recorder.all<events::ActionStarted>()) ids.push_back(e.task);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
}

// Nothing was changed: a person has mended what was wrong on the host.
TEST(TakeUp, WithTheSamePlanTheHostsThatFailedGoOn) {
  Failed f(3);
  f.first.b.step("a");
  f.first.b.step("b").tolerate = 1;
  f.first.b.step("c");
  f.first.b.barrier();
  f.first.b.step("d");
  f.first.hosts.on("b#0", 0, {{Will::fail}});
  f.first.hosts.on("c#0", 2, {{Will::fail}});
  ASSERT_EQ(f.first.run().verdict, Verdict::failed);
  EXPECT_EQ(f.why(f.first.b.plan), "");
  Fixture second(3);
  EXPECT_EQ(f.go_on(second, f.first.b.plan, f.taken(f.first)).verdict, Verdict::success);
  EXPECT_EQ(second.hosts.count("a#0"), 0u);
  ASSERT_EQ(second.hosts.count("b#0"), 1u);
  EXPECT_EQ(second.hosts.started("b#0")[0]->task.host, 0u);
  EXPECT_EQ(second.hosts.count("d#0"), 3u);
}

// The others did not wait for it: it would come too late.
TEST(TakeUp, AHostThatDroppedOutBeforeABarrierStaysOut) {
  Failed f(3);
  f.first.b.step("a").tolerate = 1;
  f.first.b.barrier();
  f.first.b.step("b").tolerate = 1;
  f.first.hosts.on("a#0", 0, {{Will::fail}});
  f.first.hosts.on("b#0", 1, {{Will::fail}});
  ASSERT_EQ(f.first.run().verdict, Verdict::failed);
  const auto notes = f.judge(f.first.b.plan);
  ASSERT_TRUE(notes);
  ASSERT_EQ(notes->size(), 1u);
  EXPECT_NE(notes->front().find("h0"), std::string::npos);
  Fixture second(3);
  EXPECT_EQ(f.go_on(second, f.first.b.plan, f.taken(f.first)).verdict, Verdict::failed);
  EXPECT_EQ(second.hosts.count("a#0"), 0u);
  ASSERT_EQ(second.hosts.count("b#0"), 1u);
  EXPECT_EQ(second.hosts.started("b#0")[0]->task.host, 1u);
}

// The first action has no check: done again it would be done twice.
TEST(TakeUp, WhatWasGoodOfAStepIsNotDoneAgain) {
  Failed f(1);
  plan::Node& a = f.first.b.step("a");
  const plan::NodeId id = a.id;
  Builder::no_check(a.actions[0]);
  f.first.b.action(a);
  f.first.hosts.on("a#1", {{Will::apply_fail}});
  ASSERT_EQ(f.first.run().verdict, Verdict::failed);
  plan::Plan next = f.first.b.plan;
  mend(next, id, 1);
  EXPECT_EQ(f.why(next), "");
  Fixture second(1);
  EXPECT_EQ(f.go_on(second, next, f.taken(f.first)).verdict, Verdict::success);
  EXPECT_EQ(second.hosts.count("a#0"), 0u);
  EXPECT_EQ(second.hosts.count("a#1"), 1u);
  EXPECT_EQ(second.outcomes("a"), (Lines{"h0 changed", "h0 failed"}));
  // Put in before it, a new action would have it done twice.
  plan::Plan shifted = f.first.b.plan;
  auto& actions = shifted.nodes[id].actions;
  actions.insert(actions.begin(), actions[1]);
  EXPECT_NE(f.why(shifted).find("do it twice"), std::string::npos) << f.why(shifted);
}

// A host was ahead of the others when the run failed.
TEST(TakeUp, WhatRanAheadIsNotDoneAgain) {
  int ahead = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Failed f(3, seed);
    for (const char* name : {"a", "b", "c", "d"}) {
      Builder::no_check(f.first.b.step(name).actions[0]);
    }
    // All at the same time: what follows has begun when the run hears of the failure.
    f.first.hosts.otherwise = [](const Started&) {
      return Behaviour{Will::change, {}, Duration(100)};
    };
    f.first.hosts.on("b#0", 2, {{Will::apply_fail, {}, Duration(100 + seed % 3 - 1)}});
    ASSERT_EQ(f.first.run().verdict, Verdict::failed);
    const auto ran = f.first.recorder.all<events::RanAhead>();
    ahead += ran.empty() ? 0 : 1;
    ASSERT_EQ(f.why(f.first.b.plan), "");
    Fixture second(3, seed + 5);
    ASSERT_EQ(f.go_on(second, f.first.b.plan, f.taken(f.first)).verdict, Verdict::success) << seed;
    std::map<std::pair<std::string, plan::HostIndex>, int> done;
    for (const auto* run : {&f.first, &second}) {
      for (const Started& s : run->hosts.started()) {
        if (s.key.ends_with("#0")) ++done[{s.key, s.task.host}];
      }
    }
    const std::pair<std::string, plan::HostIndex> failed{"b#0", 2};
    for (const auto& [what, times] : done) {
      EXPECT_EQ(times, what == failed ? 2 : 1) << seed << " " << what.first << " h" << what.second;
    }
    EXPECT_EQ(done.size(), 12u);
  }
  EXPECT_GT(ahead, 5);
}

TEST(TakeUp, TheWayBackOfAStepThatFailedHalfwayIsThatFromBeforeIt) {
  Failed f(1);
  plan::Node& a = f.first.b.step("a");
  a.actions[0].returns = {{"before", plan::FactType::string}};
  const plan::NodeId id = a.id;
  f.first.hosts.on("a#0", {{Will::apply_fail, {{"before", "old"}}}});
  f.first.b.step("b");
  f.first.b.on_failure(plan::Side::any, plan::kNone, {{plan::ResponseKind::hold, {}, {}, {}}});
  f.first.b.undo(f.first.b.plan.nodes[id])
      .params.push_back(Builder::param("to", Builder::fact(id, "before")));
  ASSERT_EQ(f.first.run().verdict, Verdict::failed);
  plan::Plan next = f.first.b.plan;
  next.on_failure.clear();
  Fixture second(1);
  second.hosts.on("a#0", {{Will::change, {{"before", "half"}}}});
  second.hosts.on("b#0", {{Will::apply_fail}});
  EXPECT_EQ(f.go_on(second, next, f.taken(f.first)).verdict, Verdict::failed);
  ASSERT_EQ(second.hosts.count("a!0"), 1u);
  EXPECT_EQ(second.hosts.started("a!0")[0]->task.variables[0].value, "old");
  // Without that way back it is not taken up.
  next.nodes[id].undo.clear();
  EXPECT_NE(f.why(next).find("`undo`"), std::string::npos) << f.why(next);
}

TEST(TakeUp, WhatWasUndoneIsDoneAgainIfSomebodySaysSo) {
  Failed f(1);
  f.first.b.step("a");
  plan::Node& b = f.first.b.step("b");
  const plan::NodeId id = b.id;
  f.first.b.undo(b);
  f.first.b.step("c");
  f.first.hosts.on("c#0", {{Will::fail}});
  ASSERT_EQ(f.first.run().verdict, Verdict::failed);
  ASSERT_EQ(f.first.hosts.count("b!0"), 1u);
  EXPECT_NE(f.why(f.first.b.plan).find("/b` was undone"), std::string::npos);
  EXPECT_EQ(f.why(f.first.b.plan, id), "");
  Fixture second(1);
  const auto record = f.taken(f.first);
  ASSERT_TRUE(can_rerun(f.first.b.plan, record, id));
  EXPECT_EQ(f.go_on(second, f.first.b.plan, record, id).verdict, Verdict::success);
  EXPECT_EQ(second.hosts.count("a#0"), 0u);
  EXPECT_EQ(second.hosts.count("b#0"), 1u);
  EXPECT_EQ(second.hosts.count("c#0"), 1u);
  EXPECT_EQ(second.hosts.count("b!0"), 0u);
}

TEST(TakeUp, WhatIsInTheWayIsNamed) {
  Failed f(1);
  const plan::NodeId a = f.first.b.step("a").id;
  f.first.b.barrier();
  const plan::NodeId b = f.first.b.step("b").id;
  f.first.b.step("c");
  f.first.hosts.on("b#0", {{Will::fail}});
  ASSERT_EQ(f.first.run().verdict, Verdict::failed);
  const auto with = [&](auto change) {
    plan::Plan next = f.first.b.plan;
    change(next);
    return f.why(next);
  };
  EXPECT_EQ(with([&](plan::Plan& p) { mend(p, b); }), "");
  EXPECT_NE(with([&](plan::Plan& p) { mend(p, a); }).find("/a` on h0 has begun or is done"),
            std::string::npos);
  EXPECT_NE(
      with([&](plan::Plan& p) { p.nodes[a].path = "other"; }).find("/a` has begun, and is gone"),
      std::string::npos);
  EXPECT_NE(with([&](plan::Plan& p) {
              // Where the barrier is, a step comes first.
              p.nodes[a + 1].path = "new";
            }).find("has begun, and is gone"),
            std::string::npos);
  EXPECT_NE(with([&](plan::Plan& p) {
              p.hosts[0].connection.address = "10.0.0.9";
            }).find("another address"),
            std::string::npos);
  EXPECT_NE(with([&](plan::Plan& p) { p.hosts[0].name = "web9"; }).find("is gone from the play"),
            std::string::npos);
  // Only somebody who says from where on can have a done step otherwise.
  plan::Plan next = f.first.b.plan;
  mend(next, a);
  EXPECT_EQ(f.why(next, a), "");
}

TEST(TakeUp, WhatNobodyKnowsIsLookedAtFirst) {
  Failed f(1);
  Builder::no_check(f.first.b.step("a").actions[0]);
  f.first.hosts.on("a#0", {{Will::lose_shell}});
  ASSERT_EQ(f.first.run().verdict, Verdict::unknown);
  EXPECT_NE(f.why(f.first.b.plan).find("is not known"), std::string::npos);
  Failed lost(1);
  lost.first.b.step("a");
  lost.first.hosts.on("a#0", {{Will::lose}});
  EXPECT_EQ(lost.first.run().verdict, Verdict::unknown);
  EXPECT_NE(lost.why(lost.first.b.plan).find("may still be running"), std::string::npos);
}

// Cut off anywhere behind it, it goes on with the plan that was taken up.
TEST(TakeUp, ItsRecordCanBeResumedWhereverItIsCut) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Failed f(3, seed);
    f.first.b.step("a");
    plan::NodeId b = 0;
    f.first.b.phase("p", [&] {
      b = f.first.b.step("b").id;
      f.first.b.action(f.first.b.plan.nodes[b]);
    });
    f.first.b.barrier();
    f.first.b.step("c");
    f.first.hosts.on("b#1", {{Will::apply_fail}});
    ASSERT_EQ(f.first.run().verdict, Verdict::failed);
    plan::Plan next = f.first.b.plan;
    mend(next, b, 1);
    ASSERT_EQ(f.why(next), "");
    const auto record = f.taken(f.first);
    Fixture second(3, seed + 1);
    ASSERT_EQ(f.go_on(second, next, record).verdict, Verdict::success);
    const auto all = second.recorder.events;
    for (std::size_t cut = record.size(); cut < all.size(); ++cut) {
      Fixture third(3, seed + 2);
      third.hosts.started_before(second.hosts.started());
      const RunResult result =
          f.go_on(third, next, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cut)});
      ASSERT_EQ(result.verdict, Verdict::success)
          << seed << " " << cut << (result.not_resumed ? result.not_resumed->what : "");
      EXPECT_EQ(third.recorder.all<events::FailureDeclared>().size(), 1u);
    }
  }
}

}  // namespace
}  // namespace cnplay::run::test
