// Human steps: asked on a terminal, parked, answered elsewhere and resumed. Who may answer is in
// answers_test.cc.
#include "support/run/people.h"

namespace cnplay::run::test {
namespace {

// ---- on a terminal

TEST(AtATerminal, ADoneManualLetsTheRunGoOnAndItsEvidenceIsAFact) {
  People f;
  plan::Node& disk = f.between("disk", HumanKind::manual);
  disk.human->items.push_back(plan::Value("the disk is out"));
  disk.human->questions.push_back(question("slot", plan::FactType::int_));
  const plan::NodeId id = disk.id;
  f.b.step("use").actions[0].params.push_back(Builder::param("slot", Builder::fact(id, "slot")));
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes({{"slot", "7"}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(ann.last->items, Lines{"the disk is out"});
  EXPECT_EQ(ann.last->questions, Lines{"the slot"});
  for (const Started* s : f.hosts.started("use#0")) EXPECT_EQ(param_of(*s, "slot"), "7");
  EXPECT_EQ(f.hosts.count("use#0"), 2u);
  const auto said = f.recorder.all<HumanAnswered>();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].user + " on " + said[0].controller, "ann on desk");
  EXPECT_TRUE(said[0].yes);
  EXPECT_FALSE(ann.asking);
  check_run(f);
}

TEST(AtATerminal, NothingAfterItStartsWhileAPersonThinks) {
  People f;
  f.between("disk", HumanKind::manual);
  f.b.step("b");
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.on_poll = [&] {
    EXPECT_EQ(f.hosts.count("b#0"), 0u);
    if (ann.polls == 50) ann.yes();
  };
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(ann.polls, 50);
  EXPECT_EQ(f.hosts.count("b#0"), 2u);
}

TEST(AtATerminal, WhatCannotBeDoneIsAFailureWithItsWayBack) {
  People f;
  f.between("disk", HumanKind::manual);
  f.b.step("b");
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.no("the rack is locked");
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
  EXPECT_EQ(f.outcomes("!a"), (Lines{"h0 changed", "h1 changed"}));
  EXPECT_EQ(f.recorder.all<events::HumanEnded>().at(0).how, HumanEnd::refused);
  EXPECT_EQ(f.recorder.all<events::FailureDeclared>().size(), 1u);
  check_run(f);
}

TEST(AtATerminal, AnAnswerThatDoesNotFitIsAskedForAgain) {
  People f;
  f.between("outage", HumanKind::ask).human->questions[0].type = plan::FactType::duration;
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.yes({{"outage", "long"}});
  ann.yes({});
  ann.yes({{"outage", "10m"}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(ann.asked_for.size(), 3u);
  EXPECT_EQ(f.recorder.all<HumanAnswered>().size(), 1u);
  EXPECT_NE(f.notices().find("should be a duration"), std::string::npos);
}

TEST(AtATerminal, WhereItsWhenDoesNotHoldNobodyIsAsked) {
  for (const bool swap : {true, false}) {
    People f;
    plan::Node& ask = f.between("swap", HumanKind::ask);
    ask.human->questions[0].type = plan::FactType::bool_;
    const plan::NodeId asked = ask.id;
    plan::Node& disk = f.b.human("disk", HumanKind::manual);
    disk.when = plan::Column(Builder::fact(asked, "swap"));
    FakePrompter ann;
    f.options.prompter = &ann;
    ann.yes({{"swap", swap ? "true" : "false"}});
    if (swap) ann.yes();
    EXPECT_EQ(f.run().verdict, Verdict::success);
    EXPECT_EQ(ann.asked_for, swap ? (Lines{"swap", "disk"}) : Lines{"swap"});
    EXPECT_EQ(f.recorder.all<events::HumanEnded>().at(1).how,
              swap ? HumanEnd::answered : HumanEnd::skipped);
    // And once more from the record.
    People cut;
    f.recorder.events.pop_back();
    EXPECT_EQ(f.resume(cut).verdict, Verdict::success);
  }
}

TEST(AtATerminal, AnAbortEndsTheQuestion) {
  People f;
  f.between("disk", HumanKind::manual);
  f.b.step("b");
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.on_poll = [&] { f.aborts = 1; };
  EXPECT_EQ(f.run().verdict, Verdict::aborted);
  EXPECT_EQ(ann.ended, Lines{"the run stops"});
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
}

TEST(AtATerminal, TheTimeToAnswerEnds) {
  People f;
  f.between("disk", HumanKind::manual).timeout = Duration(60'000);
  FakePrompter nobody;
  f.options.prompter = &nobody;
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(nobody.ended, Lines{"the time to answer is over"});
  const auto ended = f.recorder.all<events::HumanEnded>().at(0);
  EXPECT_EQ(ended.how, HumanEnd::timed_out);
  EXPECT_GE(ended.took, Duration(60'000));
  EXPECT_LT(ended.took, Duration(61'000));
}

TEST(AtATerminal, ADefaultIsTakenAndSaidSo) {
  People f;
  plan::Node& outage = f.between("outage", HumanKind::ask);
  outage.human->questions[0].type = plan::FactType::duration;
  outage.human->fallback = plan::Value(Duration(600'000));
  outage.timeout = Duration(60'000);
  const plan::NodeId id = outage.id;
  f.b.step("use").actions[0].params.push_back(Builder::param("t", Builder::fact(id, "outage")));
  FakePrompter nobody;
  f.options.prompter = &nobody;
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.recorder.all<events::HumanEnded>().at(0).how, HumanEnd::fell_back);
  EXPECT_EQ(param_of(*f.hosts.started("use#0").at(0), "t"), "600");
}

TEST(AtATerminal, ADefaultOfAnApprovalMayBeNo) {
  for (const bool yes : {true, false}) {
    People f;
    plan::Node& go = f.between("go", HumanKind::approve);
    go.human->fallback = plan::Value(yes);
    go.timeout = Duration(60'000);
    FakePrompter nobody;
    f.options.prompter = &nobody;
    EXPECT_EQ(f.run().verdict, yes ? Verdict::success : Verdict::failed);
    EXPECT_EQ(f.recorder.all<events::HumanEnded>().at(0).how, HumanEnd::fell_back);
  }
}

// ---- parked

TEST(Parked, WithoutATerminalItNeverPassesByItself) {
  for (const HumanKind kind : {HumanKind::manual, HumanKind::approve, HumanKind::ask}) {
    People f;
    f.between("x", kind);
    f.b.step("b");
    const RunResult result = f.run();
    EXPECT_EQ(result.verdict, Verdict::parked);
    EXPECT_EQ(f.hosts.count("b#0"), 0u);
    EXPECT_EQ(f.hosts.count("a!0"), 0u);
    EXPECT_TRUE(f.recorder.all<events::RunEnded>().empty());
    ASSERT_TRUE(std::holds_alternative<events::RunParked>(f.recorder.events.back().what));
    EXPECT_NE(result.advice.find("cnplay answer 20261120-213005-play-4f2a"), std::string::npos);
    EXPECT_NE(result.advice.find("\nThen continue: cnplay resume 20261120-213005-play-4f2a"),
              std::string::npos);
  }
}

TEST(Parked, AlwaysBlocksWaitForTheEnd) {
  People f;
  f.between("x", HumanKind::manual);
  f.b.section(plan::SectionKind::always, [&] { f.b.step("close"); });
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  EXPECT_EQ(f.hosts.count("close#0"), 0u);
  f.answer(1, "bob", "", true);
  People next;
  EXPECT_EQ(f.resume(next).verdict, Verdict::success);
  EXPECT_EQ(next.hosts.count("close#0"), 2u);
}

TEST(Parked, AnOutageThatGoesOnIsSaid) {
  People f;
  const auto phase = f.b.phase("cutover", [&] { f.between("x", HumanKind::manual); });
  f.b.plan.phases[phase].outage = true;
  EXPECT_NE(f.run().advice.find("The outage continues"), std::string::npos);
}

TEST(Parked, ForLater) {
  People f;
  f.between("x", HumanKind::manual);
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.later();
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  EXPECT_TRUE(f.recorder.all<HumanAnswered>().empty());
  EXPECT_EQ(f.recorder.all<events::RunParked>().at(0).reason, "left for later by ann");
}

// The host began it by itself, in the instant in which the run was left: it is not done a second
// time when the run goes on, whatever came of it.
TEST(Parked, WhatHadBegunAheadIsNotDoneAgain) {
  for (const auto& [will, verdict, outcome] :
       {std::tuple{Will::change, Verdict::success, "h0 changed"},
        {Will::fail, Verdict::failed, "h0 failed"}}) {
    People f;
    plan::NodeId tell = 0;
    f.b.parallel({[&] { tell = f.b.human("tell", HumanKind::manual).id; },
                  [&] {
                    f.b.step("a", {0});
                    Builder::no_check(f.b.step("b", {0}).actions[0]);
                  }});
    f.hosts.on("b#0", 0, {{will}});
    FakePrompter ann;
    f.options.prompter = &ann;
    ann.on_poll = [&] {
      if (!f.recorder.all<events::StepEnded>().empty() && ann.replies.empty()) ann.later();
    };
    EXPECT_EQ(f.run().verdict, Verdict::parked);
    ASSERT_EQ(f.recorder.all<events::RanAhead>().size(), 1u);
    ASSERT_EQ(f.hosts.count("b#0"), 1u);
    f.answer(tell, "ann", "", true);
    // Cut off behind that, and taken up once more.
    Fixture second(2);
    EXPECT_EQ(f.resume(second).verdict, verdict);
    EXPECT_EQ(second.hosts.count("b#0"), 0u);
    EXPECT_EQ(second.outcomes("b"), (Lines{outcome}));
    const auto& all = second.recorder.events;
    const auto end = std::find_if(all.begin(), all.end(), [](const events::Event& e) {
      const auto* step = std::get_if<events::StepEnded>(&e.what);
      return step != nullptr && step->node > 1;
    });
    f.recorder.events.assign(all.begin(), end);
    Fixture third(2);
    EXPECT_EQ(f.resume(third).verdict, verdict);
    EXPECT_EQ(third.hosts.count("b#0"), 0u);
    EXPECT_EQ(third.outcomes("b"), (Lines{outcome}));
  }
}

// Leaving a run is no failure of what is at work: nobody who goes on with it could tell why it was
// not tried again.
TEST(Parked, WhatIsAtWorkHasAllItsAttempts) {
  People f;
  plan::NodeId tell = 0;
  f.b.parallel({[&] { tell = f.b.human("tell", HumanKind::manual).id; },
                [&] {
                  f.b.step("a", {0}).retry = {1, Duration(1000)};
                }});
  f.hosts.on("a#0", 0, {{Will::fail}, {Will::change}});
  FakePrompter ann;
  f.options.prompter = &ann;
  ann.on_poll = [&] {
    if (f.hosts.count("a#0") > 0 && ann.replies.empty()) ann.later();
  };
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  EXPECT_EQ(f.hosts.count("a#0"), 2u);
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 changed"}));
  f.answer(tell, "ann", "", true);
  Fixture second(2);
  EXPECT_EQ(f.resume(second).verdict, Verdict::success);
  EXPECT_EQ(second.hosts.count("a#0"), 0u);
}

// Who closes the laptop at ten, while the run waits until three, has ended nothing.
TEST(Parked, LeftWhileItWaits) {
  for (const bool late : {false, true}) {
    People f;
    f.b.step("a");
    f.b.wait("(wait)", plan::Value(Time{FakeClock::start + std::chrono::hours(5), "UTC"})).late_by =
        std::chrono::hours(1);
    f.b.step("b");
    f.hosts.before_event = [&] {
      if (f.clock.steady() > std::chrono::hours(1)) f.aborts = 1;
    };
    f.hosts.tell(std::chrono::hours(2), remote::Woken{});
    EXPECT_EQ(f.run().verdict, Verdict::parked);
    EXPECT_EQ(f.hosts.count("b#0"), 0u);
    const auto parked = f.recorder.all<events::RunParked>().at(0);
    EXPECT_NE(parked.reason.find("left while it waits until"), std::string::npos);
    EXPECT_TRUE(f.recorder.all<events::AbortRequested>().empty());
    EXPECT_TRUE(f.recorder.all<events::RunEnded>().empty());
    f.later = std::chrono::hours(late ? 6 : 1);
    Fixture second(2);
    EXPECT_EQ(f.resume(second).verdict, late ? Verdict::failed : Verdict::success);
    EXPECT_EQ(second.hosts.count("a#0"), 0u);
    EXPECT_EQ(second.hosts.count("b#0"), late ? 0u : 2u);
    if (late) continue;
    EXPECT_GE(second.hosts.started("b#0").at(0)->at, std::chrono::hours(5));
  }
}

// What is at work beside the wait is another matter: that has to be ended first.
TEST(Parked, NotWhileSomethingIsAtWork) {
  People f;
  f.b.parallel(
      {[&] {
         f.b.wait("(wait)", plan::Value(Time{FakeClock::start + std::chrono::hours(5), "UTC"}));
       },
       [&] { f.b.step("a", {0}); }});
  f.hosts.on("a#0", 0, {{.will = Will::change, .length = Duration(60'000)}});
  f.hosts.tell(Duration(30'000), remote::Woken{});
  f.hosts.before_event = [&] {
    if (f.hosts.count("a#0") > 0) f.aborts = 1;
  };
  EXPECT_EQ(f.run().verdict, Verdict::aborted);
  EXPECT_EQ(f.outcomes("a"), (Lines{"h0 changed"}));
}

TEST(Parked, AnsweredElsewhereItGoesOnHoursLaterByAnother) {
  People f;
  plan::Node& disk = f.between("disk", HumanKind::manual);
  disk.human->questions.push_back(question("slot", plan::FactType::int_));
  const plan::NodeId id = disk.id;
  f.b.step("use").actions[0].params.push_back(Builder::param("slot", Builder::fact(id, "slot")));
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  f.answer(id, "bob", "", true, {{"slot", Untrusted("7")}});
  People next;
  next.options.user = "eve";
  EXPECT_EQ(f.resume(next).verdict, Verdict::success);
  EXPECT_EQ(next.hosts.count("a#0"), 0u);
  EXPECT_EQ(param_of(*next.hosts.started("use#0").at(0), "slot"), "7");
  EXPECT_EQ(next.recorder.all<events::RunResumed>().at(0).user, "eve");
  EXPECT_EQ(next.recorder.all<events::HumanStarted>().size(), 1u);
  EXPECT_EQ(next.recorder.all<events::HumanEnded>().size(), 1u);
  EXPECT_GT(next.recorder.all<events::HumanEnded>()[0].took, Duration(3'600'000));
  check_run(next);
}

TEST(Parked, ResumedWithoutAnAnswerItParksAgainOrAsks) {
  People f;
  f.between("x", HumanKind::manual);
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  People second;
  EXPECT_EQ(f.resume(second).verdict, Verdict::parked);
  People third;
  FakePrompter eve;
  eve.yes();
  third.options.prompter = &eve;
  third.options.user = "eve";
  EXPECT_EQ(second.resume(third).verdict, Verdict::success);
  EXPECT_EQ(third.recorder.all<HumanAnswered>().at(0).user, "eve");
  EXPECT_EQ(third.recorder.all<events::RunParked>().size(), 2u);
}

TEST(Parked, ARefusalIsAnsweredWithTheWayBack) {
  People f;
  f.between("x", HumanKind::approve);
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  f.answer(1, "bob", "", false);
  People next;
  EXPECT_EQ(f.resume(next).verdict, Verdict::failed);
  EXPECT_EQ(next.outcomes("!a"), (Lines{"h0 changed", "h1 changed"}));
}

TEST(Parked, TheTimeGoesOnMeanwhile) {
  People f;
  plan::Node& go = f.between("go", HumanKind::approve);
  go.human->fallback = plan::Value(true);
  go.timeout = Duration(1'800'000);
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  People early;
  f.later = Duration(600'000);
  EXPECT_EQ(f.resume(early).verdict, Verdict::parked);
  People late;
  early.later = Duration(1'800'000);
  EXPECT_EQ(early.resume(late).verdict, Verdict::success);
  EXPECT_EQ(late.recorder.all<events::HumanEnded>().at(0).how, HumanEnd::fell_back);
  // And it is resumed once more with that on record.
  People cut;
  late.recorder.events.pop_back();
  EXPECT_EQ(late.resume(cut).verdict, Verdict::success);
}

TEST(Parked, AnAnswerInTimeCountsThoughTheRunIsResumedAfterIt) {
  People f;
  plan::Node& go = f.between("go", HumanKind::approve);
  go.human->fallback = plan::Value(false);
  go.timeout = Duration(1'800'000);
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  f.answer(1, "bob", "", true);
  People next;
  f.later = Duration(86'400'000);
  EXPECT_EQ(f.resume(next).verdict, Verdict::success);
}

TEST(Parked, AnAnswerIsHeardAfterAResumptionThatWasCutOffInItsPreflight) {
  People f;
  f.between("x", HumanKind::manual);
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  events::Event event;
  event.at = f.recorder.events.back().at;
  event.seq = f.recorder.events.back().seq + 1;
  event.what = events::RunResumed{"eve", "desk"};
  f.recorder.events.push_back(event);
  f.answer(1, "bob", "", true);
  People next;
  EXPECT_EQ(f.resume(next).verdict, Verdict::success);
  EXPECT_EQ(next.recorder.all<HumanAnswered>().size(), 1u);
}

TEST(Parked, InWhatAnswersAFailure) {
  People f;
  f.b.undo(f.b.step("a"));
  f.b.step("b");
  f.hosts.on("b#0", {{Will::fail}});
  plan::NodeId look = 0;
  const auto section = f.b.section(plan::SectionKind::on_failure,
                                   [&] { look = f.b.human("look", HumanKind::manual).id; });
  f.b.on_failure(plan::Side::any, plan::kNone,
                 {{plan::ResponseKind::section, {}, {}, section},
                  {plan::ResponseKind::undo_all, {}, {}, plan::kNone}});
  EXPECT_EQ(f.run().verdict, Verdict::parked);
  EXPECT_EQ(f.hosts.count("a!0"), 0u);
  f.answer(look, "bob", "", true);
  People next;
  EXPECT_EQ(f.resume(next).verdict, Verdict::failed);
  EXPECT_EQ(next.outcomes("!a"), (Lines{"h0 changed", "h1 changed"}));
}

// ---- dry runs

TEST(DryRun, PeopleAreListedNotAsked) {
  People f;
  plan::Node& outage = f.between("outage", HumanKind::ask);
  const plan::NodeId id = outage.id;
  f.b.step("use").actions[0].params.push_back(Builder::param("t", Builder::fact(id, "outage")));
  FakePrompter ann;
  f.options.prompter = &ann;
  f.options.mode = events::Mode::check;
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_TRUE(ann.asked_for.empty());
  EXPECT_NE(f.notices().find("a run would ask people here: outage"), std::string::npos);
  EXPECT_EQ(f.outcomes("use"), (Lines{"h0 depends", "h1 depends"}));
}

}  // namespace
}  // namespace cnplay::run::test
