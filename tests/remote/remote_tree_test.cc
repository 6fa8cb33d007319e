// A tree to a host: only what its check asks for, once, going on where a broken connection has left
// it; and a host that asks for something else gets nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/digest.h"
#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Asks for the files whose content is another one, or that are not there.
constexpr const char* kCheck = R"SH(
mkdir -p "$dest"
cd "$dest"
n=0
wish=
while IFS=' ' read -r kind mode size sum path; do
  n=$((n + 1))
  [ "$kind" = f ] || continue
  x=
  [ ! -e "$path" ] || x=$(sha256sum <"$path")
  [ "${x%% *}" = "$sum" ] || wish=$wish$n$nl
done <<EOF
$src_manifest
EOF
[ -n "$wish" ] || ok
change "$wish"
put "$wish" | wanted
)SH";
constexpr const char* kApply = R"SH(tar -xmof "$src_file" -C "$dest"
echo applied >>"$dest.applied")SH";

class Trees : public ::testing::TestWithParam<std::string> {
 protected:
  Trees() : world(GetParam()) { fs::create_directories(source()); }
  void file(const std::string& path, const std::string& text) {
    fs::create_directories((source() / path).parent_path());
    std::ofstream(source() / path) << text;
  }
  Task sync() {
    std::vector<std::string> paths;
    for (const auto& entry : fs::recursive_directory_iterator(source())) {
      paths.push_back(entry.path().lexically_relative(source()).string());
    }
    std::sort(paths.begin(), paths.end());
    std::string manifest;
    for (const std::string& path : paths) {
      const fs::path at = source() / path;
      if (fs::is_directory(at)) {
        manifest += "d 755 0 - " + path + "\n";
        continue;
      }
      const std::string text = contents(at);
      manifest +=
          "f 644 " + std::to_string(text.size()) + " " + sha256_hex(text) + " " + path + "\n";
    }
    Task task = check_task(kCheck, kApply);
    task.variables = {{.name = "dest", .value = dest().string()},
                      {.name = "src_manifest", .value = manifest}};
    task.upload = {.name = "src",
                   .path = source().string(),
                   .sha256 = sha256_hex(manifest),
                   .manifest = manifest};
    return task;
  }
  fs::path source() const { return world.root / "source"; }
  fs::path dest() const { return world.root / "dest"; }
  World world;
};
INSTANTIATE_TEST_SUITE_P(Remote, Trees, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(Trees, OnlyWhatIsWantedIsSent) {
  world.up();
  for (int i = 0; i < 40; ++i) {
    file("d" + std::to_string(i % 4) + "/f" + std::to_string(i), std::string(5000, 'a' + i % 26));
  }
  const TaskResult first = world.run(sync());
  ASSERT_EQ(first.ended, Ended::finished) << first.error;
  ASSERT_TRUE(stage(first, Stage::verify)) << first.tail.display();
  EXPECT_EQ(stage(first, Stage::verify)->verdict, Verdict::ok) << first.tail.display();
  EXPECT_EQ(contents(dest() / "d3/f39"), std::string(5000, 'a' + 39 % 26));

  std::size_t before = world.transport->input_bytes();
  EXPECT_EQ(stage(world.run(sync()), Stage::check)->verdict, Verdict::ok);
  const std::size_t question = world.transport->input_bytes() - before;
  EXPECT_LT(question, 12000U);

  file("d1/f1", "now");
  file("new", "file");
  before = world.transport->input_bytes();
  const TaskResult some = world.run(sync());
  EXPECT_EQ(some.ended, Ended::finished) << some.error;
  EXPECT_EQ(stage(some, Stage::verify)->verdict, Verdict::ok);
  EXPECT_LT(world.transport->input_bytes() - before, 2 * question + 4000) << "more than two files";
  EXPECT_EQ(contents(dest() / "d1/f1"), "now");
  EXPECT_EQ(contents(dest() / "new"), "file");
  EXPECT_EQ(contents(dest().string() + ".applied"), "applied\napplied\n");
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_FALSE(fs::exists(world.home / ".local/state/cnplay/run-test-run"));
}

// What the look before the claim has noted, the one under it finds, and the one that verifies: of
// that task, and until the end of the run.
TEST_P(Trees, LooksLeaveNotesForEachOther) {
  world.up();
  file("a", "a");
  Task task = sync();
  task.check = R"SH(
x=-
if noting "$src_seen"; then
  x=$(wc -l <"$src_seen")
  echo look >>"$src_seen"
fi
echo "${x##* }" >>"$log"
[ ! -e "$dest.applied" ] || ok
change x
echo 1 | wanted)SH";
  task.apply = R"SH(mkdir -p "$dest"; : >"$dest.applied"; ls -l "${src_seen%/*}" >>"$log.list")SH";
  task.variables.push_back({.name = "log", .value = dest().string() + ".log"});
  const TaskResult r = world.run(task);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_EQ(contents(dest().string() + ".log"), "0\n1\n2\n");
  EXPECT_THAT(contents(dest().string() + ".log.list"), HasSubstr("-rw------- "));
  fs::remove(dest().string() + ".applied");
  EXPECT_EQ(world.run(task).ended, Ended::finished);
  EXPECT_EQ(contents(dest().string() + ".log"), "0\n1\n2\n0\n1\n2\n") << "another task's";
  EXPECT_TRUE(world.hosts->close(seconds(5), Traces::remove));
  EXPECT_FALSE(fs::exists(world.home / ".local/state/cnplay/run-test-run"));
}

TEST_P(Trees, ADryRunLeavesNoNotes) {
  world.up();
  file("a", "a");
  Task task = sync();
  task.mode = Mode::check;
  task.check = R"SH(noting "$src_seen" && fail "there is room for notes"; change x)SH";
  EXPECT_EQ(stage(world.run(task), Stage::check)->verdict, Verdict::change);
  EXPECT_FALSE(fs::exists(world.home / ".local/state/cnplay"));
}

TEST_P(Trees, ADryRunSendsNothing) {
  world.up();
  file("big", std::string(500000, 'x'));
  Task task = sync();
  task.mode = Mode::check;
  EXPECT_EQ(world.run(check_task("ok", {}, Mode::check)).ended,
            Ended::finished);  // all of the prelude is there
  const std::size_t before = world.transport->input_bytes();
  const TaskResult r = world.run(task);
  EXPECT_EQ(stage(r, Stage::check)->verdict, Verdict::change);
  EXPECT_LT(world.transport->input_bytes() - before, 6000U);
}

TEST_P(Trees, AfterALostConnectionItGoesOnWhereItWas) {
  world.up();
  for (int i = 0; i < 400; ++i) file("f" + std::to_string(i), std::string(10000, 'a' + i % 26));
  world.transport->faults.cut_input_after = world.transport->input_bytes() + 2500000;
  const TaskId id = world.start(sync());
  world.wait_for<HostReconnecting>();
  world.transport->faults.cut_input_after = ~std::size_t{0};
  const std::size_t before = world.transport->input_bytes();
  const TaskResult r = world.wait_task(id);
  ASSERT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_EQ(stage(r, Stage::verify)->verdict, Verdict::ok);
  EXPECT_LT(world.transport->input_bytes() - before, 3200000U) << "all of it was sent again";
  EXPECT_EQ(contents(dest().string() + ".applied"), "applied\n");
}

TEST_P(Trees, WhatIsNotInTheListIsNotGiven) {
  world.up();
  file("a", "a");
  file("d/b", "b");
  for (const char* wish : {"2\n", "4\n", "../../etc/passwd\n", "1-99999999999\n", "3\n1\n"}) {
    Task task = sync();
    task.check = "change x; printf '" + std::string(wish) + "' | wanted";
    const TaskResult r = world.run(task);
    EXPECT_EQ(r.ended, Ended::refused) << wish;
    EXPECT_FALSE(r.apply_possible);
    EXPECT_THAT(r.error, HasSubstr("asks for files that are not in"));
    EXPECT_FALSE(fs::exists(dest().string() + ".applied"));
  }
  // One that asks for nothing gets an archive with nothing in it.
  Task none = sync();
  none.check = "change x";
  none.verify = Verify::none;
  EXPECT_EQ(world.run(none).ended, Ended::finished);
  EXPECT_EQ(contents(dest().string() + ".applied"), "applied\n");
}

TEST_P(Trees, AFileThatIsGoneHereIsSaid) {
  world.up();
  file("a", "a");
  file("b", std::string(100000, 'b'));
  const Task task = sync();
  fs::remove(source() / "b");
  const TaskResult r = world.run(task);
  EXPECT_EQ(r.ended, Ended::refused);
  EXPECT_FALSE(r.apply_possible);
  EXPECT_THAT(r.error, HasSubstr("cannot read " + (source() / "b").string()));
  EXPECT_EQ(world.run(apply_task("echo on")).ended, Ended::finished);
}

}  // namespace
}  // namespace cnplay::remote::testing
