#include "journal/run_directory.h"
#include "events/last.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <boost/crc.hpp>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

namespace cnplay::journal {
namespace {

// Files in memory; the n-th write from now fails, after having written half of its bytes.
class MemoryDisk final : public Disk {
 public:
  Status make_directory(const std::string&) override { return step(); }
  Result<std::unique_ptr<AppendFile>> create(const std::string& path) override {
    if (auto s = step(); !s) return s.error();
    files[path] = "";
    return std::unique_ptr<AppendFile>(std::make_unique<File>(*this, path));
  }
  Result<std::unique_ptr<AppendFile>> append(const std::string& path) override {
    if (auto s = step(); !s) return s.error();
    return std::unique_ptr<AppendFile>(std::make_unique<File>(*this, path));
  }
  Status sync_directory(const std::string&) override { return step(); }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, std::string_view owner) override {
    if (auto s = step(); !s) return s.error();
    if (locked.contains(path)) return std::unique_ptr<FileLock>();
    files[path] = owner;
    locked.insert(path);
    return std::unique_ptr<FileLock>(std::make_unique<Lock>(*this, path));
  }
  Status replace(const std::string& path, std::string_view bytes) override {
    if (auto s = step(); !s) return s;
    files[path] = bytes;
    return {};
  }
  Result<std::string> read(const std::string& path, std::size_t) const override {
    const auto it = files.find(path);
    if (it == files.end()) return fail(path + ": no such file");
    return it->second;
  }
  std::vector<std::string> list(const std::string& path) const override {
    std::vector<std::string> names;
    for (const auto& [name, text] : files) {
      if (!name.starts_with(path + "/")) continue;
      std::string entry = name.substr(path.size() + 1);
      entry = entry.substr(0, entry.find('/'));
      if (names.empty() || names.back() != entry) names.push_back(entry);
    }
    return names;
  }

  Status step() {
    if (fail_at >= 0 && fail_at-- == 0) return fail("disk: no space left", "free some space");
    return {};
  }

  std::map<std::string, std::string> files;
  std::set<std::string> locked;
  std::map<std::string, std::size_t> synced;  // bytes of a file that would survive
  std::size_t syncs = 0;
  int fail_at = -1;

 private:
  class File final : public AppendFile {
   public:
    File(MemoryDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
    Status append(std::string_view bytes) override {
      auto s = disk_.step();
      disk_.files[path_] += s ? bytes : bytes.substr(0, bytes.size() / 2);
      return s;
    }

    Status sync() override {
      ++disk_.syncs;
      if (auto s = disk_.step(); !s) return s;
      disk_.synced[path_] = disk_.files[path_].size();
      return {};
    }

   private:
    MemoryDisk& disk_;
    std::string path_;
  };
  class Lock final : public FileLock {
   public:
    Lock(MemoryDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
    ~Lock() override { disk_.locked.erase(path_); }

   private:
    MemoryDisk& disk_;
    std::string path_;
  };
};

plan::Plan small_plan() {
  plan::Plan plan;
  plan.play = "update";
  plan.inventory = "staging";
  plan.program_hash = "abc";
  plan.hosts.resize(2);
  plan.hosts[0].name = "web1";
  plan.hosts[1].name = "web2";
  plan::Node node;
  node.path = "update/code";
  node.title = "code";
  node.hosts = {0, 1};
  plan.nodes.push_back(node);
  plan.sections.resize(1);
  plan.sections[0].nodes = {0};
  return plan;
}

std::vector<events::Event> story() {
  const Instant at = *parse_rfc3339("2026-11-20T21:30:05Z");
  std::vector<events::Event> all;
  const auto add = [&](auto what) {
    all.push_back({all.size() + 1, at + Duration{1000 * static_cast<long>(all.size())}, what});
  };
  events::RunStarted started;
  started.run = "r1";
  started.play = "update";
  started.inventory = "staging";
  started.program_hash = "abc";
  started.now = at;
  started.hosts = {"web1", "web2"};
  add(started);
  add(events::StepStarted{0, 1, events::Part::forward, 1});
  add(events::Output{7, 1, events::Stage::apply, events::Stream::out, Untrusted("a\0b\xff\n")});
  events::RunEnded ended;
  ended.verdict = events::Verdict::success;
  ended.hosts.push_back({.host = 1, .changed = 1});
  add(ended);
  return all;
}

void tell(events::Sink& sink, const std::vector<events::Event>& events) {
  for (const auto& e : events) sink.on(e);
}

TEST(RunDirectory, WhatIsWrittenIsReadBack) {
  MemoryDisk disk;
  const plan::Plan plan = small_plan();
  auto directory = RunDirectory::create(disk, "/runs", "r1", plan, "ann@desk");
  ASSERT_TRUE(directory);
  tell(**directory, story());
  EXPECT_TRUE((*directory)->healthy());

  const auto record = read_run(disk, "/runs/r1");
  ASSERT_TRUE(record) << record.error().what;
  EXPECT_FALSE(record->torn);
  ASSERT_EQ(record->events.size(), 4U);
  const auto* output = std::get_if<events::Output>(&record->events[2].what);
  ASSERT_NE(output, nullptr);
  EXPECT_EQ(output->bytes, std::get<events::Output>(story()[2].what).bytes);

  const auto runs = finished_runs(disk, "/runs");
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].verdict, "success");
  EXPECT_EQ(runs[0].play, "update");
}

TEST(RunDirectory, WhoWasNotToldStandsBehindTheEnd) {
  MemoryDisk disk;
  const plan::Plan plan = small_plan();
  auto directory = RunDirectory::create(disk, "/runs", "r1", plan, "ann@desk");
  ASSERT_TRUE(directory);
  auto all = story();
  const std::size_t end = all.size();
  all.push_back(
      {end + 1, all.back().at, events::NotificationFailed{"the webhook", "i:3", "no", ""}});
  tell(**directory, all);
  EXPECT_TRUE((*directory)->commit());
  const auto record = read_run(disk, "/runs/r1");
  ASSERT_TRUE(record) << record.error().what;
  ASSERT_EQ(record->events.size(), end + 1);
  EXPECT_EQ(events::last_of(record->events), &record->events[end - 1]);
  EXPECT_EQ(events::last_of({}), nullptr);
  const auto* told = std::get_if<events::NotificationFailed>(&record->events.back().what);
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->way + " " + told->where + " " + told->message, "the webhook i:3 no");
  EXPECT_EQ(finished_runs(disk, "/runs").size(), 1U);
}

TEST(RunDirectory, EachWriteThatFailsLeavesATruePrefix) {
  const plan::Plan plan = small_plan();
  std::size_t failures = 0;
  for (int n = 0; n < 30; ++n) {
    MemoryDisk disk;
    disk.fail_at = n;
    auto directory = RunDirectory::create(disk, "/runs", "r1", plan, "ann@desk");
    if (!directory) {
      ++failures;
      continue;
    }
    tell(**directory, story());
    if ((*directory)->healthy()) continue;
    ++failures;
    EXPECT_NE((*directory)->healthy().error().what.find("record"), std::string::npos);
    EXPECT_FALSE((*directory)->healthy().error().help.empty());
    disk.fail_at = -1;
    const auto record = read_run(disk, "/runs/r1");
    ASSERT_TRUE(record) << record.error().what;
    for (std::size_t i = 0; i < record->events.size(); ++i) {
      EXPECT_EQ(record->events[i].seq, i + 1);
    }
    EXPECT_TRUE(finished_runs(disk, "/runs").empty());
  }
  // Directory, lock, plan (made, written, synced), file, two directories' names, four events, their
  // sync, the summary.
  EXPECT_EQ(failures, 14U);
}

TEST(RunDirectory, ATornLastLineIsSaidAndABrokenOneIsRefused) {
  MemoryDisk disk;
  const plan::Plan plan = small_plan();
  auto directory = RunDirectory::create(disk, "/runs", "r1", plan, "ann@desk");
  tell(**directory, story());
  std::string& text = disk.files["/runs/r1/events.jsonl"];
  const std::string whole = text;
  text.resize(text.size() - 5);
  // run.json is written after the end is on disk: a crash cannot leave it without the end.
  EXPECT_FALSE(read_run(disk, "/runs/r1"));
  disk.files.erase("/runs/r1/run.json");
  auto record = read_run(disk, "/runs/r1");
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->torn);
  EXPECT_EQ(record->events.size(), 3U);

  text = whole;
  text[text.find('\n') + 3] = '#';
  record = read_run(disk, "/runs/r1");
  ASSERT_FALSE(record);
  EXPECT_NE(record.error().what.find("events.jsonl:2"), std::string::npos) << record.error().what;
}

TEST(RunDirectory, CommitSyncsOnceForManyEventsAndNotForNone) {
  MemoryDisk disk;
  const plan::Plan plan = small_plan();
  auto directory = RunDirectory::create(disk, "/runs", "r1", plan, "ann@desk");
  const auto events = story();
  const auto opening = disk.syncs;  // the plan's
  for (int i = 0; i < 3; ++i) (*directory)->on(events[static_cast<std::size_t>(i)]);
  EXPECT_EQ(disk.syncs, opening);
  EXPECT_TRUE((*directory)->commit());
  EXPECT_TRUE((*directory)->commit());
  EXPECT_EQ(disk.syncs, opening + 1);
  EXPECT_EQ(disk.synced["/runs/r1/events.jsonl"], disk.files["/runs/r1/events.jsonl"].size());
  (*directory)->on(events[2]);
  disk.fail_at = 0;
  EXPECT_FALSE((*directory)->commit());
  EXPECT_FALSE((*directory)->healthy()) << "what is not durable is not told";
}

TEST(RunDirectory, AnAnswerIsAppendedBehindATornLine) {
  MemoryDisk disk;
  plan::Plan plan = small_plan();
  const auto events = story();
  {
    auto directory = RunDirectory::create(disk, "/runs", "r1", plan, "ann@desk");
    for (int i = 0; i < 3; ++i) (*directory)->on(events[static_cast<std::size_t>(i)]);
  }
  std::string& text = disk.files["/runs/r1/events.jsonl"];
  text.resize(text.size() - 5);
  auto directory = RunDirectory::reopen(disk, "/runs/r1", "bob@lap");
  ASSERT_TRUE(directory);
  auto record = read_run(disk, "/runs/r1");
  ASSERT_TRUE(record);
  (*directory)->go_on(plan, std::get<events::RunStarted>(record->events[0].what), {});
  events::HumanAnswered answer;
  answer.user = "bob";
  answer.yes = true;
  (*directory)->on({3, {}, answer});
  EXPECT_TRUE((*directory)->commit());
  record = read_run(disk, "/runs/r1");
  ASSERT_TRUE(record) << record.error().what;
  EXPECT_FALSE(record->torn);
  EXPECT_EQ(record->events.size(), 3U);
}

TEST(RunDirectory, ARunThatWasCutOffIsTakenUpBehindItsTornLine) {
  MemoryDisk disk;
  const plan::Plan plan = small_plan();
  const auto events = story();
  {
    auto directory = RunDirectory::create(disk, "/runs", "r1", plan, "ann@desk");
    for (int i = 0; i < 3; ++i) (*directory)->on(events[static_cast<std::size_t>(i)]);
    const auto second = RunDirectory::reopen(disk, "/runs/r1", "bob@lap");
    ASSERT_FALSE(second) << "two controllers";
    EXPECT_NE(second.error().what.find("ann@desk"), std::string::npos) << second.error().what;
  }
  std::string& text = disk.files["/runs/r1/events.jsonl"];
  text.resize(text.size() - 5);
  const std::string before = text;
  EXPECT_EQ(unfinished_runs(disk, "/runs"), std::vector<std::string>{"r1"});

  auto directory = RunDirectory::reopen(disk, "/runs/r1", "bob@lap");
  ASSERT_TRUE(directory) << directory.error().what;
  auto record = read_run(disk, "/runs/r1");
  ASSERT_TRUE(record) << record.error().what;
  ASSERT_EQ(record->events.size(), 2U);
  EXPECT_TRUE(record->torn);
  const auto* started = std::get_if<events::RunStarted>(&record->events[0].what);
  (*directory)->go_on(plan, *started, record->events[0].at);
  (*directory)->on({3, {}, events::RunResumed{"bob", "lap"}});
  (*directory)->on(events[3]);
  EXPECT_TRUE((*directory)->healthy());
  EXPECT_TRUE(text.starts_with(before)) << "what was written was changed";

  record = read_run(disk, "/runs/r1");
  ASSERT_TRUE(record) << record.error().what;
  EXPECT_FALSE(record->torn);
  EXPECT_EQ(record->events.size(), 4U);
  EXPECT_TRUE(unfinished_runs(disk, "/runs").empty());
  ASSERT_EQ(finished_runs(disk, "/runs").size(), 1U);
}

TEST(RunDirectory, EachFlippedBitIsFound) {
  MemoryDisk disk;
  const plan::Plan plan = small_plan();
  tell(**RunDirectory::create(disk, "/runs", "r1", plan, "ann@desk"), story());
  std::string& text = disk.files["/runs/r1/events.jsonl"];
  const std::size_t second = text.find('\n') + 1;
  const std::size_t end = text.find('\n', second);
  for (std::size_t i = second; i < end; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      const char was = text[i];
      text[i] = static_cast<char>(was ^ (1 << bit));
      const auto record = read_run(disk, "/runs/r1");
      ASSERT_FALSE(record) << i << " " << bit;
      EXPECT_NE(record.error().what.find("events.jsonl:2"), std::string::npos);
      text[i] = was;
    }
  }
}

using Lines = std::vector<std::string>;

class RecordLines : public ::testing::TestWithParam<bool> {
 protected:
  // The lines of an interrupted run of five events; with the parameter, in the former format.
  RecordLines() {
    auto events = story();
    events.back().what = events::Notice{"one"};
    events.push_back({5, events.back().at, events::Notice{"two"}});
    tell(**RunDirectory::create(disk, "/runs", "r1", plan, "ann@desk"), events);
    std::istringstream text(disk.files[kPath]);
    for (std::string line; std::getline(text, line);) {
      lines.push_back(GetParam() ? former(line) : line);
    }
  }
  static std::string former(const std::string& line) {
    const std::string body = line.substr(0, line.find(",\"chain\":"));
    boost::crc_32_type crc;
    crc.process_bytes(body.data(), body.size());
    std::array<char, 9> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", crc.checksum());
    return body + ",\"crc\":\"" + digits.data() + "\"}";
  }
  // "" if these lines are a record; else what is wrong with them.
  std::string problem(const Lines& of) {
    std::string& text = disk.files[kPath];
    text.clear();
    for (const std::string& line : of) text += line + "\n";
    const auto record = read_run(disk, "/runs/r1");
    if (record) events = record->events.size();
    return record ? "" : record.error().what;
  }

  static constexpr const char* kPath = "/runs/r1/events.jsonl";
  MemoryDisk disk;
  const plan::Plan plan = small_plan();
  Lines lines;
  std::size_t events = 0;
};
INSTANTIATE_TEST_SUITE_P(Formats, RecordLines, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "former" : "chained"; });

std::string place(std::size_t index) {
  return "events.jsonl:" + std::to_string(index + 1) + ": event ";
}

TEST_P(RecordLines, AMissingLineBeforeTheLastIsFound) {
  ASSERT_EQ(lines.size(), 5u);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    Lines some = lines;
    some.erase(some.begin() + static_cast<std::ptrdiff_t>(i));
    const std::string what = problem(some);
    EXPECT_NE(what.find(place(i) + std::to_string(i + 2)), std::string::npos) << i << ": " << what;
    EXPECT_NE(what.find("lines are missing"), std::string::npos) << i << ": " << what;
  }
}

TEST_P(RecordLines, ARepeatedLineIsFound) {
  for (std::size_t from = 0; from < lines.size(); ++from) {
    for (std::size_t to = from + 1; to <= lines.size(); ++to) {
      Lines more = lines;
      more.insert(more.begin() + static_cast<std::ptrdiff_t>(to), lines[from]);
      const std::string what = problem(more);
      EXPECT_NE(what.find(place(to)), std::string::npos) << from << " " << to << ": " << what;
      EXPECT_NE(what.find("a line is repeated"), std::string::npos) << what;
    }
  }
}

TEST_P(RecordLines, LinesInAnotherOrderAreFound) {
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    Lines other = lines;
    std::swap(other[i], other[i + 1]);
    EXPECT_NE(problem(other).find(place(i)), std::string::npos) << i;
  }
}

TEST_P(RecordLines, AMissingTailIsAnInterruptedRun) {
  for (std::size_t count = 0; count <= lines.size(); ++count) {
    EXPECT_EQ(problem(Lines(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(count))),
              "");
    EXPECT_EQ(events, count);
  }
}

// Of two runs that tell the same number of events, one line for another.
TEST_P(RecordLines, ALineOfAnotherRecordIsFound) {
  if (GetParam()) GTEST_SKIP() << "the former format covers each line alone";
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    Lines other = lines;
    std::string body = other[i].substr(0, other[i].find(",\"chain\":"));
    other[i] = Chain().seal(body.replace(body.find("2026"), 4, "2025") + "}");
    EXPECT_NE(problem(other), "") << i;
  }
}

TEST_P(RecordLines, AResumedRunContinuesItsLines) {
  ASSERT_EQ(problem(lines), "");
  {
    auto again = RunDirectory::reopen(disk, "/runs/r1", "bob@lap");
    ASSERT_TRUE(again);
    (*again)->go_on(plan, std::get<events::RunStarted>(story()[0].what), {});
    (*again)->on({6, {}, events::RunResumed{"bob", "lap", {}, {}}});
    (*again)->on({7, {}, events::Notice{"three"}});
  }
  Lines all;
  std::istringstream text(disk.files[kPath]);
  for (std::string line; std::getline(text, line);) all.push_back(line);
  ASSERT_EQ(all.size(), 7u);
  EXPECT_EQ(problem(all), "");
  EXPECT_EQ(events, 7u);
  // Once the lines are chained, none of the former format may follow.
  all[6] = former(all[6]);
  EXPECT_EQ(problem(all), "");
  EXPECT_EQ(events, 6u) << "the last line is not whole";
  all.push_back(all[6]);
  EXPECT_NE(problem(all), "");
  all.erase(all.begin() + 4);
  EXPECT_NE(problem(all).find(place(4)), std::string::npos);
}

TEST(RunDirectory, ASummaryWithoutTheEndIsADamagedRecord) {
  MemoryDisk disk;
  const plan::Plan plan = small_plan();
  tell(**RunDirectory::create(disk, "/runs", "r1", plan, "ann@desk"), story());
  std::string& text = disk.files["/runs/r1/events.jsonl"];
  text.resize(text.rfind('\n', text.size() - 2) + 1);
  const auto record = read_run(disk, "/runs/r1");
  ASSERT_FALSE(record);
  EXPECT_NE(record.error().what.find("events.jsonl:3: the end is missing"), std::string::npos)
      << record.error().what;
}

TEST(Rehearsal, OnlyASuccessfulRealRunOfTheSameProgramCounts) {
  const Instant now = *parse_rfc3339("2026-11-20T12:00:00Z");
  const auto run = [&](const char* id, const char* hash, const char* verdict, const char* mode,
                       int hours_ago) {
    return Summary{id,   "update", "staging",
                   hash, verdict,  mode,
                   "",   false,    now - std::chrono::hours{hours_ago},
                   now};
  };
  const auto find = [&](std::vector<Summary> runs) {
    return find_rehearsal(runs, "update", "staging", "abc", std::chrono::hours{24}, now);
  };
  EXPECT_EQ(find({run("a", "abc", "success", "apply", 2)}).valid->id, "a");
  EXPECT_FALSE(find({run("a", "abc", "failed", "apply", 2)}).valid);
  EXPECT_FALSE(find({run("a", "abc", "success", "check", 2)}).valid);
  EXPECT_FALSE(find({run("a", "abc", "success", "apply", 25)}).valid);
  EXPECT_EQ(find({run("a", "old", "success", "apply", 2)}).nearest->id, "a");
  Summary back = run("a", "abc", "success", "apply", 2);
  back.rollback = "dns";
  back.rollback_of = "z";
  EXPECT_FALSE(find({back}).valid);
  Summary part = run("a", "abc", "success", "apply", 2);
  part.partial = true;
  EXPECT_FALSE(find({part}).valid);
  EXPECT_TRUE(find({part}).nearest->partial);
  EXPECT_EQ(find({run("a", "abc", "success", "apply", 9), run("b", "abc", "success", "apply", 3)})
                .valid->id,
            "b");
}

TEST(RunId, SortsByTime) {
  const Instant at = *parse_rfc3339("2026-11-20T21:30:05Z");
  EXPECT_EQ(new_run_id(at, "update_code", 0x4f2a), "20261120-213005-update_code-4f2a");
  EXPECT_LT(new_run_id(at, "z", 9), new_run_id(at + Duration{1000}, "a", 1));
}

TEST(SystemDisk, WritesReadsAndRefuses) {
  SystemDisk disk;
  const std::string root =
      (std::filesystem::temp_directory_path() / ("cnplay-disk-" + std::to_string(::getpid())))
          .string();
  ASSERT_TRUE(disk.make_directory(root + "/a/b"));
  auto file = disk.create(root + "/a/b/f");
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->append("one\n"));
  ASSERT_TRUE((*file)->append("two\n"));
  EXPECT_EQ(*disk.read(root + "/a/b/f", 100), "one\ntwo\n");
  EXPECT_FALSE(disk.read(root + "/a/b/f", 3));
  EXPECT_FALSE(disk.create(root + "/a/b/f"));
  ASSERT_TRUE(disk.replace(root + "/a/b/g", "whole"));
  EXPECT_EQ(disk.list(root + "/a/b"), (std::vector<std::string>{"f", "g"}));
  EXPECT_NE(disk.create(root + "/none/f").error().what.find("/none/f"), std::string::npos);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace cnplay::journal
