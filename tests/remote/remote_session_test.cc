// Reaching a host, becoming another user, many tasks at once, locks, floods of output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/resource.h>

#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "remote/host_lock.h"
#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// --- reaching it

class ReachingIn : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Remote, ReachingIn, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(ReachingIn, NoiseBeforeTheShellIsDropped) {
  World world(GetParam());
  world.transport->faults.forced_command =
      "echo Welcome to web1; echo noise >&2; printf 'no newline, \\036 and \\0'; exec sh";
  world.up();
  const TaskResult r = world.run(apply_task("echo clean"));
  EXPECT_EQ(r.tail.raw(), "clean\n");
  EXPECT_EQ(r.output_bytes, 6u);
}

// As ~/.bashrc may do, which sshd's `bash -c` reads: into a file, nowhere, through a filter.
TEST_P(ReachingIn, ARedirectedStderrIsReplacedByStdout) {
  for (const std::string redirected :
       {"exec 2>/dev/null; exec sh", "exec 2>>/dev/null; echo noise >&2; exec sh",
        "exec bash -c 'exec 2> >(while IFS= read -r l; do printf \"\\e[31m%s\\e[0m\\n\" \"$l\"; "
        "done "
        ">&2); exec sh'"}) {
    SCOPED_TRACE(redirected);
    World world(GetParam());
    world.transport->faults.forced_command = redirected;
    world.up();
    const TaskResult r = world.run(apply_task("echo out; echo err >&2; exit 3"));
    EXPECT_EQ(r.ended, Ended::finished);
    EXPECT_EQ(r.tail.raw(), "out\nerr\n");
    ASSERT_FALSE(r.stages.empty());
    EXPECT_EQ(r.stages.back().exit_code, 3);
    EXPECT_EQ(world.run(apply_task("fail why")).ended, Ended::finished);
  }
}

TEST(Reaching, TheBootIdIsTold) {
  World world;
  world.make();
  world.hosts->connect(0);
  const HostReady ready = world.wait_for<HostReady>();
  EXPECT_EQ(ready.boot_id + "\n", contents("/proc/sys/kernel/random/boot_id"));
}

TEST_P(ReachingIn, AShellThatLeadsNoGroupIsMadeToLeadOne) {
  World world(GetParam());
  // A child of the session's leader, in its group: as under a wrapper that does not exec.
  world.transport->faults.forced_command = "sh; exit 0";
  world.up();
  Task task = apply_task("sleep 30");
  task.timeout = milliseconds(100);
  EXPECT_EQ(world.run(task).ended, Ended::timed_out);
  EXPECT_EQ(world.run(apply_task("echo on")).tail.raw(), "on\n");
}

HostFailed failure_with(const std::string& forced, Duration ready) {
  World world;
  world.options.ready_timeout = ready;
  world.transport->faults.forced_command = forced;
  world.make();
  world.hosts->connect(0);
  return world.wait_for<HostFailed>();
}

TEST(Reaching, SaysWhatIsWrongWithTheShell) {
  HostFailed f = failure_with("echo 'Router> '; exec sleep 20", milliseconds(300));
  EXPECT_EQ(f.kind, Unreachable::shell);
  EXPECT_THAT(f.message, HasSubstr("unsupported shell or forced command"));
  EXPECT_THAT(f.message, HasSubstr("Router>"));
  f = failure_with("exec cat", milliseconds(300));  // an echo is no answer
  EXPECT_THAT(f.message, HasSubstr("unsupported shell or forced command"));
  f = failure_with("echo 'This account is currently not available.'; exit 1", seconds(10));
  EXPECT_EQ(f.kind, Unreachable::shell);
  EXPECT_THAT(f.message, HasSubstr("ended at once (exit code 1)"));
  EXPECT_THAT(f.message, HasSubstr("not available"));
  EXPECT_THAT(f.help, HasSubstr("getent passwd deploy"));
}

TEST(Reaching, RefusedIsToldAndTasksAreNotStarted) {
  World world;
  world.transport->faults.refuse_connect = true;
  world.make();
  const TaskResult early = world.run(apply_task(":"));
  EXPECT_EQ(early.ended, Ended::not_started);
  world.hosts->connect(0);
  EXPECT_EQ(world.wait_for<HostFailed>().kind, Unreachable::refused);
  EXPECT_EQ(world.run(apply_task(":")).ended, Ended::not_started);
  EXPECT_TRUE(world.hosts->close(seconds(1), Traces::remove));
}

TEST(Reaching, WakeWakes) {
  World world;
  world.make();
  std::thread waker([&] { world.hosts->wake(); });
  const auto event = world.hosts->next(seconds(5));
  waker.join();
  ASSERT_TRUE(event);
  EXPECT_TRUE(std::holds_alternative<Woken>(*event));
  EXPECT_FALSE(world.hosts->next(milliseconds(1)));
}

TEST(Reaching, AnInvalidRunIdIsABug) {
  World world;
  world.options.run_id = "../x";
  EXPECT_THROW(world.make(), std::invalid_argument);
}

// --- sudo

class Becoming : public ::testing::TestWithParam<std::string> {
 protected:
  Becoming() : world(GetParam()) {
    const std::string root = world.root.string();
    std::filesystem::create_directories(world.root / "roothome");
    world.write_file("bin/sudo", R"SH(#!/bin/dash
r=)SH" + root + R"SH(
mode=$(cat $r/mode)
echo "$*" >>$r/log
n= p=
while [ "$1" != -- ]; do
  case $1 in -n) n=1 ;; -p) p=$2; shift ;; -u) user=$2; shift ;; esac
  shift
done
shift
case $user in nobody-here) echo "sudo: unknown user $user" >&2; exit 1 ;; esac
case $mode in *tty*)
  [ -t 0 ] || { echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1; } ;;
esac
case $mode in
*password* | *refused*)
  [ -z "$n" ] || { echo "sudo: a password is required" >&2; exit 1; }
  printf %s "$p" >&2
  IFS= read -r word
  echo "$word" >>$r/attempts
  case $mode in *refused*) echo "deploy is not in the sudoers file." >&2; exit 1 ;; esac
  while [ "$word" != "correct horse" ]; do
    printf '\nSorry, try again.\n%s' "$p" >&2
    IFS= read -r word || { echo "sudo: 1 incorrect password attempt" >&2; exit 1; }
    echo "$word" >>$r/attempts
  done ;;
esac
HOME=$r/roothome BECAME=$user
export HOME BECAME
case $mode in *fork*) "$@"; exit $? ;; esac
exec "$@"
)SH",
                     0755);
  }
  void mode(const std::string& word) { world.write_file("mode", word, 0644); }
  void password(const std::string& word) {
    world.settings.become_password = [word] { return std::optional<Secret>(Secret(word)); };
  }
  Task as_root(std::string script) {
    Task task = apply_task(std::move(script));
    task.become = "root";
    return task;
  }
  World world;
};
INSTANTIATE_TEST_SUITE_P(Remote, Becoming, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(Becoming, WithoutPassword) {
  mode("free");
  password("correct horse");  // must not be sent
  world.up();
  const TaskResult r = world.run(as_root("echo $BECAME in $PWD"));
  EXPECT_EQ(r.tail.raw(), "root in " + (world.root / "roothome").string() + "\n") << r.error;
  EXPECT_THAT(contents(world.root / "log"), HasSubstr("-n -H -u root -- sh"));
  EXPECT_THAT(world.transport->input(), Not(HasSubstr("correct horse")));
  EXPECT_EQ(world.run(apply_task("echo ${BECAME-me}")).tail.raw(), "me\n");
}

TEST_P(Becoming, WithPasswordOnceAskedFor) {
  mode("password fork");
  password("correct horse");
  world.up();
  EXPECT_EQ(world.run(as_root("echo $BECAME")).tail.raw(), "root\n");
  EXPECT_EQ(contents(world.root / "attempts"), "correct horse\n");
  EXPECT_THAT(contents(world.root / "log"), HasSubstr("-k -S -p "));
  EXPECT_THAT(contents(world.root / "log"), Not(HasSubstr("horse")));
  // A second root shell does not ask `sudo -n` again; a timeout kills as root.
  Task slow = as_root("sleep 30");
  slow.timeout = milliseconds(200);
  EXPECT_EQ(world.run(slow).ended, Ended::timed_out);
  EXPECT_EQ(world.run(as_root("echo again")).tail.raw(), "again\n");
}

TEST_P(Becoming, AWrongPasswordIsTriedOnce) {
  mode("password");
  password("wrong");
  world.up();
  const TaskId a = world.start(as_root("echo no"));
  const TaskId b = world.start(as_root("echo no"));
  for (const TaskId id : {a, b}) {
    const TaskResult r = world.wait_task(id);
    EXPECT_EQ(r.ended, Ended::not_started);
    EXPECT_THAT(r.error,
                HasSubstr("web1: deploy cannot become root: sudo did not accept the password"));
    EXPECT_THAT(r.error, Not(HasSubstr("wrong\n")));
    EXPECT_FALSE(r.help.empty());
  }
  EXPECT_EQ(world.run(as_root("echo no")).ended, Ended::not_started);
  Task other = as_root("echo no");
  other.become = "www-data";
  EXPECT_EQ(world.run(other).ended, Ended::not_started);
  EXPECT_EQ(contents(world.root / "attempts"), "wrong\n");
  EXPECT_EQ(world.run(apply_task("echo fine")).tail.raw(), "fine\n");
}

TEST_P(Becoming, RefusalsAreNamed) {
  mode("refused");
  password("correct horse");
  world.up();
  TaskResult r = world.run(as_root(":"));
  EXPECT_THAT(r.error, HasSubstr("sudo does not allow it"));
  EXPECT_THAT(r.error, HasSubstr("not in the sudoers file"));
  mode("free");
  Task stranger = as_root(":");
  stranger.become = "nobody-here";
  EXPECT_THAT(world.run(stranger).error, HasSubstr("there is no such user"));
  stranger.become = "-s";
  EXPECT_THAT(world.run(stranger).error, HasSubstr("not a valid user name"));
}

TEST_P(Becoming, NoPasswordAtHand) {
  mode("password");
  world.up();
  const TaskResult r = world.run(as_root(":"));
  EXPECT_EQ(r.ended, Ended::not_started);
  EXPECT_THAT(r.error, HasSubstr("wants a password, and none was given"));
  EXPECT_THAT(r.help, HasSubstr("NOPASSWD"));
}

TEST_P(Becoming, MissingSudo) {
  std::filesystem::remove(world.bin / "sudo");
  world.transport->environment["PATH"] = world.bin.string();  // nothing but sh
  for (const char* tool : {"cat", "printf", "setsid", "sleep"}) {
    std::filesystem::create_symlink(std::string("/usr/bin/") + tool, world.bin / tool);
  }
  world.up();
  const TaskResult r = world.run(as_root(":"));
  EXPECT_EQ(r.ended, Ended::not_started);
  EXPECT_THAT(r.error, HasSubstr("there is no sudo"));
  EXPECT_THAT(r.help, HasSubstr("doas and su are not supported yet"));
}

TEST_P(Becoming, RequireTtyGetsOne) {
  for (const std::string kind : {"tty free", "tty password", "tty password fork"}) {
    mode(kind);
    password("correct horse");
    if (world.hosts) world.hosts->close(seconds(2), Traces::remove);
    world.up();
    TaskResult r =
        world.run(as_root("echo $BECAME; echo err >&2; cat </dev/null; printf 'a\\r\\n'"));
    EXPECT_EQ(r.ended, Ended::finished) << kind << r.error;
    EXPECT_EQ(r.tail.raw(), "root\nerr\na\r\n") << kind;
    Task task = check_task("fact f \"$v\"; change x", "[ \"$f\" = \"$v\" ]");
    task.verify = Verify::none;
    task.become = "root";
    task.variables.resize(1);
    for (int c = 1; c < 256; ++c) task.variables[0].value += static_cast<char>(c);
    task.variables[0].name = "v";
    task.variables[0].value += std::string(9000, 'x');  // longer than a line of a terminal
    r = world.run(task);
    EXPECT_EQ(fact(r, "f"), task.variables[0].value) << kind;
    ASSERT_NE(stage(r, Stage::apply), nullptr) << kind;
    EXPECT_EQ(stage(r, Stage::apply)->exit_code, 0) << kind;
    Task slow = as_root("sleep 30");
    slow.timeout = milliseconds(200);
    EXPECT_EQ(world.run(slow).ended, Ended::timed_out) << kind;
    EXPECT_EQ(world.run(as_root("echo again")).tail.raw(), "again\n") << kind;
    EXPECT_TRUE(world.hosts->close(seconds(3), Traces::remove)) << kind;
    EXPECT_EQ(world.transport->channels_now(), 0u);
  }
}

// The sudo of this machine, where the test may use it without a password.
TEST(RealSudo, WithoutPasswordAndOnATerminal) {
  if (std::system("sudo -n -H -u nobody -- true 2>/dev/null") != 0)
    GTEST_SKIP() << "no sudo for us";
  for (const bool pty : {false, true}) {
    World world;
    // Nobody's directory is outside of the world, and its tombstones stay.
    world.options.run_id = "test-" + std::to_string(getpid()) + (pty ? "-terminal" : "");
    if (pty) {  // as if requiretty had refused: the real sudo then runs on our terminal
      world.write_file("bin/sudo",
                       "#!/bin/dash\n[ -t 0 ] || { echo 'sorry, you must have a tty to run sudo' "
                       ">&2; exit 1; }\nexec /usr/bin/sudo \"$@\"\n",
                       0755);
    }
    world.up();
    Task task = apply_task("id -un; echo err >&2");
    task.become = "nobody";
    TaskResult r = world.run(task);
    EXPECT_THAT(r.tail.raw(), HasSubstr("nobody\n")) << r.error;
    const std::string mark = "36." + std::to_string(getpid());
    task.apply = "(sleep " + mark + " & sleep " + mark + ")";
    task.timeout = milliseconds(200);
    EXPECT_EQ(world.run(task).ended, Ended::timed_out);
    EXPECT_TRUE(processes_with("sleep " + mark).empty());
    task.apply = "echo on";
    EXPECT_EQ(world.run(task).tail.raw(), "on\n");
    EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
    const passwd* nobody = getpwnam("nobody");
    ASSERT_NE(nobody, nullptr);
    const std::filesystem::path base = "/var/tmp/cnplay-" + std::to_string(nobody->pw_uid);
    EXPECT_FALSE(std::filesystem::exists(base / ("run-" + world.options.run_id)));
    EXPECT_TRUE(std::filesystem::remove(base / ("ended-" + world.options.run_id)));
  }
  World world;
  world.up();
  Task task = apply_task(":");
  task.become = "no-such-user-here";
  EXPECT_THAT(world.run(task).error, HasSubstr("there is no such user"));
}

// --- many at once

TEST(Many, OverlappingTasksHaveShellsOfTheirOwn) {
  World world;
  world.up();
  // None ends before all have begun.
  std::vector<TaskId> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(world.start(apply_task(
        "touch begun-$$; while [ $(ls | grep -c begun-) -lt 4 ]; do sleep 0.02; done; echo $$")));
  }
  std::set<std::string> pids;
  for (const TaskId id : ids) pids.insert(world.wait_task(id).tail.raw());
  EXPECT_EQ(pids.size(), 4u);
  // And they are used again.
  const unsigned opened = world.transport->channels_opened();
  for (int i = 0; i < 10; ++i) world.run(apply_task(":"));
  EXPECT_EQ(world.transport->channels_opened(), opened);
}

TEST(Many, BeyondTheChannelsTheyWaitAndAKillStillGetsThrough) {
  World world;
  world.up();
  std::vector<TaskId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(world.start(apply_task("sleep 0.3; echo $$")));
  Task stuck = apply_task("sleep 30");
  stuck.timeout = milliseconds(500);
  ids.push_back(world.start(stuck));
  int finished = 0;
  for (const TaskId id : ids) finished += world.wait_task(id).ended == Ended::finished;
  EXPECT_EQ(finished, 20);
  EXPECT_LE(world.transport->channels_most(), 8u);
  EXPECT_GE(world.transport->channels_most(), 7u);
  std::vector<TaskId> all;
  for (int i = 0; i < 7; ++i) all.push_back(world.start(apply_task("echo on; sleep 30")));
  for (const TaskId id : all) world.wait_output(id, "on");
  for (const TaskId id : all) world.hosts->cancel(id);
  for (const TaskId id : all) EXPECT_EQ(world.wait_task(id).ended, Ended::cancelled);
}

TEST(Many, AServerWithFewerSessionsIsLearned) {
  World world;
  world.transport->faults.max_channels = 3;
  world.up();
  std::vector<TaskId> ids;
  for (int i = 0; i < 8; ++i) ids.push_back(world.start(apply_task("sleep 0.05")));
  for (const TaskId id : ids) EXPECT_EQ(world.wait_task(id).ended, Ended::finished);
}

// --- output

TEST(Output, AHundredMegabytesPassInBoundedMemory) {
  World world;
  world.up();
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  const TaskId id = world.start(apply_task("head -c 100000000 /dev/zero; echo end; echo e >&2"));
  std::uint64_t bytes = 0;
  bool slept = false;
  TaskResult result;
  for (bool ended = false; !ended;) {
    auto event = world.hosts->next(seconds(20));
    ASSERT_TRUE(event);
    if (auto* output = std::get_if<TaskOutput>(&*event)) {
      bytes += output->bytes.size();
      // A reader that is slow for a while must not cost memory.
      if (!std::exchange(slept, true)) std::this_thread::sleep_for(milliseconds(500));
    }
    if (auto* end = std::get_if<TaskEnded>(&*event)) {
      result = std::move(end->result);
      ended = true;
    }
  }
  EXPECT_EQ(result.ended, Ended::finished);
  EXPECT_EQ(result.output_bytes, 100000006u);
  EXPECT_EQ(bytes, 100000006u);
  EXPECT_THAT(result.tail.raw(), HasSubstr("end\n"));
  EXPECT_LE(result.tail.size(), 16u * 1024);
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
#ifndef __SANITIZE_ADDRESS__  // its quarantine keeps what was freed
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 32 * 1024) << "KiB";
#endif
  EXPECT_EQ(id, 1u);
}

TEST(Output, AFloodIsCancelledThoughNobodyReads) {
  World world;
  world.up();
  const TaskId id = world.start(apply_task("while :; do head -c 100000 /dev/zero; done"));
  std::this_thread::sleep_for(milliseconds(300));
  world.hosts->cancel(id);
  EXPECT_EQ(world.wait_task(id).ended, Ended::cancelled);
}

TEST(Output, ForgedMarksAreOutput) {
  World world;
  world.up();
  const std::string fake = "\x1e" + std::string(32, 'a') + " E 1 out\n";
  world.write_file("home/fake", fake, 0644);
  const TaskResult r = world.run(apply_task("cat fake; cat fake >&2; exit 3"));
  EXPECT_EQ(r.stages.at(0).exit_code, 3);
  EXPECT_EQ(r.tail.size(), 2 * fake.size());
}

// --- locks

TEST(Locks, HeldBusyAndReleasedWithTheConnection) {
  World world;
  world.options.reconnect_within = seconds(0);
  world.up();
  world.hosts->lock(0, "deploy prod", "run 1 of ana");
  LockEnded l = world.wait_for<LockEnded>();
  EXPECT_TRUE(l.acquired) << l.error;
  const auto file = world.home / ".local/state/cnplay/locks/deploy%20prod";
  EXPECT_THAT(contents(file), StartsWith("run 1 of ana\n"));

  auto other = make_hosts(*world.transport, {world.settings}, world.options);
  auto wait_lock = [&] {
    for (;;) {
      auto event = other->next(seconds(5));
      if (!event) return LockEnded{};
      if (auto* found = std::get_if<LockEnded>(&*event)) return *found;
    }
  };
  other->connect(0);
  while (true) {
    auto event = other->next(seconds(5));
    if (!event || std::holds_alternative<HostReady>(*event)) break;
  }
  other->lock(0, "deploy prod", "run 2");
  l = wait_lock();
  EXPECT_FALSE(l.acquired);
  EXPECT_EQ(l.holder.raw(), "run 1 of ana");
  EXPECT_EQ(l.error, "");
  other->lock(0, "another", "run 2");
  EXPECT_TRUE(wait_lock().acquired);

  world.hosts->close(seconds(3), Traces::remove);
  EXPECT_TRUE(eventually([&] { return contents(file).empty(); }));
  other->lock(0, "deploy prod", "run 2");
  EXPECT_TRUE(wait_lock().acquired);
  EXPECT_THAT(contents(file), StartsWith("run 2\n"));
  world.transport->cut();
  EXPECT_TRUE(eventually(
      [&] { return std::system(("flock -n " + file.string() + " true").c_str()) == 0; }));
}

TEST(Locks, OneThatIsJustLetGoIsWaitedFor) {
  World world;
  world.up();
  const auto file = world.home / ".local/state/cnplay/locks/x";
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file).close();
  const std::string hold = "flock " + file.string() + " sleep 0.4 &";
  ASSERT_EQ(std::system(hold.c_str()), 0);
  ASSERT_TRUE(eventually(
      [&] { return std::system(("flock -n " + file.string() + " true").c_str()) != 0; }));
  world.hosts->lock(0, "x", "me");
  EXPECT_TRUE(world.wait_for<LockEnded>().acquired);
}

TEST(Locks, ALockThatCannotBe) {
  World world;
  world.write_file("home/.local", "in the way", 0644);
  world.up();
  world.hosts->lock(0, "x", "me");
  const LockEnded l = world.wait_for<LockEnded>();
  EXPECT_FALSE(l.acquired);
  EXPECT_THAT(l.error, HasSubstr("cannot be made"));
  EXPECT_EQ(lock_file_name("../a/b"), "%2E.%2Fa%2Fb");
  EXPECT_EQ(lock_file_name("prod.1_x-y"), "prod.1_x-y");
}

TEST(Locks, TheConnectionDies) {
  World world;
  world.options.reconnect_within = seconds(0);
  world.up();
  world.hosts->lock(0, "x", "me");
  EXPECT_TRUE(world.wait_for<LockEnded>().acquired);
  world.transport->cut();
  EXPECT_EQ(world.wait_for<HostLost>().host, 0u);
}

}  // namespace
}  // namespace cnplay::remote::testing
