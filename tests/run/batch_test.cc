// Batches of a phase: handlers at their end, steps about a host that is out, a batch without hosts.
#include "run/take_up.h"
#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Verdict;
using Lines = std::vector<std::string>;

// Hosts 0 and 1 are taken batch by batch, host 2 is the load balancer.
struct Rolling : Fixture {
  Rolling() : Fixture(3) {}
  plan::Node& beside(const std::string& name, std::vector<plan::HostIndex> about) {
    plan::Node& node = b.step(name, {2});
    node.made_from = std::move(about);
    return node;
  }
};

TEST(Batch, HandlersRunAtTheEndOfTheBatchInWhichTheyWereNotified) {
  Fixture f(2);
  const plan::NodeId reload = f.b.handler("reload").id;
  f.b.phase("roll", [&] {
    for (const plan::HostIndex h : {0U, 1U}) {
      f.b.batch({h}, [&] { f.b.step("a", {h}).actions[0].notify = {reload}; });
    }
  });
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.steps(),
            (Lines{"a h0 changed", "(reload) h0 changed", "a h1 changed", "(reload) h1 changed"}));
}

TEST(Batch, AStepAboutAHostThatIsOutIsSkipped) {
  Rolling f;
  f.b.phase("roll", [&] {
    f.b.batch({0, 1}, [&] {
      f.beside("drain0", {0});
      f.beside("drain1", {1});
      f.b.step("work", {0, 1}).tolerate = 1;
      f.b.barrier();
      f.beside("undrain0", {0}).tolerate = 1;
      f.beside("undrain1", {1}).tolerate = 1;
      f.beside("count", {}).tolerate = 1;
    });
  });
  f.hosts.on("work#0", 0, {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  EXPECT_EQ(f.outcomes("drain0"), (Lines{"h2 changed"}));
  EXPECT_EQ(f.outcomes("undrain0"), (Lines{"h2 skipped"}));
  EXPECT_EQ(f.outcomes("undrain1"), (Lines{"h2 changed"}));
  EXPECT_EQ(f.outcomes("count"), (Lines{"h2 changed"}));
  EXPECT_TRUE(f.recorder.all<events::FailureDeclared>().empty());
}

TEST(Batch, ABatchWithoutALiveHostFailsThePhase) {
  for (const std::uint32_t tolerate : {1U, 3U}) {
    Rolling f;
    f.b.phase("roll", [&] {
      for (const plan::HostIndex h : {0U, 1U}) {
        f.b.batch({h},
                  [&] {
                    f.b.step("work", {h}).tolerate = tolerate;
                    f.b.barrier();
                    f.beside("undrain", {h}).tolerate = tolerate;
                  })
            .tolerate = tolerate;
      }
    });
    f.hosts.on("work#0", 0, {{Will::fail}});
    EXPECT_EQ(f.run().verdict, Verdict::failed);
    const bool all = tolerate == 3;
    EXPECT_EQ(f.outcomes("undrain"),
              all ? (Lines{"h2 changed", "h2 skipped"}) : (Lines{"h2 skipped"}));
    EXPECT_EQ(f.hosts.count("work#0"), all ? 2U : 1U);
    EXPECT_EQ(f.notices().find("no host of the batch") != std::string::npos, !all) << f.notices();
  }
}

TEST(Batch, AHumanStepAboutAHostThatIsOutAsksNobody) {
  Rolling f;
  f.b.phase("roll", [&] {
    f.b.batch({0, 1}, [&] {
      f.b.step("work", {0, 1}).tolerate = 1;
      f.b.human("look", plan::HumanKind::manual).made_from = {0};
    });
  });
  f.hosts.on("work#0", 0, {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  ASSERT_EQ(f.recorder.all<events::HumanEnded>().size(), 1U);
  EXPECT_EQ(f.recorder.all<events::HumanEnded>()[0].how, events::HumanEnd::skipped);
  EXPECT_TRUE(f.recorder.all<events::HumanStarted>().empty());
}

// The record says which hosts were left when a batch ended, and which steps were skipped for it.
TEST(Batch, ARunThatIsInterruptedAnywhereEndsAsTheWholeRun) {
  Rolling first;
  const plan::NodeId reload = first.b.handler("reload").id;
  first.b.phase("roll", [&] {
    first.b.batch({0, 1}, [&] {
      plan::Node& work = first.b.step("work", {0, 1});
      work.tolerate = 1;
      work.actions[0].notify = {reload};
      first.b.barrier();
      first.beside("undrain0", {0}).tolerate = 1;
      first.beside("undrain1", {1}).tolerate = 1;
    });
    first.b.batch({2}, [&] { first.b.step("last", {2}).tolerate = 1; });
  });
  first.hosts.on("work#0", 0, {{Will::fail}});
  EXPECT_EQ(first.run().verdict, Verdict::failed);
  const auto& whole = first.recorder.events;
  EXPECT_EQ(first.outcomes("last"), (Lines{"h2 changed"}));
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    SCOPED_TRACE("cut after event " + std::to_string(cut));
    const std::vector<events::Event> record(whole.begin(),
                                            whole.begin() + static_cast<std::ptrdiff_t>(cut));
    Fixture second(3);
    second.take_over(first, record);
    second.hosts.on("work#0", 0, {{Will::fail}});
    second.clock.advance(Duration(60'000));
    const RunResult result = second.go_on();
    ASSERT_FALSE(result.not_resumed) << result.not_resumed->what;
    for (const std::string step : {"work", "(reload)", "undrain0", "undrain1", "last"}) {
      EXPECT_EQ(second.outcomes(step), first.outcomes(step)) << step;
    }
  }
}

TEST(Batch, TheRecordSaysWhichBatchesHaveBegun) {
  Rolling f;
  f.b.phase("roll", [&] {
    for (const plan::HostIndex h : {0U, 1U, 2U}) {
      const std::string batch = "play/roll[" + std::to_string(h + 1) + "]/";
      plan::Node& end = f.b.batch({h}, [&] { f.b.step("work", {h}).path = batch + "work"; });
      end.path = batch + "(batch)";
    }
  });
  f.hosts.on("work#0", 1, {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  const auto begun = begun_batches(f.b.plan, f.b.plan, f.recorder.events);
  ASSERT_EQ(begun.size(), 2U);
  EXPECT_EQ(begun[0].phase, "play/roll");
  EXPECT_EQ(begun[0].hosts, (Lines{"h0"}));
  EXPECT_EQ(begun[1].hosts, (Lines{"h1"}));
}

TEST(Batch, UndoGoesBatchByBatchTheLastFirst) {
  Rolling f;
  f.b.phase("roll", [&] {
    for (const plan::HostIndex h : {0U, 1U}) {
      f.b.batch({h}, [&] {
        f.b.undo(f.beside("drain", {h}));
        f.b.barrier();
        f.b.undo(f.b.step("work", {h}));
      });
    }
  });
  f.b.step("end", {0});
  f.hosts.on("end#0", {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::failed);
  Lines undone;
  for (const std::string& line : f.steps()) {
    if (line.front() == '!') undone.push_back(line);
  }
  EXPECT_EQ(undone, (Lines{"!work h1 changed", "!drain h2 changed", "!work h0 changed",
                           "!drain h2 changed"}));
}

}  // namespace
}  // namespace cnplay::run::test
