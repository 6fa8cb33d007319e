// Files to a host and from it: only if they are wanted, whole or not at all, and going on where a
// broken connection has left them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/digest.h"
#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Bytes of every kind, marks' and shells' own among them.
std::string bytes(std::size_t size) {
  std::string text = std::string("'\"$(touch /tmp/never)`\\\n\x1e") + '\0' + "_cn_run\nexit 7\n";
  std::uint32_t x = 12345;
  while (text.size() < size) {
    x = x * 1664525 + 1013904223;
    text += static_cast<char>(x >> 24);
  }
  text.resize(size);
  return text;
}

constexpr const char* kCheck = R"SH(
echo checking
[ -e "$dest" ] || { change "place $dest"; exit 0; }
x=$(sha256sum <"$dest")
[ "${x%% *}" = "$sum" ] && ok
change "replace $dest"
)SH";
constexpr const char* kApply = R"SH(mv -f -- "$src_file" "$dest"
echo applied >>"$dest.applied")SH";

class Transfers : public ::testing::TestWithParam<std::string> {
 protected:
  Transfers() : world(GetParam()) {}
  Task copy(const std::string& text) {
    { std::ofstream(source()) << text; }
    Task task = check_task(kCheck, kApply);
    task.variables = {{.name = "dest", .value = dest().string()},
                      {.name = "sum", .value = sha256_hex(text)}};
    task.upload = {
        .name = "src", .path = source().string(), .size = text.size(), .sha256 = sha256_hex(text)};
    return task;
  }
  Task fetch() {
    Task task = check_task("change fetch");
    task.download = {.from = source().string(), .to = (world.root / "to/here").string()};
    return task;
  }
  fs::path source() const { return world.root / "source"; }
  fs::path dest() const { return world.root / "dest"; }
  World world;
};
INSTANTIATE_TEST_SUITE_P(Remote, Transfers, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(Transfers, AFileIsSentIfCheckWantsIt) {
  world.up();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{70000}, std::size_t{3000000}}) {
    const std::string text = bytes(size);
    fs::remove(dest());
    const TaskId id = world.start(copy(text));
    const TaskResult first = world.wait_task(id);
    ASSERT_EQ(first.ended, Ended::finished) << first.error;
    ASSERT_TRUE(stage(first, Stage::verify)) << first.tail.display();
    EXPECT_EQ(stage(first, Stage::check)->verdict, Verdict::change);
    EXPECT_EQ(stage(first, Stage::verify)->verdict, Verdict::ok);
    EXPECT_TRUE(contents(dest()) == text);
    EXPECT_EQ(world.out[id], "checking\nchecking\n") << "once before it was sent, once to verify";
    const std::size_t before = world.transport->input_bytes();
    const TaskResult again = world.run(copy(text));
    EXPECT_EQ(stage(again, Stage::check)->verdict, Verdict::ok);
    EXPECT_LT(world.transport->input_bytes() - before, 4000U) << "sent though it was there";
  }
  EXPECT_EQ(contents(dest().string() + ".applied"), "applied\napplied\napplied\napplied\n");
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_FALSE(fs::exists(world.home / ".local/state/cnplay/run-test-run"));
}

// What is told of is told to its end; and what takes long is told of.
TEST_P(Transfers, ProgressIsToldToTheEnd) {
  world.up();
  const std::string text(100000000, 'x');
  const TaskId id = world.start(copy(text));
  const TaskResult r = world.wait_task(id, seconds(60));
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  std::vector<std::uint64_t> done;
  for (const Event& event : world.seen) {
    const auto* progress = std::get_if<TaskProgress>(&event);
    if (progress == nullptr) continue;
    EXPECT_EQ(progress->task, id);
    EXPECT_EQ(progress->size, text.size());
    done.push_back(progress->done);
  }
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_TRUE(done.empty() || done.back() == text.size());
  EXPECT_TRUE(!done.empty() || r.took < seconds(2)) << r.took.count() << " ms without a word";
}

TEST_P(Transfers, WithoutACheckItIsAlwaysSent) {
  world.up();
  Task task = copy("some text");
  task.check.clear();
  task.verify = Verify::none;
  const TaskResult r = world.run(task);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_EQ(contents(dest()), "some text");
}

TEST_P(Transfers, ADryRunSendsNothing) {
  world.up();
  Task task = copy(bytes(500000));
  task.mode = Mode::check;
  EXPECT_EQ(world.run(check_task("ok", {}, Mode::check)).ended,
            Ended::finished);  // all of the prelude is there
  const std::size_t before = world.transport->input_bytes();
  const TaskResult r = world.run(task);
  EXPECT_EQ(stage(r, Stage::check)->verdict, Verdict::change);
  EXPECT_LT(world.transport->input_bytes() - before, 4000U);
  EXPECT_FALSE(fs::exists(dest()));
}

TEST_P(Transfers, AnotherFileThanWasAgreedOnIsRefusedAndTheShellLivesOrIsReplaced) {
  world.up();
  for (const std::string& now : {std::string("short"), bytes(200000) + "x", bytes(200000)}) {
    Task task = copy(bytes(100000) + "y");
    { std::ofstream(source()) << now; }
    const TaskResult r = world.run(task);
    EXPECT_EQ(r.ended, Ended::refused);
    EXPECT_FALSE(r.apply_possible);
    EXPECT_THAT(r.error, HasSubstr("was the file changed here since the run began?"));
    EXPECT_FALSE(fs::exists(dest()));
    EXPECT_EQ(world.run(apply_task("echo on")).ended, Ended::finished);
  }
  Task gone = copy("text");
  fs::remove(source());
  const TaskResult r = world.run(gone);
  EXPECT_EQ(r.ended, Ended::refused);
  EXPECT_THAT(r.error, HasSubstr("cannot read " + source().string() + " here: No such file"));
}

TEST_P(Transfers, AFullDiskIsSaidAndWhatIsStillOnItsWayIsNoCommand) {
  const fs::path state = world.root / "state";
  fs::create_directories(state);
  if (mount("none", state.c_str(), "tmpfs", 0, "size=256k") != 0) GTEST_SKIP() << "needs root";
  world.transport->environment["XDG_STATE_HOME"] = state.string();
  world.up();
  std::string commands;
  while (commands.size() < 3000000) commands += "touch '" + (world.root / "never").string() + "'\n";
  const TaskResult r = world.run(copy(commands));
  EXPECT_EQ(r.ended, Ended::refused);
  EXPECT_THAT(r.error, HasSubstr("the file cannot be written to"));
  EXPECT_THAT(r.error, HasSubstr("No space left on device"));
  EXPECT_EQ(world.run(copy("small")).ended, Ended::finished);
  EXPECT_EQ(contents(dest()), "small");
  world.hosts->close(seconds(5), Traces::remove);
  EXPECT_FALSE(fs::exists(world.root / "never"));
  umount2(state.c_str(), MNT_DETACH);
}

TEST_P(Transfers, AfterALostConnectionItGoesOnWhereItWas) {
  world.up();
  const std::string text = bytes(4000000);
  world.transport->faults.cut_input_after = world.transport->input_bytes() + 2500000;
  const TaskId id = world.start(copy(text));
  world.wait_for<HostReconnecting>();
  world.transport->faults.cut_input_after = ~std::size_t{0};
  const std::size_t before = world.transport->input_bytes();
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_TRUE(contents(dest()) == text);
  EXPECT_LT(world.transport->input_bytes() - before, 3000000U) << "all of it was sent again";
  EXPECT_EQ(contents(dest().string() + ".applied"), "applied\n");
  EXPECT_EQ(world.out[id], "checking\nchecking\n");
}

// Wherever the line breaks: before the file, in it, after it, in apply, in verify.
TEST_P(Transfers, CutAnywhereItIsAppliedOnce) {
  world.up();
  const std::size_t begin = world.transport->input_bytes();
  EXPECT_EQ(world.run(copy(bytes(20000))).ended, Ended::finished);
  const std::size_t whole = world.transport->input_bytes() - begin;
  int cuts = 0;
  int rounds = 0;
  for (std::size_t at = 100; at < whole; at += 1711) {
    // Another file each time: a shell that was cut off may end late what it had been sent.
    const std::string text = bytes(20000) + std::to_string(at);
    ++rounds;
    fs::remove(dest());
    fs::remove(dest().string() + ".applied");
    world.transport->faults.cut_input_after = world.transport->input_bytes() + at;
    const TaskId id = world.start(copy(text));
    bool cut = false;
    bool over = false;
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    while (!cut && !over && std::chrono::steady_clock::now() < end) {
      world.pump(std::chrono::milliseconds(20));
      for (const Event& event : world.seen) {
        cut = cut || std::holds_alternative<HostReconnecting>(event);
        over = over || std::holds_alternative<TaskEnded>(event);
      }
    }
    world.transport->faults.cut_input_after = ~std::size_t{0};
    const TaskResult r = world.wait_task(id);
    world.seen.clear();
    cuts += cut ? 1 : 0;
    EXPECT_EQ(r.ended, Ended::finished) << r.error << " cut after " << at;
    EXPECT_TRUE(contents(dest()) == text) << at;
    EXPECT_EQ(contents(dest().string() + ".applied"), "applied\n") << at;
  }
  EXPECT_GE(cuts, rounds - 2) << "of " << rounds;  // the last may come after all that is sent
}

TEST_P(Transfers, CancelledOnTheWayNothingIsApplied) {
  world.up();
  Task task = copy(bytes(1000));
  task.upload->size = 400000000;
  std::ofstream(source()) << bytes(1000);
  fs::resize_file(source(), 400000000);
  const TaskId id = world.start(task);
  ASSERT_TRUE(eventually([&] { return world.transport->input_bytes() > 2000000; }));
  world.hosts->cancel(id);
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::cancelled) << r.error;
  EXPECT_FALSE(r.apply_possible);
  EXPECT_FALSE(fs::exists(dest()));
  EXPECT_EQ(world.run(apply_task("echo on")).ended, Ended::finished);
}

TEST_P(Transfers, AFileIsFetchedWhole) {
  world.up();
  EXPECT_EQ(world.run(apply_task("echo a shell that keeps what it prints")).ended, Ended::finished);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{3000000}}) {
    const std::string text = bytes(size);
    { std::ofstream(source()) << text; }
    const TaskResult r = world.run(fetch());
    ASSERT_EQ(r.ended, Ended::finished) << r.error;
    ASSERT_TRUE(stage(r, Stage::apply));
    EXPECT_EQ(r.output_bytes, 0U) << "a file is no output";
    EXPECT_TRUE(contents(world.root / "to/here") == text);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(world.root / "to"), fs::directory_iterator()), 1);
}

// What the login shell starts with redirects stderr: all comes over stdout.
TEST_P(Transfers, FilesGoBothWaysWithoutStderr) {
  world.transport->faults.forced_command = "exec 2>/dev/null; exec sh";
  world.up();
  const std::string text = bytes(300000);
  const TaskResult there = world.run(copy(text));
  EXPECT_EQ(there.ended, Ended::finished) << there.error;
  EXPECT_TRUE(contents(dest()) == text);
  { std::ofstream(source()) << text; }
  const TaskResult here = world.run(fetch());
  EXPECT_EQ(here.ended, Ended::finished) << here.error;
  EXPECT_TRUE(contents(world.root / "to/here") == text);
}

TEST_P(Transfers, AFetchGoesOnAfterALostConnection) {
  world.up();
  const std::string text = bytes(6000000);
  { std::ofstream(source()) << text; }
  const TaskId id = world.start(fetch());
  const fs::path to = world.root / "to";
  ASSERT_TRUE(eventually([&] {
    if (!fs::exists(to)) return false;
    for (const auto& entry : fs::directory_iterator(to)) return entry.file_size() > 500000;
    return false;
  }));
  world.transport->cut();
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_TRUE(contents(to / "here") == text);
}

TEST_P(Transfers, AFetchedFileThatGrowsIsWhatItWasWhenItWasLookedAt) {
  world.up();
  const std::string text = bytes(6000000);
  { std::ofstream(source()) << text; }
  std::atomic<bool> over = false;
  std::thread writer([&] {
    while (!over) std::ofstream(source(), std::ios::app) << "one more line\n" << std::flush;
  });
  const TaskResult r = world.run(fetch());
  over = true;
  writer.join();
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  const std::string here = contents(world.root / "to/here");
  EXPECT_GE(here.size(), text.size());
  EXPECT_TRUE(contents(source()).starts_with(here));
}

TEST_P(Transfers, AFileThatGrowsWhileTheConnectionIsLostIsFetchedAsItWas) {
  world.up();
  const std::string text = bytes(6000000);
  { std::ofstream(source()) << text; }
  const TaskId id = world.start(fetch());
  const fs::path to = world.root / "to";
  ASSERT_TRUE(eventually([&] {
    if (!fs::exists(to)) return false;
    for (const auto& entry : fs::directory_iterator(to)) return entry.file_size() > 500000;
    return false;
  }));
  { std::ofstream(source(), std::ios::app) << "one more line\n"; }
  world.transport->cut();
  const TaskResult r = world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_TRUE(contents(to / "here") == text);
}

TEST_P(Transfers, WhatCannotBeFetchedIsSaid) {
  world.up();
  const TaskResult missing = world.run(fetch());
  EXPECT_EQ(missing.ended, Ended::refused);
  EXPECT_THAT(missing.error, HasSubstr("source cannot be read"));
  { std::ofstream(source()) << "text"; }
  { std::ofstream(world.root / "to.file") << "no directory"; }
  Task task = fetch();
  task.download->to = (world.root / "to.file/here").string();
  const TaskResult nowhere = world.run(task);
  EXPECT_EQ(nowhere.ended, Ended::refused);
  EXPECT_THAT(nowhere.error, HasSubstr("cannot make the directory"));
  EXPECT_EQ(world.run(apply_task("echo on")).ended, Ended::finished);
}

}  // namespace
}  // namespace cnplay::remote::testing
