// Rollbacks: offered after a failure, taken later by a run of its own; resumed.
#include <algorithm>

#include "run/recall.h"
#include "support/run/ways.h"

namespace cnplay::run::test {
namespace {

using events::Outcome;

// ---- offers

TEST(Offer, AYesTakesTheWayBackAsPartOfTheRun) {
  Ways f;
  f.back();
  f.offer({"back"});
  f.fails();
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes();
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.outcomes("restore"), (Lines{"h0 changed", "h1 changed"}));
  for (const Started* s : f.hosts.started("restore#0")) EXPECT_EQ(param_of(*s, "to"), "v1");
  EXPECT_EQ(f.hosts.count("a!0"), 0u);  // one way back, not two
  ASSERT_EQ(f.recorder.all<events::RollbackEnded>().size(), 1u);
  EXPECT_TRUE(f.recorder.all<events::RollbackEnded>()[0].complete);
  EXPECT_TRUE(f.recorder.all<events::Held>().empty());
  EXPECT_NE(f.ended().advice.find("`back` is complete"), std::string::npos);
}

// A way back leads to a system that works: it ends the outage, if it is taken to its end.
TEST(Offer, AWayBackThatIsTakenToItsEndEndsTheOutage) {
  for (const bool whole : {true, false}) {
    Ways f;
    f.b.plan.phases[f.phase].outage = true;
    f.back();
    f.offer({"back"});
    f.fails();
    if (!whole) f.hosts.on("check#0", 1, {{Will::fail}});
    FakePrompter ann;
    f.options.prompter = &ann;
    ann.yes();
    EXPECT_EQ(f.run().verdict, Verdict::failed);
    EXPECT_EQ(f.recorder.all<events::RollbackEnded>().at(0).complete, whole);
    EXPECT_EQ(f.ended().outage_open, !whole);
    EXPECT_EQ(f.ended().advice.find("The outage continues.") == std::string::npos, whole);
  }
}

TEST(Offer, ANoHolds) {
  Ways f;
  f.back();
  f.offer({"back"});
  f.fails();
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.no("the new site is nearly up");
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.hosts.count("restore#0"), 0u);
  EXPECT_EQ(f.recorder.all<events::Held>().size(), 1u);
  EXPECT_NE(f.ended().advice.find("cnplay rollback " + f.options.run_id + " back"),
            std::string::npos);
}

TEST(Offer, OfSeveralOneIsChosenOrNone) {
  for (const std::string choice : {"back", "other", "none"}) {
    Ways f;
    f.back();
    f.rollback("other", [&] { f.b.step("dns"); });
    f.offer({"back", "other"});
    f.fails();
    FakePrompter ann;
    f.options.prompter = &ann;
    ann.yes({{"offer", "neither"}});  // is none of them: asked once more
    ann.yes({{"offer", choice}});
    EXPECT_EQ(f.run().verdict, Verdict::failed);
    EXPECT_EQ(f.hosts.count("restore#0"), choice == "back" ? 2u : 0u);
    EXPECT_EQ(f.hosts.count("dns#0"), choice == "other" ? 2u : 0u);
    EXPECT_EQ(f.recorder.all<events::Held>().size(), choice == "none" ? 1u : 0u);
  }
}

TEST(Offer, WithoutATerminalTheRunParksAndTheAnswerIsHeardWhenItIsResumed) {
  for (const bool yes : {true, false}) {
    Ways f;
    f.back();
    const plan::NodeId asked = f.offer({"back"});
    f.fails();
    EXPECT_EQ(f.run().verdict, Verdict::parked);
    EXPECT_EQ(f.hosts.count("restore#0"), 0u);
    f.answer(asked, "bob", "", yes);
    Fixture second(2);
    EXPECT_EQ(f.resume(second).verdict, Verdict::failed);
    EXPECT_EQ(second.hosts.count("restore#0"), yes ? 2u : 0u);
    EXPECT_EQ(second.recorder.all<events::RollbackEnded>().size(), yes ? 1u : 0u);
    EXPECT_EQ(second.recorder.all<events::Held>().size(), yes ? 0u : 1u);
    check_run(second);
  }
}

TEST(Offer, NobodyInTimeMeansWhatItsDefaultSays) {
  for (const std::string word : {"approve", "refuse", ""}) {
    Ways f;
    f.back();
    plan::Node& asked = f.b.plan.nodes[f.offer({"back"})];
    asked.timeout = Duration{1'800'000};
    if (!word.empty()) asked.human->fallback = plan::Value(word == "approve");
    f.fails();
    FakePrompter ann;  // thinks on
    f.options.prompter = &ann;
    EXPECT_EQ(f.run().verdict, Verdict::failed);
    EXPECT_EQ(f.hosts.count("restore#0"), word == "approve" ? 2u : 0u) << word;
    EXPECT_EQ(f.recorder.all<events::Held>().size(), word == "approve" ? 0u : 1u) << word;
    EXPECT_FALSE(ann.asking);
  }
}

TEST(Offer, NobodyInTimeMeansTheDefaultOfSeveral) {
  for (const std::string word : {"other", "none"}) {
    Ways f;
    f.back();
    f.rollback("other", [&] { f.b.step("dns"); });
    plan::Node& asked = f.b.plan.nodes[f.offer({"back", "other"})];
    asked.timeout = Duration{1'800'000};
    asked.human->fallback = plan::Value(word);
    f.fails();
    EXPECT_EQ(f.run().verdict, Verdict::parked);
    Fixture second(2);
    EXPECT_EQ(f.resume(second).verdict, Verdict::failed);
    EXPECT_EQ(second.hosts.count("dns#0"), word == "other" ? 2u : 0u);
    EXPECT_EQ(second.hosts.count("restore#0"), 0u);
    EXPECT_EQ(second.recorder.all<events::Held>().size(), word == "other" ? 0u : 1u);
  }
}

TEST(Offer, OnlyWhoMayDecidesIsAsked) {
  Ways f;
  f.back();
  f.b.plan.nodes[f.offer({"back"})].human->by = {"bob", "@dba"};
  f.fails();
  FakePrompter ann;
  f.options.prompter = &ann;
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  EXPECT_TRUE(ann.asked_for.empty());
  EXPECT_EQ(f.hosts.count("restore#0"), 0u);
}

TEST(Offer, WhatStandsBehindItIsForWhoSaysNo) {
  for (const bool yes : {true, false}) {
    Ways f;
    f.back();
    f.offer({"back"});
    plan::Response undo;
    undo.kind = plan::ResponseKind::undo_all;
    f.b.plan.on_failure[0].responses.push_back(undo);
    f.fails();
    FakePrompter ann;
    f.options.prompter = &ann;
    yes ? ann.yes() : ann.no("undo is enough");
    EXPECT_EQ(f.run().verdict, Verdict::failed);
    EXPECT_EQ(f.hosts.count("a!0"), yes ? 0u : 2u);
    EXPECT_EQ(f.hosts.count("restore#0"), yes ? 2u : 0u);
  }
}

// ---- the way back itself

TEST(Rollback, WhereTheWayForwardHasNotComeByItIsSkipped) {
  Ways f;
  f.back();
  f.offer({"back"});
  f.hosts.on("a#0", 1, {{Will::fail}});
  f.hosts.on("a#0", 0, {{Will::change, {{"before", "v1"}}}});
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes();
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.outcomes("restore"), (Lines{"h0 changed", "h1 skipped"}));
  EXPECT_EQ(f.outcomes("check"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_TRUE(f.recorder.all<events::RollbackEnded>()[0].complete);
}

TEST(Rollback, WhatWasChangedWithoutTheFactOnRecordFailsAndStopsIt) {
  Ways f;
  f.back();
  f.offer({"back"});
  f.hosts.on("a#0", 0, {{Will::change, {{"before", "v1"}}}});
  f.hosts.on("a#0", 1, {{Will::lose_shell}});
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes();
  f.run();
  EXPECT_EQ(f.outcomes("restore"), (Lines{"h0 changed", "h1 failed"}));
  EXPECT_EQ(f.hosts.count("check#0"), 0u);
  EXPECT_FALSE(f.recorder.all<events::RollbackEnded>()[0].complete);
  EXPECT_NE(f.ended().advice.find("is not complete"), std::string::npos);
}

TEST(Rollback, FactsAreThoseOfBeforeTheFirstChange) {
  Ways f;
  f.back();
  f.offer({"back"});
  f.b.plan.nodes[f.a].retry = {1, Duration{1000}};
  // The second attempt's check sees what the first has left.
  f.hosts.on("a#0", {{Will::apply_fail, {{"before", "v1"}}}, {Will::change, {{"before", "half"}}}});
  f.fails();
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes();
  f.run();
  ASSERT_EQ(f.hosts.count("restore#0"), 2u);
  for (const Started* s : f.hosts.started("restore#0")) EXPECT_EQ(param_of(*s, "to"), "v1");
  // And so it is for who goes back later.
  Fixture later(2);
  EXPECT_EQ(f.take_back(later, "back").verdict, Verdict::success);
  for (const Started* s : later.hosts.started("restore#0")) EXPECT_EQ(param_of(*s, "to"), "v1");
}

TEST(Rollback, AFailureOfItStopsItUnlessItIsTolerated) {
  for (const std::uint32_t tolerate : {0u, 1u}) {
    Ways f;
    f.rollback("back", [&] {
      f.b.step("restore").tolerate = tolerate;
      f.b.barrier();
      f.b.step("check").tolerate = tolerate;
    });
    f.offer({"back"});
    f.fails();
    f.hosts.on("restore#0", 0, {{Will::fail}});
    FakePrompter ann;
    f.options.prompter = &ann;
    ann.yes();
    f.run();
    EXPECT_EQ(f.outcomes("check"), tolerate == 1 ? Lines{"h1 changed"} : Lines{});
    EXPECT_FALSE(f.recorder.all<events::RollbackEnded>()[0].complete);
  }
}

// ---- later

TEST(TakenBackLater, ItIsARunOfItsOwnWithTheFactsOnRecord) {
  Ways f;
  f.back();
  EXPECT_EQ(f.run().verdict, Verdict::success);
  Fixture later(2);
  EXPECT_EQ(f.take_back(later, "back").verdict, Verdict::success);
  EXPECT_EQ(later.hosts.count("a#0") + later.hosts.count("b#0"), 0u);
  EXPECT_EQ(later.outcomes("restore"), (Lines{"h0 changed", "h1 changed"}));
  for (const Started* s : later.hosts.started("restore#0")) EXPECT_EQ(param_of(*s, "to"), "v1");
  const auto began = later.recorder.all<events::RunStarted>().at(0);
  EXPECT_EQ(began.rollback, "back");
  EXPECT_EQ(began.rollback_of, f.options.run_id);
}

// What a host had begun before the run came to it is as much on record as the rest.
TEST(TakenBackLater, FactsOfWhatRanAheadCountAsWell) {
  Ways f;
  EXPECT_EQ(f.run().verdict, Verdict::success);
  std::vector<events::Event> record = f.recorder.events;
  for (events::Event& event : record) {
    const auto* e = std::get_if<events::ActionEnded>(&event.what);
    if (e == nullptr || e->node != f.a) continue;
    event.what = events::RanAhead{e->node,    e->host, e->action, e->task, e->outcome,
                                  e->message, "",      e->facts,  true};
  }
  FactStore facts(f.b.plan);
  recall(f.b.plan, f.b.plan, record, facts);
  for (const plan::HostIndex host : {0, 1}) {
    const plan::FactRef ref{f.a, 0, "before", std::nullopt};
    ASSERT_TRUE(facts.saved(ref, host));
    EXPECT_EQ(*facts.saved(ref, host)->as<std::string>(), "v1");
    EXPECT_TRUE(facts.touched(ref, host));
  }
}

TEST(TakenBackLater, WhatItDoesNotNeedIsLeftAlone) {
  Ways f;
  f.b.plan.requirements.push_back({plan::RequireKind::rehearsed, "staging", Duration{1}, "x:1"});
  f.options.requirement = [](const plan::Requirement&) { return Result<std::string>(""); };
  f.rollback("dns", [&] { f.b.step("dns", {1}); });
  EXPECT_EQ(f.run().verdict, Verdict::success);
  f.options.requirement = nullptr;
  Fixture later(2);
  later.hosts.refuse(0);
  EXPECT_EQ(f.take_back(later, "dns").verdict, Verdict::success);
  EXPECT_EQ(later.hosts.connects(), 1u);
  EXPECT_EQ(later.outcomes("dns"), Lines{"h1 changed"});
}

TEST(TakenBackLater, ItCanBeRehearsed) {
  Ways f;
  f.back();
  f.run();
  f.options.mode = events::Mode::check;
  Fixture later(2);
  EXPECT_EQ(f.take_back(later, "back").verdict, Verdict::success);
  EXPECT_EQ(later.outcomes("restore"), (Lines{"h0 would_change", "h1 would_change"}));
}

TEST(TakenBackLater, ItsFailureIsItsOwn) {
  Ways f;
  f.back();
  f.run();
  Fixture later(2);
  later.hosts.on("restore#0", 0, {{.will = Will::fail, .length = Duration{0}}});
  EXPECT_EQ(f.take_back(later, "back").verdict, Verdict::failed);
  EXPECT_EQ(later.hosts.count("check#0"), 0u);
  EXPECT_NE(later.ended().advice.find("cnplay rollback " + f.options.run_id + " back"),
            std::string::npos);
}

TEST(TakenBackLater, ItWaitsForPeopleAsAnyRunDoes) {
  for (const bool yes : {true, false}) {
    Ways f;
    plan::NodeId asked = 0;
    f.rollback("back", [&] {
      f.b.step("restore");
      asked = f.b.human("sure", HumanKind::approve).id;
      f.b.step("check");
    });
    f.run();
    Fixture parked(2);
    EXPECT_EQ(f.take_back(parked, "back").verdict, Verdict::parked);
    EXPECT_TRUE(parked.recorder.all<events::RollbackEnded>().empty());
    std::vector<events::Event> record = parked.recorder.events;
    HumanAnswered said;
    said.node = asked;
    said.user = "bob";
    said.controller = "desk";
    said.yes = yes;
    record.push_back({record.back().seq + 1, record.back().at, said});
    Fixture next(2);
    next.b.plan = f.b.plan;
    next.options = parked.options;
    next.options.record = &record;
    next.clock.advance(record.back().at - FakeClock::start + Duration{60'000});
    next.recorder.events = record;
    const auto result =
        run::run(next.b.plan, next.hosts, next.recorder, next.clock, next.options, next.aborts);
    ASSERT_FALSE(result.not_resumed) << result.not_resumed->what;
    EXPECT_EQ(result.verdict, yes ? Verdict::success : Verdict::failed);
    EXPECT_EQ(next.hosts.count("restore#0"), 0u);  // done before
    EXPECT_EQ(next.hosts.count("check#0"), yes ? 2u : 0u);
    EXPECT_EQ(next.recorder.all<events::RollbackEnded>().at(0).complete, yes);
  }
}

TEST(TakenBackLater, OnlyTheSecretsThatItUsesAreAskedFor) {
  Ways f;
  f.b.plan.secrets = {{"forward", plan::SecretSource::Kind::env, {"A"}, "x:1"},
                      {"back", plan::SecretSource::Kind::env, {"B"}, "x:2"}};
  f.b.plan.nodes[f.a].actions[0].params.push_back(Builder::secret_key(0));
  f.rollback("back",
             [&] { f.b.step("restore").actions[0].params.push_back(Builder::secret_key(1)); });
  std::vector<std::uint32_t> asked;
  f.options.secret = [&](std::uint32_t index) {
    asked.push_back(index);
    return Result<Secret>(Secret("s" + std::to_string(index)));
  };
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(asked, (std::vector<std::uint32_t>{0, 1}));  // a way back must not fail for want of one
  asked.clear();
  Fixture later(2);
  EXPECT_EQ(f.take_back(later, "back").verdict, Verdict::success);
  EXPECT_EQ(asked, std::vector<std::uint32_t>{1});
  for (const Started* s : later.hosts.started("restore#0")) EXPECT_EQ(param_of(*s, "key"), "s1");
}

// A rollback of a run, cut off at each of its events in turn, is resumed to the same end, and what
// was done is not done again.
TEST(TakenBackLater, CutOffAnywhereItIsResumed) {
  Ways f;
  f.back();
  f.run();
  Fixture whole(2);
  f.take_back(whole, "back");
  const auto& all = whole.recorder.events;
  for (std::size_t end = 1; end < all.size(); ++end) {
    SCOPED_TRACE(end);
    const std::vector<events::Event> record(all.begin(), all.begin() + static_cast<long>(end));
    std::size_t done = 0;
    for (const auto& event : record) {
      done += std::holds_alternative<events::ActionEnded>(event.what) ? 1 : 0;
    }
    Fixture next(2);
    next.b.plan = f.b.plan;
    next.options = whole.options;
    next.options.record = &record;
    next.clock.advance(record.back().at - FakeClock::start + Duration{60'000});
    next.recorder.events = record;
    EXPECT_TRUE(next.recorder.commit());
    const auto result =
        run::run(next.b.plan, next.hosts, next.recorder, next.clock, next.options, next.aborts);
    ASSERT_FALSE(result.not_resumed) << result.not_resumed->what;
    EXPECT_EQ(result.verdict, Verdict::success);
    EXPECT_EQ(next.hosts.count("restore#0") + next.hosts.count("check#0"), 4 - done);
    check_run(next);
  }
}

}  // namespace
}  // namespace cnplay::run::test
