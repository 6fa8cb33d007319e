// What the run sends to its hosts before it comes to it: when, when not, and what is said of it.
// That every run and every cut of one keeps the rules with it is in interleave_test.cc.
#include <algorithm>

#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Verdict;
using Lines = std::vector<std::string>;

std::size_t count_ahead(const Fixture& f) { return f.recorder.all<events::SentAhead>().size(); }

TEST(SendingAhead, AChainOfStepsIsOneWait) {
  Fixture f(2);
  for (int i = 0; i < 10; ++i) f.b.step("s" + std::to_string(i));
  EXPECT_EQ(f.run().verdict, Verdict::success);
  check_run(f);
  EXPECT_EQ(count_ahead(f), 18u);
  EXPECT_EQ(f.hosts.begun_ahead(), 18u);
  EXPECT_TRUE(f.recorder.all<events::RanAhead>().empty());
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(f.outcomes("s" + std::to_string(i)), (Lines{"h0 changed", "h1 changed"}));
  }
}

TEST(SendingAhead, ManyStepsShareAWriteToDisk) {
  Fixture f(1);
  for (int i = 0; i < 200; ++i) f.b.step("s" + std::to_string(i));
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(count_ahead(f), 199u);
  EXPECT_LT(f.recorder.commits, 20u);
}

// Each task prints 1 MiB, and all of them end at once. What the hosts have printed goes to the
// record before the next task is over: it is not kept until all events have been taken.
TEST(SendingAhead, WhatHostsPrintIsNotKept) {
  constexpr std::size_t kPiece = 64 * 1024;
  Fixture f(1);
  for (int i = 0; i < 40; ++i) f.b.step("s" + std::to_string(i));
  std::size_t printed = 0, most = 0;
  f.hosts.otherwise = [&](const Started& s) {
    std::size_t recorded = 0;
    for (const auto& e : f.recorder.all<events::Output>()) recorded += e.bytes.size();
    most = std::max(most, printed - recorded);
    for (int i = 0; i < 16; ++i, printed += kPiece) {
      f.hosts.tell(Duration{0},
                   remote::TaskOutput{s.task.id, s.task.host, remote::Stage::apply,
                                      remote::Stream::out, Untrusted(std::string(kPiece, 'x'))});
    }
    return Behaviour{.will = Will::change, .length = Duration{0}};
  };
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_GT(f.hosts.begun_ahead(), 20u);
  EXPECT_EQ(printed, 40u * 16 * kPiece);
  EXPECT_LT(most, 8 * kPiece);
}

// A host that does not hold back what was sent ahead, or that lies: what is too much is left out.
TEST(SendingAhead, OutputThatComesTooEarlyIsBounded) {
  constexpr std::size_t kPiece = 64 * 1024;
  Fixture f(2);
  f.b.step("s0");
  f.b.step("s1");
  f.b.step("s2");
  f.hosts.otherwise = [&](const Started& s) {
    if (s.task.host != 0) return Behaviour{.will = Will::change, .length = Duration{5}};
    f.hosts.otherwise = nullptr;
    for (const remote::TaskId id : {s.task.id + 1, s.task.id + 2}) {
      for (int i = 0; i < 64; ++i) {
        f.hosts.tell(Duration{10},
                     remote::TaskOutput{id, 0, remote::Stage::apply, remote::Stream::out,
                                        Untrusted(std::string(kPiece, 'x'))});
      }
    }
    return Behaviour{.will = Will::change, .length = Duration{1000}};
  };
  EXPECT_EQ(f.run().verdict, Verdict::success);
  std::size_t recorded = 0;
  for (const auto& e : f.recorder.all<events::Output>()) recorded += e.bytes.size();
  EXPECT_EQ(recorded, 32 * kPiece);
  EXPECT_NE(f.notices().find("h0: `s1` printed 2MiB more than is kept before the run arrives at "
                             "it: this part is left out"),
            std::string::npos)
      << f.notices();
}

TEST(SendingAhead, NotPastWhatTheRunDecides) {
  using Change = std::function<void(Fixture&, plan::Node & first, plan::Node & second)>;
  const std::vector<std::pair<const char*, Change>> changes = {
      {"a fact for a parameter",
       [](Fixture&, plan::Node& first, plan::Node& second) {
         first.actions[0].returns = {{"x", plan::FactType::string}};
         second.actions[0].params = {Builder::param("p", Builder::fact(first.id, "x"))};
       }},
      {"facts are judged",
       [](Fixture&, plan::Node& first, plan::Node&) {
         first.actions[0].returns = {{"x", plan::FactType::string}};
       }},
      {"another user",
       [](Fixture&, plan::Node&, plan::Node& second) { second.actions[0].become = "www-data"; }},
      {"a when", [](Fixture&, plan::Node&,
                    plan::Node& second) { second.when = plan::Column(plan::Value(false)); }},
      {"a file",
       [](Fixture& f, plan::Node&, plan::Node& second) {
         second.actions[0].sends = "src";
         second.actions[0].params = {Builder::param("src", plan::Value(std::string("a")))};
         f.b.plan.files = {{"a", "/tmp/a", 1, "00"}};
       }},
  };
  for (const auto& [name, change] : changes) {
    SCOPED_TRACE(name);
    Fixture f(1);
    const plan::NodeId first = f.b.step("first").id;
    const plan::NodeId second = f.b.step("second").id;
    change(f, f.b.plan.nodes[first], f.b.plan.nodes[second]);
    if (!f.b.plan.nodes[first].actions[0].returns.empty()) {
      f.hosts.on("first#0", {{Will::change, {{"x", "1"}}}});
    }
    f.run();
    EXPECT_EQ(count_ahead(f), 0u);
    EXPECT_EQ(f.outcomes("second").size(), 1u);
  }
  Fixture f(2);
  f.b.step("a");
  f.b.barrier();
  f.b.step("b");
  f.b.parallel({[&] { f.b.step("c"); }, [&] { f.b.step("d"); }});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(count_ahead(f), 0u) << "barriers and branches";
}

TEST(SendingAhead, NotInADryRun) {
  Fixture f(1);
  f.b.step("a");
  f.b.step("b");
  f.options.mode = events::Mode::check;
  f.run();
  EXPECT_EQ(count_ahead(f), 0u);
}

TEST(SendingAhead, NotToAHostThatHasDroppedOut) {
  Fixture f(1);
  f.b.parallel({[&] { f.b.step("bad").tolerate = 1; }, [&] { f.b.action(f.b.step("long")); }});
  f.b.step("after");
  f.hosts.on("long#0", {{Will::change, {}, Duration(500)}});
  f.hosts.on("bad#0", {{Will::fail, {}, Duration(10)}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  check_run(f);
  EXPECT_EQ(count_ahead(f), 0u);
  EXPECT_EQ(f.hosts.count("after#0"), 0u);
}

TEST(SendingAhead, AfterARetryTheRestIsStillTheSame) {
  Fixture f(1);
  f.b.step("a").retry = {1, Duration(100)};
  f.b.step("b");
  f.hosts.on("a#0", {{Will::apply_fail}, {Will::change}});
  EXPECT_EQ(f.run().verdict, Verdict::success);
  check_run(f);
  EXPECT_EQ(f.hosts.count("a#0"), 2u);
  EXPECT_EQ(f.hosts.count("b#0"), 1u);
  EXPECT_EQ(f.hosts.begun_ahead(), 0u);
}

TEST(SendingAhead, AFailureElsewhereStopsWhatHasNotBegun) {
  Fixture f(2);
  f.b.step("a");
  f.b.step("b");
  f.b.step("c");
  f.hosts.on("a#0", 0, {{Will::fail, {}, Duration(10)}});
  f.hosts.on("a#0", 1, {{Will::change, {}, Duration(500)}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  check_run(f);
  EXPECT_EQ(f.hosts.count("b#0"), 0u);
  EXPECT_TRUE(f.recorder.all<events::RanAhead>().empty());
}

// Nothing of it could be recorded: a resumed run must find the tasks as if the controller had died.
TEST(SendingAhead, WithAFullDiskNothingIsWithdrawn) {
  for (std::size_t full = 0; full < 40; ++full) {
    SCOPED_TRACE("full after event " + std::to_string(full));
    Fixture f(2);
    for (int i = 0; i < 5; ++i) f.b.step("s" + std::to_string(i));
    f.recorder.sick_after = full;
    EXPECT_NE(f.run().verdict, Verdict::success);
    EXPECT_EQ(f.hosts.withdrawn(), 0u);
  }
}

TEST(SendingAhead, WhyTasksAreWithdrawnIsOnDiskBefore) {
  Fixture f(2);
  for (int i = 0; i < 5; ++i) f.b.step("s" + std::to_string(i));
  f.hosts.on("s0#0", 0, {{Will::fail}});
  f.hosts.on("s0#0", 1, {{.length = Duration(60'000)}});
  f.hosts.on_withdraw = [&] { EXPECT_EQ(f.recorder.committed, f.recorder.events.size()); };
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_GT(f.hosts.withdrawn(), 0u);
}

// A host may delete the output of a task once its result is on disk, and not before.
TEST(SendingAhead, WhatAHostMayForgetIsOnDisk) {
  Fixture f(2);
  for (int i = 0; i < 100; ++i) f.b.step("s" + std::to_string(i));
  std::size_t told = 0;
  f.hosts.when_recorded = [&](remote::TaskId task) {
    const auto& all = f.recorder.events;
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(f.recorder.committed);
    ++told;
    EXPECT_TRUE(std::any_of(all.begin(), end, [&](const events::Event& e) {
      const auto* ended = std::get_if<events::ActionEnded>(&e.what);
      return ended != nullptr && ended->task == task;
    })) << task;
  };
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_GT(told, 0u);
}

TEST(SendingAhead, WhatHasBegunWhenTheRunStopsIsOnRecordAndUndone) {
  Fixture f(2);
  f.b.undo(f.b.step("a"));
  f.b.undo(f.b.step("b"));
  f.hosts.on("a#0", 0, {{Will::change, {}, Duration(100)}});
  f.hosts.on("a#0", 1, {{Will::fail, {}, Duration(100)}});
  f.hosts.on("b#0", {{Will::change, {}, Duration(1000)}});
  // The host goes on at once; the word of it comes with that of the other host's failure.
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  check_run(f);
  const auto ran = f.recorder.all<events::RanAhead>();
  ASSERT_EQ(f.hosts.count("b#0"), 1u);
  if (ran.empty()) {  // the run had come to it
    EXPECT_EQ(f.outcomes("b"), (Lines{"h0 changed"}));
  } else {
    EXPECT_EQ(ran[0].outcome, events::Outcome::changed);
    EXPECT_TRUE(ran[0].applied);
  }
  EXPECT_EQ(f.outcomes("!b"), (Lines{"h0 changed"}));
  EXPECT_EQ(f.outcomes("!a"), (Lines{"h0 changed"}));
}

}  // namespace
}  // namespace cnplay::run::test
