// Doing again what was done from a step on: what is sent again, what is not, what stays of the way
// back, and what is refused.
#include "run/rerun.h"

#include <algorithm>

#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Verdict;
using Lines = std::vector<std::string>;

// Runs until the n-th event for which `last` holds, then another controller takes it up from
// `from`.
class Restarted {
 public:
  explicit Restarted(std::size_t hosts = 2, std::uint64_t seed = 1) : first(hosts, seed) {}
  template <class Last>
  void cut_behind(Last last) {
    first.run();
    const auto& all = first.recorder.events;
    std::size_t end = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (last(all[i])) end = i + 1;
    }
    ASSERT_GT(end, 0u);
    record.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end));
  }
  RunResult resume(Fixture& second, std::optional<plan::NodeId> from) {
    second.take_over(first, record);
    second.options.from = from;
    second.clock.advance(record.back().at - FakeClock::start + Duration(60'000));
    return second.go_on();
  }
  Fixture first;
  std::vector<events::Event> record;
};

auto step_ended(plan::NodeId node) {
  return [node](const events::Event& event) {
    const auto* e = std::get_if<events::StepEnded>(&event.what);
    return e != nullptr && e->node == node;
  };
}

TEST(Restart, FromAStepOnAllIsDoneAgainAndNothingBefore) {
  Restarted r;
  r.first.b.step("a");
  const plan::NodeId b = r.first.b.step("b").id;
  const plan::NodeId c = r.first.b.step("c").id;
  r.first.b.barrier();
  r.first.b.step("d");
  r.cut_behind(step_ended(c));
  ASSERT_TRUE(can_rerun(r.first.b.plan, r.record, b));
  Fixture second(2);
  EXPECT_EQ(r.resume(second, b).verdict, Verdict::success);
  EXPECT_EQ(second.hosts.count("a#0"), 0u);
  for (const char* key : {"b#0", "c#0", "d#0"}) EXPECT_EQ(second.hosts.count(key), 2u) << key;
  EXPECT_EQ(second.recorder.all<events::RunResumed>()[0].from, b);
  // No id is used twice.
  std::vector<std::uint64_t> ids;
  for (const auto& e : second.recorder.all<events::ActionStarted>()) ids.push_back(e.task);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
}

// A host that was behind keeps what it had done before the step, though others were past it.
TEST(Restart, AHostThatWasBehindTheOthersKeepsWhatItHadDone) {
  int tried = 0;
  int behind = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Restarted r(5, seed);
    r.first.b.phase("p", [&] {
      r.first.b.step("a");
      // What is sent ahead of the run is in flight: here nothing of `b` is.
      r.first.b.step("b").actions[0].become = "www-data";
    });
    const plan::NodeId b = 1;
    ASSERT_EQ(r.first.b.plan.node(b).title, "b");
    r.first.b.step("c");
    bool whole = false;
    r.cut_behind([&](const events::Event& event) {
      const auto* e = std::get_if<events::ActionEnded>(&event.what);
      if (e != nullptr && e->node == b && !whole) return whole = true;
      return false;
    });
    std::size_t done = 0;
    for (const events::Event& event : r.record) {
      const auto* e = std::get_if<events::ActionEnded>(&event.what);
      done += e != nullptr && e->node == 0 ? 1 : 0;
    }
    if (!can_rerun(r.first.b.plan, r.record, b)) continue;  // another host is at b
    ++tried;
    behind += done < 5 ? 1 : 0;
    Fixture second(5, seed);
    EXPECT_EQ(r.resume(second, b).verdict, Verdict::success) << seed;
    EXPECT_EQ(second.hosts.count("a#0"), 5 - done) << seed;
    EXPECT_EQ(second.hosts.count("b#0"), 5u) << seed;
  }
  EXPECT_GT(tried, 5);
  EXPECT_GT(behind, 5);
}

// Its check finds it done: the way back is that of the first time, from what was before.
TEST(Restart, TheWayBackOfTheFirstTimeStays) {
  Restarted r(1);
  r.first.b.step("a");
  plan::Node& b = r.first.b.step("b");
  b.actions[0].returns = {{"before", plan::FactType::string}};
  plan::Action& undo = r.first.b.undo(b);
  undo.params.push_back(Builder::param("to", Builder::fact(b.id, "before")));
  const plan::NodeId id = b.id;
  r.first.hosts.on("b#0", {{Will::change, {{"before", "old"}}}});
  r.first.b.step("c");
  r.cut_behind(step_ended(id));
  Fixture second(1);
  second.hosts.on("b#0", {{Will::ok, {{"before", "new"}}}});
  second.hosts.on("c#0", {{Will::apply_fail}});
  EXPECT_EQ(r.resume(second, id).verdict, Verdict::failed);
  ASSERT_EQ(second.hosts.count("b!0"), 1u);
  const auto& variables = second.hosts.started("b!0")[0]->task.variables;
  ASSERT_EQ(variables.size(), 1u);
  EXPECT_EQ(variables[0].value, "old");
}

TEST(Restart, PeopleAreAskedAgain) {
  Restarted r(1);
  r.first.b.step("a");
  plan::Node& h = r.first.b.human("h", plan::HumanKind::approve);
  h.timeout = Duration(1);
  h.human->fallback = plan::Value(true);
  const plan::NodeId id = h.id;
  const plan::NodeId b = r.first.b.step("b").id;
  r.first.options.prompter = nullptr;
  r.cut_behind([&](const events::Event& event) {
    return std::holds_alternative<events::RunParked>(event.what) || step_ended(b)(event);
  });
  Fixture second(1);
  EXPECT_EQ(r.resume(second, id).verdict, Verdict::parked);
  EXPECT_EQ(second.recorder.all<events::HumanStarted>().size(), 2u);
}

// The record of a run that was taken up so can be taken up wherever it is cut.
TEST(Restart, ItsRecordCanBeTakenUp) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Restarted r(3, seed);
    r.first.b.step("a");
    r.first.b.phase("p", [&] {
      r.first.b.parallel({[&] { r.first.b.step("b"); }, [&] { r.first.b.step("c"); }});
    });
    const plan::NodeId d = r.first.b.step("d").id;
    r.first.b.barrier();
    r.first.b.step("e");
    r.cut_behind(step_ended(d));
    const plan::NodeId b = 1;
    ASSERT_EQ(r.first.b.plan.node(b).title, "b");
    ASSERT_TRUE(can_rerun(r.first.b.plan, r.record, b));
    Fixture second(3, seed);
    ASSERT_EQ(r.resume(second, b).verdict, Verdict::success) << seed;
    const std::vector<events::Event> all = second.recorder.events;
    int twice_restarted = 0;
    for (std::size_t cut = r.record.size() + 1; cut + 1 < all.size(); ++cut) {
      Restarted again(3);
      again.first.b.plan = r.first.b.plan;
      again.record.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cut));
      Fixture third(3, seed + 7);
      const RunResult result = again.resume(third, std::nullopt);
      ASSERT_EQ(result.verdict, Verdict::success)
          << seed << " " << cut << (result.not_resumed ? result.not_resumed->what : "");
      EXPECT_EQ(third.hosts.count("a#0"), 0u) << cut;
      // And once more from the same step on, where that may be.
      if (!can_rerun(again.first.b.plan, again.record, b)) continue;
      Fixture fourth(3, seed + 9);
      const RunResult twice = again.resume(fourth, b);
      ASSERT_EQ(twice.verdict, Verdict::success)
          << seed << " " << cut << (twice.not_resumed ? twice.not_resumed->what : "");
      EXPECT_EQ(fourth.hosts.count("b#0"), 3u) << cut;
      EXPECT_EQ(fourth.hosts.count("a#0"), 0u) << cut;
      ++twice_restarted;
    }
    EXPECT_GT(twice_restarted, 2);
  }
}

TEST(Restart, WhatIsInTheWayIsSaid) {
  Restarted r(2);
  const plan::NodeId a = r.first.b.step("a").id;
  const plan::NodeId pivot = r.first.b.pivot("now").id;
  const plan::NodeId b = r.first.b.step("b").id;
  r.first.b.step("c").left_out = "--tags web";
  r.cut_behind(step_ended(b));
  const plan::Plan& plan = r.first.b.plan;
  const auto why = [&](plan::NodeId from) {
    const Status status = can_rerun(plan, r.record, from);
    return status ? std::string() : status.error().what;
  };
  EXPECT_NE(why(a).find("point of no return"), std::string::npos) << why(a);
  EXPECT_EQ(why(b), "");
  EXPECT_NE(why(b + 1).find("left out"), std::string::npos);
  EXPECT_LT(pivot, b);
  auto in_flight = r.record;
  std::erase_if(in_flight, [&](const events::Event& event) {
    const auto* e = std::get_if<events::ActionEnded>(&event.what);
    return e != nullptr && e->node == b;
  });
  EXPECT_NE(can_rerun(plan, in_flight, b).error().what.find("in flight"), std::string::npos);
  const auto with = [&](auto what) {
    auto record = r.record;
    record.push_back({record.back().seq + 1, record.back().at, what});
    return can_rerun(plan, record, b).error().what;
  };
  EXPECT_NE(with(events::FailureDeclared{b, {}, false}).find("answer to the failure"),
            std::string::npos);
  EXPECT_NE(with(events::AbortRequested{1}).find("aborted"), std::string::npos);
  // It stays out, and nothing is done again there.
  auto lost = r.record;
  lost.push_back({lost.back().seq + 1, lost.back().at, events::HostLost{1, ""}});
  EXPECT_TRUE(can_rerun(plan, lost, b));
}

}  // namespace
}  // namespace cnplay::run::test
