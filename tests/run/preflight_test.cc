// Before the first change: all problems of all hosts in one list, and nothing changed.
#include <set>

#include "support/run/fixture.h"

namespace cnplay::run::test {
namespace {

using events::Verdict;

std::vector<std::string> problems(const Fixture& f) {
  std::vector<std::string> lines;
  for (const auto& p : f.recorder.all<events::PreflightProblem>()) {
    lines.push_back((p.host ? f.b.plan.hosts[*p.host].name + ": " : "") + p.message);
  }
  return lines;
}

bool nothing_applied(const Fixture& f) {
  for (const Started& s : f.hosts.started()) {
    if (s.task.mode != remote::Mode::preflight) return false;
  }
  return true;
}

TEST(Preflight, EverythingThatFailsIsListedForAllHosts) {
  Fixture f(4);
  plan::Node& a = f.b.step("a");
  a.actions[0].needs = {"git"};
  a.actions[0].preflight = f.b.script("a#0 preflight");
  f.b.plan.locks = {"deploy/test"};
  f.hosts.refuse(0);
  f.hosts.on("needs", 1, {{Will::fail}});
  f.hosts.on("a#0 preflight", 1, {{Will::exit_code}});
  f.hosts.hold_lock(2, "bob@desk");
  EXPECT_EQ(f.run().verdict, Verdict::unreachable);
  EXPECT_EQ(problems(f), (std::vector<std::string>{
                             "h0: connection refused", "h1: needed commands: not found: git",
                             "h1: `a`: test.a: exited with 2: tail of a#0 preflight",
                             "h2: the lock \"deploy/test\" is held by bob@desk"}));
  for (const auto& problem : f.recorder.all<events::PreflightProblem>()) {
    EXPECT_EQ(problem.lock.value_or(false), problem.host == 2u) << problem.message;
  }
  EXPECT_TRUE(nothing_applied(f));
  EXPECT_FALSE(f.recorder.all<events::PreflightEnded>()[0].ok);
  EXPECT_NE(f.ended().advice.find("Nothing was changed"), std::string::npos);
}

TEST(Preflight, OneTaskForEachUserWithAllItNeeds) {
  Fixture f(2);
  plan::Node& a = f.b.step("a");
  a.actions[0].needs = {"git", "pip"};
  plan::Action& root = f.b.action(a);
  root.become = "root";
  root.needs = {"apt-get"};
  f.b.step("b").actions[0].needs = {"git"};
  EXPECT_EQ(f.run().verdict, Verdict::success);
  ASSERT_EQ(f.hosts.count("needs"), 4u);
  std::set<std::string> seen;
  for (const Started* s : f.hosts.started("needs")) {
    seen.insert(s->task.become + ":" + s->task.variables[0].value);
  }
  EXPECT_EQ(seen, (std::set<std::string>{":git\npip", "root:apt-get"}));
}

TEST(Preflight, CommandsAreLookedForAlongThePathOfTheirSteps) {
  Fixture f(2);
  const auto folders = [](const char* one) {
    return plan::Value(plan::List{plan::Value(std::string(one))});
  };
  plan::Node& a = f.b.step("a");
  a.actions[0].needs = {"aws"};
  a.search_path = plan::Column({folders("~/bin"), folders("/opt/bin")}, {0, 1});
  plan::Node& b = f.b.step("b");
  b.actions[0].needs = {"pip"};
  b.search_path = a.search_path;
  f.b.step("c").actions[0].needs = {"git"};
  EXPECT_EQ(f.run().verdict, Verdict::success);
  std::set<std::string> seen;
  for (const Started* s : f.hosts.started("needs")) {
    const std::string path = s->task.search_path.empty() ? "" : s->task.search_path[0];
    seen.insert(std::to_string(s->task.host) + path + ":" + s->task.variables[0].value);
  }
  EXPECT_EQ(seen,
            (std::set<std::string>{"0~/bin:aws\npip", "1/opt/bin:aws\npip", "0:git", "1:git"}));
}

TEST(Preflight, AHeldLockRefusesTheRun) {
  Fixture f(2);
  f.b.step("a");
  f.b.plan.locks = {"x"};
  f.hosts.hold_lock(1, "bob");
  EXPECT_EQ(f.run().verdict, Verdict::refused);
}

TEST(Preflight, ALockIsTakenOnceThoughItIsNamedTwice) {
  Fixture f(1);
  f.b.step("a");
  f.b.plan.locks = {"x", "y", "x"};
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.hosts.locks().size(), 2u);
}

// Whatever the order in which hosts come as far: two runs that wait can never wait for each other.
TEST(Preflight, LocksThatAreWaitedForAreTakenInOneOrder) {
  using Asked = std::vector<std::pair<remote::HostIndex, std::string>>;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Fixture f(3, seed);
    f.b.step("a");
    f.b.plan.locks = {"y", "x"};
    f.options.wait_for_locks = true;
    EXPECT_EQ(f.run().verdict, Verdict::success);
    EXPECT_EQ(f.hosts.locks(), (Asked{{0, "x"}, {0, "y"}, {1, "x"}, {1, "y"}, {2, "x"}, {2, "y"}}));
  }
  Fixture f(3);
  f.b.step("a");
  f.b.plan.locks = {"x"};
  f.options.wait_for_locks = true;
  f.hosts.hold_lock(1, "bob");
  EXPECT_EQ(f.run().verdict, Verdict::refused);
  EXPECT_EQ(f.hosts.locks(), (Asked{{0, "x"}, {1, "x"}})) << "the rest is not waited for";
  Fixture refused(2);
  refused.b.step("a");
  refused.b.plan.locks = {"x"};
  refused.options.wait_for_locks = true;
  refused.hosts.refuse(0);
  EXPECT_EQ(refused.run().verdict, Verdict::unreachable);
  EXPECT_TRUE(refused.hosts.locks().empty()) << "the run is refused anyway";
}

TEST(Preflight, ALockThatTheRunAroundHoldsIsSharedAndThatIsSaidOnce) {
  Fixture f(2);
  f.b.step("a");
  f.b.plan.locks = {"x"};
  f.options.inside = {"outer-1", "outermost-2"};
  f.hosts.share_lock(0, "bob@desk, run outer-1");
  f.hosts.share_lock(1, "bob@desk, run outer-1");
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.notices(),
            "the lock \"x\" is held by the run around this one (bob@desk, run outer-1), and holds "
            "for both\n");
  EXPECT_EQ(f.recorder.all<events::RunStarted>()[0].inside, "outer-1");
}

TEST(Preflight, WhoIsNotInsideOfTheRunThatItNamesIsTold) {
  Fixture f(2);
  f.b.step("a");
  f.b.plan.locks = {"x"};
  f.options.not_inside = "CNPLAY_INSIDE names the run 1, but no";
  f.hosts.hold_lock(0, "bob, run 1");
  f.hosts.hold_lock(1, "bob, run 1");
  EXPECT_EQ(f.run().verdict, Verdict::refused);
  EXPECT_EQ(f.notices(), "CNPLAY_INSIDE names the run 1, but no: its locks are not shared\n");
  EXPECT_FALSE(f.recorder.all<events::RunStarted>()[0].inside);
}

TEST(Preflight, ALockThatIsLostInTheRunStopsIt) {
  Fixture f(1);
  f.b.step("a");
  f.b.step("b");
  f.b.step("c");
  f.b.plan.locks = {"x"};
  f.hosts.on("a#0", 0, {{.will = Will::change, .length = Duration{60'000}}});
  f.hosts.lose_lock(0, Duration{10'000});
  EXPECT_EQ(f.run().verdict, Verdict::aborted);
  EXPECT_EQ(f.steps(), std::vector<std::string>{"a h0 changed"});
  EXPECT_NE(f.notices().find("the lock \"x\" on h0 was lost, the run stops: it is held by eve@lap"),
            std::string::npos)
      << f.notices();
}

TEST(Preflight, PreconditionsAndSecretsComeBeforeAnyConnection) {
  Fixture f(2);
  f.b.step("a");
  f.b.plan.requirements.push_back({{}, "staging", Duration(1000), "p.play:9"});
  f.b.plan.secrets.push_back({"key", plan::SecretSource::Kind::env, {"KEY"}, "p.play:1"});
  f.options.requirement = [](const plan::Requirement&) {
    return Result<std::string>(fail("not rehearsed on staging"));
  };
  f.options.secret = [](std::uint32_t) { return Result<Secret>(fail("KEY is not set")); };
  EXPECT_EQ(f.run().verdict, Verdict::refused);
  EXPECT_EQ(f.hosts.connects(), 0u);
  EXPECT_EQ(problems(f), (std::vector<std::string>{"p.play:9: not rehearsed on staging",
                                                   "the secret `key`: KEY is not set"}));
}

TEST(Preflight, APlanWithoutHostsIsRefused) {
  Fixture f(0);
  EXPECT_EQ(f.run().verdict, Verdict::refused);
  EXPECT_EQ(problems(f).size(), 1u);
}

TEST(Preflight, AnUnreachableHostIsToleratedIfAllItsStepsTolerateIt) {
  for (const std::uint32_t second : {1u, 0u}) {
    Fixture f(3);
    f.b.step("a").tolerate = 1;
    f.b.step("b").tolerate = second;
    f.hosts.refuse(1);
    EXPECT_EQ(f.run().verdict, Verdict::unreachable);
    EXPECT_EQ(f.hosts.count("b#0"), second == 1 ? 2u : 0u);
    EXPECT_TRUE(f.ended().hosts[1].unreachable);
  }
}

TEST(Preflight, AHostWithSeveralProblemsCountsOnceAgainstTolerate) {
  for (const plan::HostIndex also : {1u, 2u}) {
    Fixture f(4);
    plan::Node& a = f.b.step("a");
    a.tolerate = 1;
    a.actions[0].needs = {"git"};
    a.actions[0].preflight = f.b.script("a#0 preflight");
    f.hosts.on("needs", 1, {{Will::fail}});
    f.hosts.on("a#0 preflight", also, {{Will::fail}});
    f.run();
    EXPECT_EQ(problems(f).size(), 2u);
    const auto looked = f.recorder.all<events::PreflightEnded>().front();
    EXPECT_EQ(looked.ok, also == 1u);
    EXPECT_EQ(looked.left_out, also == 1u ? std::optional(1u) : std::nullopt);
    EXPECT_EQ(f.hosts.count("a#0"), also == 1u ? 3u : 0u);
  }
}

TEST(Preflight, AToleratedHostCountsAgainstTolerate) {
  Fixture f(4);
  f.b.step("a").tolerate = 1;
  f.b.step("b").tolerate = 1;
  f.hosts.refuse(1);
  f.hosts.on("a#0", 2, {{Will::fail}});
  f.run();
  EXPECT_EQ(f.recorder.all<events::FailureDeclared>().size(), 1u);
}

TEST(Preflight, ALoginShellThatNeedsNothingIsNotAskedAgain) {
  Fixture f(2);
  f.b.step("a");
  f.b.step("b").actions[0].become = "app";
  EXPECT_EQ(f.run().verdict, Verdict::success);
  ASSERT_EQ(f.hosts.count("needs"), 2u);
  for (const Started* s : f.hosts.started("needs")) EXPECT_EQ(s->task.become, "app");
}

TEST(Preflight, AHostThatLacksSomethingIsNotUnreachable) {
  Fixture f(2);
  f.b.step("a").actions[0].needs = {"git"};
  f.hosts.on("needs", 1, {{Will::fail}});
  EXPECT_EQ(f.run().verdict, Verdict::refused);
  EXPECT_EQ(problems(f).size(), 1u);
}

TEST(Preflight, AHostLostMeanwhileIsAProblemOnce) {
  Fixture f(2);
  f.b.step("a").actions[0].needs = {"git"};
  f.hosts.on("needs", 1, {{Will::lose}});
  EXPECT_EQ(f.run().verdict, Verdict::unreachable);
  EXPECT_EQ(problems(f).size(), 1u);
}

TEST(Preflight, AloneItChangesNothing) {
  Fixture f(2);
  f.b.step("a").actions[0].needs = {"git"};
  EXPECT_EQ(f.preflight().verdict, Verdict::success);
  EXPECT_EQ(f.hosts.count("needs"), 2u);
  EXPECT_TRUE(nothing_applied(f));
}

TEST(Preflight, ScriptsWhoseParametersAreNotKnownAreLeftOut) {
  Fixture f(1);
  plan::Node& a = f.b.step("a");
  a.actions[0].returns = {{"x", plan::FactType::string}};
  f.hosts.on("a#0", {{Will::ok, {{"x", "1"}}}});
  plan::Node& b = f.b.step("b");
  b.actions[0].preflight = f.b.script("b#0 preflight");
  b.actions[0].params = {Builder::param("x", Builder::fact(a.id, "x"))};
  plan::Node& c = f.b.step("c");
  c.actions[0].preflight = f.b.script("c#0 preflight");
  c.actions[0].when = plan::Column(plan::Value(false));
  EXPECT_EQ(f.run().verdict, Verdict::success);
  EXPECT_EQ(f.hosts.count("b#0 preflight"), 0u);
  EXPECT_EQ(f.hosts.count("c#0 preflight"), 0u);
}

TEST(Preflight, AnAbortEndsIt) {
  Fixture f(2);
  f.b.step("a");
  f.hosts.on("needs", 0, {{Will::hang}});
  f.hosts.before_event = [&] { f.aborts = 1; };
  EXPECT_EQ(f.run().verdict, Verdict::aborted);
  EXPECT_TRUE(nothing_applied(f));
}

}  // namespace
}  // namespace cnplay::run::test
