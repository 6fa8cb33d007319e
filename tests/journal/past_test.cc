#include "journal/past.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace cnplay::journal {
namespace {

using std::chrono::seconds;

class PastRuns : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "cnplay-past-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = name;
    plan.play = "update";
    plan.inventory = "prod";
    for (const char* path : {"update/code", "update/packages"}) {
      plan::Node node;
      node.id = static_cast<plan::NodeId>(plan.nodes.size());
      node.path = path;
      plan.nodes.push_back(node);
    }
  }
  void TearDown() override { std::filesystem::remove_all(root); }

  void file(const std::string& id, const std::string& text) {
    std::filesystem::create_directories(root + "/" + id);
    std::ofstream(root + "/" + id + "/run.json") << text;
  }
  // A run of day `day` of November.
  void run(int day, const std::string& inventory, const std::string& steps,
           const std::string& mode = "apply", const std::string& play = "update") {
    const std::string two = (day < 10 ? "0" : "") + std::to_string(day);
    file("202611" + two + "-120000-" + play + "-0001",
         R"({"version":1,"play":")" + play + R"(","inventory":")" + inventory + R"(","mode":")" +
             mode + R"(","verdict":"success","started":"2026-11-)" + two +
             R"(T12:00:00.000Z","ended":"2026-11-)" + two + R"(T12:10:00.000Z","steps":[)" + steps +
             "]}");
  }
  static std::string step(const char* path, const char* outcome, int ms) {
    return std::string(R"({"step":")") + path + R"(","outcome":")" + outcome + R"(","took_ms":)" +
           std::to_string(ms) + "}";
  }
  plan::Past read(const char* before = "2026-12-01T00:00:00Z") const {
    return past_runs(disk, root, plan, *parse_rfc3339(before));
  }

  SystemDisk disk;
  std::string root;
  plan::Plan plan;
};

TEST_F(PastRuns, MedianAndWorstOfWhatChanged) {
  run(1, "prod", step("update/code", "changed", 9000));
  run(2, "prod", step("update/code", "changed", 4000));
  run(3, "prod", step("update/code", "ok", 10) + "," + step("update/gone", "ok", 7));
  run(4, "prod", step("update/code", "changed", 5000) + "," + step("update/packages", "ok", 70));
  run(5, "prod", step("update/code", "failed", 90'000));
  run(6, "prod", step("update/code", "changed", 90'000), "check");
  run(7, "prod", step("update/code", "changed", 90'000), "apply", "other");
  run(8, "staging", step("update/code", "changed", 90'000));
  const plan::Past past = read();
  EXPECT_EQ(past.inventory, "prod");
  EXPECT_EQ(past.runs, 4U);
  ASSERT_EQ(past.steps.size(), 2U);
  EXPECT_EQ(past.steps[0].runs, 3U);
  EXPECT_EQ(past.steps[0].median, Duration{5000});
  EXPECT_EQ(past.steps[0].worst, Duration{9000});
  EXPECT_EQ(past.steps[1].median, Duration{70});
}

TEST_F(PastRuns, AnotherInventorysRunsDoNotCount) {
  run(1, "staging", step("update/code", "changed", 1000));
  run(2, "prod", step("update/gone", "changed", 2000));
  const plan::Past past = read();
  EXPECT_EQ(past.inventory, "prod");
  EXPECT_EQ(past.runs, 0U);
  EXPECT_TRUE(past.steps.empty());
}

TEST_F(PastRuns, TheNewestTwentyAndNothingThatIsLater) {
  for (int day = 1; day <= 28; ++day) {
    run(day, "prod", step("update/code", "changed", day * 1000));
  }
  const plan::Past past = read();
  EXPECT_EQ(past.runs, 20U);
  EXPECT_EQ(past.steps.at(0).worst, Duration{28'000});
  EXPECT_EQ(past.steps.at(0).median, Duration{18'500});
  EXPECT_EQ(read("2026-11-02T00:00:00Z").steps.at(0).worst, Duration{1000});
}

TEST_F(PastRuns, WhatIsDamagedIsLeftOut) {
  run(1, "prod", step("update/code", "changed", 1000));
  file("20261102-120000-update-0001", "{\"version\":1,");
  file("20261103-120000-update-0001", R"({"version":2,"play":"update"})");
  file("20261104-120000-update-0001", "[]");
  run(5, "prod", R"({"step":7,"outcome":"ok","took_ms":1},9)");
  run(6, "prod", step("update/code", "changed", -5));
  std::filesystem::create_directories(root + "/20261107-120000-update-0001");
  const plan::Past past = read();
  EXPECT_EQ(past.runs, 1U);
  EXPECT_EQ(past.steps.at(0).median, Duration{1000});
}

}  // namespace
}  // namespace cnplay::journal
