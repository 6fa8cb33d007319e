// The stages of a task and what they say, in four shells.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>

#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

using ::testing::HasSubstr;

class InShell : public ::testing::TestWithParam<std::string> {
 protected:
  InShell() : world(GetParam()) { world.up(); }
  World world;
};
INSTANTIATE_TEST_SUITE_P(Remote, InShell, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(InShell, CheckThatIsOkAppliesNothing) {
  const TaskResult r = world.run(check_task("ok \"all there\"", "echo no"));
  EXPECT_EQ(r.ended, Ended::finished);
  ASSERT_EQ(r.stages.size(), 1u);
  EXPECT_EQ(r.stages[0].verdict, Verdict::ok);
  EXPECT_EQ(r.stages[0].message.raw(), "all there");
  EXPECT_FALSE(r.apply_possible);
}

TEST_P(InShell, ChangeAppliesAndVerifies) {
  const TaskResult r = world.run(
      check_task("[ ! -e flag ] || ok\nchange \"make it\"\nprintf '+a\\n-b\\n' | diff_lines",
                 "touch flag; echo made"));
  ASSERT_EQ(r.stages.size(), 3u);
  EXPECT_EQ(r.stages[0].verdict, Verdict::change);
  EXPECT_EQ(r.stages[0].message.raw(), "make it");
  EXPECT_EQ(r.stages[1].stage, Stage::apply);
  EXPECT_EQ(r.stages[1].exit_code, 0);
  EXPECT_EQ(r.stages[2].stage, Stage::verify);
  EXPECT_EQ(r.stages[2].verdict, Verdict::ok);
  EXPECT_EQ(r.diff.raw(), "+a\n-b\n");
  EXPECT_EQ(r.tail.raw(), "made\n");
  EXPECT_TRUE(r.apply_possible);
}

TEST_P(InShell, NotConvergedIsSeen) {
  const TaskResult r = world.run(check_task("change again", ":"));
  ASSERT_EQ(r.stages.size(), 3u);
  EXPECT_EQ(r.stages[2].verdict, Verdict::change);
}

TEST_P(InShell, VerdictsThatApplyNothing) {
  const std::vector<std::tuple<std::string, Verdict, int>> cases = {
      {"fail \"why not\"", Verdict::fail, 0},
      {"skip \"not here\"", Verdict::skip, 0},
      {":", Verdict::none, 0},
      {"exit 3", Verdict::none, 3},
      {"false; ok", Verdict::none, 1},
      {"change x; fail \"y\"", Verdict::fail, 0},
      {"change x; ok", Verdict::fail, 0},
      {"change x; exit 4", Verdict::change, 4},
      {"change x; false", Verdict::change, 1},
      {"x=$(fail inner); ok", Verdict::fail, 0},
      {"echo $unset_variable; ok", Verdict::none, -1},
      {"if; then", Verdict::none, -1}};
  for (const auto& [script, verdict, code] : cases) {
    const TaskResult r = world.run(check_task(script, "echo APPLIED"));
    EXPECT_EQ(r.ended, Ended::finished) << script;
    ASSERT_EQ(r.stages.size(), 1u) << script;
    EXPECT_EQ(r.stages[0].verdict, verdict) << script;
    if (code >= 0) {
      EXPECT_EQ(r.stages[0].exit_code, code) << script;
    } else {
      EXPECT_NE(r.stages[0].exit_code, 0) << script;
    }
  }
  EXPECT_EQ(world.run(check_task("change a; change b", "", Mode::check)).stages[0].message.raw(),
            "a; b");
}

TEST_P(InShell, ApplyAlone) {
  TaskResult r = world.run(apply_task("echo out; echo err >&2; exit 3"));
  ASSERT_EQ(r.stages.size(), 1u);
  EXPECT_EQ(r.stages[0].exit_code, 3);
  EXPECT_EQ(world.out[world.last_id], "out\n");
  EXPECT_EQ(world.err[world.last_id], "err\n");
  EXPECT_EQ(r.output_bytes, 8u);
  r = world.run(apply_task("false\necho not reached"));
  EXPECT_EQ(r.stages[0].exit_code, 1);
  EXPECT_EQ(r.output_bytes, 0u);
  r = world.run(apply_task("fail \"no room\""));
  EXPECT_EQ(r.stages[0].verdict, Verdict::fail);
  EXPECT_EQ(r.stages[0].message.raw(), "no room");
  r = world.run(apply_task("ok"));
  EXPECT_EQ(r.stages[0].verdict, Verdict::fail);
  r = world.run(apply_task("fact a b"));
  EXPECT_EQ(r.stages[0].verdict, Verdict::fail);
  // A trap of the script's own must not disturb the protocol, nor a trace.
  r = world.run(apply_task("trap 'echo bye' EXIT; set -x; : x"));
  EXPECT_EQ(r.stages[0].exit_code, 0);
  EXPECT_EQ(world.out[world.last_id], "bye\n");
  r = world.run(check_task("set -x; fact a b; change c", ": ", Mode::check));
  EXPECT_EQ(r.stages[0].verdict, Verdict::change);
  EXPECT_EQ(fact(r, "a"), "b");
}

TEST_P(InShell, VerifyByScriptAndPreflight) {
  Task task = check_task("change x", ":");
  task.verify = Verify::by_script;
  task.verify_script = "exit 5";
  TaskResult r = world.run(task);
  ASSERT_EQ(r.stages.size(), 3u);
  EXPECT_EQ(r.stages[2].exit_code, 5);
  task.verify_script = "ok fine";
  r = world.run(task);
  EXPECT_EQ(r.stages[2].verdict, Verdict::ok);
  Task pre;
  pre.mode = Mode::preflight;
  pre.preflight = "skip \"no git here\"";
  r = world.run(pre);
  ASSERT_EQ(r.stages.size(), 1u);
  EXPECT_EQ(r.stages[0].stage, Stage::preflight);
  EXPECT_EQ(r.stages[0].verdict, Verdict::skip);
  EXPECT_FALSE(r.apply_possible);
}

TEST_P(InShell, PreviewHasAPrivateDirectoryThatCloseRemoves) {
  Task task = check_task("fact kind big; change x", "exit 9", Mode::check);
  task.preview = "echo \"$kind\" >\"$preview/file\"";
  const TaskResult r = world.run(task);
  ASSERT_NE(stage(r, Stage::preview), nullptr);
  EXPECT_EQ(stage(r, Stage::preview)->exit_code, 0);
  EXPECT_FALSE(r.apply_possible);
  const std::filesystem::path preview = r.preview;
  EXPECT_EQ(preview.parent_path(), world.home / ".local/state/cnplay/run-test-run");
  EXPECT_TRUE(std::filesystem::exists(preview / "file"));
  EXPECT_EQ(std::filesystem::status(preview.parent_path()).permissions(),
            std::filesystem::perms::owner_all);
  EXPECT_TRUE(world.hosts->close(std::chrono::seconds(5), Traces::remove));
  EXPECT_FALSE(std::filesystem::exists(preview.parent_path()));
}

TEST_P(InShell, EachStageIsASubshellInAKnownState) {
  world.run(apply_task("cd /; umask 0; leaked=1; set +e; HOME=/x"));
  const TaskResult r =
      world.run(check_task("fact pwd \"$PWD\"; fact umask \"$(umask)\"; fact leak "
                           "\"${leaked-none}\"; fact home \"$HOME\"\n"
                           "fact in \"$(readlink /proc/self/fd/0)\"; fact args \"$#\"; fact lc "
                           "\"$LC_ALL\"; fact path \"$PATH\"\n"
                           "fact fds \"$(ls /proc/self/fd | wc -l)\"; ok"));
  EXPECT_EQ(fact(r, "pwd"), world.home.string());
  EXPECT_THAT(fact(r, "umask"), ::testing::AnyOf("0022", "022"));
  EXPECT_EQ(fact(r, "leak"), "none");
  EXPECT_EQ(fact(r, "home"), world.home.string());
  EXPECT_EQ(fact(r, "in"), "/dev/null");
  EXPECT_EQ(fact(r, "args"), "0");
  EXPECT_EQ(fact(r, "lc"), "C.UTF-8");
  EXPECT_THAT(fact(r, "path"), HasSubstr("/usr/sbin"));
}

TEST_P(InShell, FactsAndVariablesOfAnyBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 25; ++round) {
    std::string value;
    const int length = round < 3 ? round : static_cast<int>(random() % 400);
    const std::string nasty = "'\"\\$`\n\r\t !*?[]{}~#&;|<>()%\x1b\x1e\x01\x7f\x80\x81\x82\x88\xff";
    for (int i = 0; i < length; ++i) {
      value +=
          random() % 2 ? nasty[random() % nasty.size()] : static_cast<char>(1 + random() % 255);
    }
    // From the controller into a variable, into a fact, back here and into apply's variable.
    Task task =
        check_task("fact said \"$given\"; change x", "[ \"$said\" = \"$given\" ] || fail differs");
    task.verify = Verify::none;
    task.variables = {{.name = "given", .value = value}};
    const TaskResult r = world.run(task);
    ASSERT_EQ(r.ended, Ended::finished) << round;
    EXPECT_EQ(fact(r, "said"), value) << round;
    ASSERT_NE(stage(r, Stage::apply), nullptr) << round;
    EXPECT_EQ(stage(r, Stage::apply)->verdict, Verdict::none) << round;
    EXPECT_EQ(stage(r, Stage::apply)->exit_code, 0) << round;
  }
}

TEST_P(InShell, EnvironmentAndSearchPathReachThePrograms) {
  namespace fs = std::filesystem;
  fs::create_directories(world.home / "my tools");
  std::ofstream(world.home / "my tools" / "told") << "#!/bin/sh\nprintf '%s' \"$TOLD\"\n";
  fs::permissions(world.home / "my tools" / "told", fs::perms::owner_all);
  const std::string nasty = "it's $HOME `id`\n\"two\" \\ lines\x80";
  // `told` is a program of its own: it sees what is exported, and nothing else.
  const std::string look = "[ \"$(told)\" = \"$want\" ] || fail \"$(told)\"\n";
  const auto run = [&](Mode mode) {
    Task task = check_task(look + "change x", look, mode);
    task.verify_script = look;
    task.verify = Verify::by_script;
    task.preview = look;
    task.preflight = look + "ok";
    task.environment = {{"TOLD", nasty}};
    task.search_path = {"~/my tools", "/opt/nowhere/bin"};
    task.variables = {{.name = "want", .value = nasty}};
    return world.run(task);
  };
  const auto all_well = [](const TaskResult& r, std::size_t stages) {
    EXPECT_EQ(r.ended, Ended::finished) << r.error;
    EXPECT_EQ(r.stages.size(), stages);
    for (const StageResult& s : r.stages) {
      EXPECT_NE(s.verdict, Verdict::fail) << s.message.raw();
      EXPECT_EQ(s.exit_code, 0);
    }
  };
  all_well(run(Mode::apply), 3);
  all_well(run(Mode::check), 2);
  all_well(run(Mode::preflight), 1);
  // The next task of the same shell has neither.
  const TaskResult r = world.run(apply_task("[ -z \"${TOLD-}\" ] && ! command -v told >/dev/null"));
  EXPECT_EQ(r.stages.at(0).exit_code, 0);
}

TEST_P(InShell, EnvironmentThatWouldExportAParameterIsRefused) {
  Task task = apply_task(":");
  task.environment = {{"token", "public"}};
  task.variables = {{.name = "token", .value = "hidden", .secret = true}};
  EXPECT_EQ(world.run(task).ended, Ended::not_started);
  task.variables.clear();
  task.environment = {{"PATH", "/tmp"}};
  EXPECT_EQ(world.run(task).ended, Ended::not_started);
}

TEST_P(InShell, VerdictsAndFactsOfManyLines) {
  const TaskResult r =
      world.run(check_task("fact a \"1${nl}${nl}2${nl}\"; fact a2 ''; change \"l1${nl}l2\"",
                           "[ \"$a\" = \"1${nl}${nl}2${nl}\" ]; [ -z \"$a2\" ]"));
  EXPECT_EQ(fact(r, "a"), "1\n\n2\n");
  EXPECT_EQ(fact(r, "a2"), "");
  EXPECT_EQ(r.stages[0].message.raw(), "l1\nl2");
  EXPECT_EQ(stage(r, Stage::apply)->exit_code, 0);
}

TEST_P(InShell, FactsAreBounded) {
  TaskResult r = world.run(
      check_task("x=0123456789abcdef; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x\n"
                 "x=$x$x$x$x\n"
                 "fact full \"$x\"; fact over \"$x.\"; change x",
                 "echo no"));
  EXPECT_EQ(fact(r, "full").size(), 65536u);
  EXPECT_EQ(r.stages[0].verdict, Verdict::fail);
  EXPECT_THAT(r.stages[0].message.raw(), HasSubstr("64 KiB"));
  EXPECT_EQ(r.stages.size(), 1u);
  r = world.run(check_task("fact 'a b' c; ok"));
  EXPECT_EQ(r.stages[0].verdict, Verdict::fail);
}

TEST_P(InShell, BackgroundChildrenDoNotHoldTheTask) {
  const std::string child = "/usr/bin/sleep 134." + std::to_string(getpid());
  TaskResult r = world.run(apply_task(child + " & echo started"));
  EXPECT_EQ(r.stages[0].exit_code, 0);
  r = world.run(check_task(child + " & change x", "echo applied"));
  EXPECT_EQ(r.tail.raw(), "applied\n");
  // Of the apply, of the check, and of the check that verifies; the last one may not be there yet.
  EXPECT_TRUE(eventually([&] { return processes_with(child).size() == 3; }));
  for (const int pid : processes_with(child)) kill(pid, SIGKILL);
}

TEST_P(InShell, KillingTheShellIsSaidAndTheNextTaskGetsAnother) {
  TaskResult r = world.run(apply_task("kill -9 $$; sleep 5"));
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_TRUE(r.apply_possible);
  EXPECT_THAT(r.error, HasSubstr("the shell ended under the task (killed by SIGKILL)"));
  r = world.run(check_task("kill -9 $$; sleep 5; ok", "", Mode::check));
  EXPECT_EQ(r.ended, Ended::lost);
  EXPECT_FALSE(r.apply_possible);
  r = world.run(apply_task("echo again"));
  EXPECT_EQ(r.ended, Ended::finished);
  EXPECT_EQ(r.tail.raw(), "again\n");
}

TEST_P(InShell, SingleBytes) {
  world.transport->faults.chunk = 1;
  const TaskResult r =
      world.run(check_task("fact a b; change c; echo d | diff_lines", "echo hello"));
  EXPECT_EQ(fact(r, "a"), "b");
  EXPECT_EQ(r.diff.raw(), "d\n");
  EXPECT_EQ(r.tail.raw(), "hello\n");
}

TEST_P(InShell, BinaryOutputPasses) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  world.write_file("home/all", all + all, 0644);
  const TaskResult r = world.run(apply_task("cat all"));
  EXPECT_EQ(r.tail.raw(), all + all);
  EXPECT_EQ(world.out[world.last_id], all + all);
}

TEST_P(InShell, TimePerTask) {
  const auto measure = [&](const Task& task, int n) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < n; ++i) world.run(task);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    return took.count() / n;
  };
  measure(apply_task(":"), 20);
  Task with_timeout = apply_task(":");
  with_timeout.timeout = std::chrono::seconds(30);
  std::printf(
      "  %s: ms per task, in turn: apply %.2f, with /bin/true %.2f, with timeout %.2f, check ok "
      "%.2f, "
      "check+apply+verify %.2f\n",
      GetParam().c_str(), measure(apply_task(":"), 50), measure(apply_task("/bin/true"), 50),
      measure(with_timeout, 50), measure(check_task("ok", ":"), 50),
      measure(check_task("fact a b; change c", ":"), 50));
}

}  // namespace
}  // namespace cnplay::remote::testing
