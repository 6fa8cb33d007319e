#include "cli/reviewed_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/digest.h"
#include "support/plan/update_code.h"

namespace cnplay::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

ReviewedPlan reviewed() {
  ReviewedPlan one;
  one.plan = testing::update_code().plan;
  one.plan.origin.file = "playbooks/update_code.play";
  one.plan.origin.inventory = "inventories/staging.inv";
  one.plan.origin.directory = "/home/kim/project";
  one.plan.program = {{"playbooks/update_code.play", std::string(64, 'a')},
                      {"built-in git.play", std::string(64, 'b')}};
  one.inventory_sha256 = std::string(64, 'i');
  one.made = "2026-11-20T21:30:05Z by kim on desk";
  return one;
}

std::string problem(const std::string& bytes) {
  const auto read = from_file("x.plan", bytes);
  EXPECT_FALSE(read);
  if (read) return "";
  EXPECT_FALSE(read.error().help.empty());
  return read.error().what;
}

// The file with another text in it, and a checksum that fits.
std::string with(const std::string& what, const std::string& instead) {
  std::string bytes = to_file(reviewed());
  std::string body = bytes.substr(bytes.find('\n') + 1);
  const auto at = body.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  body.replace(at, what.size(), instead);
  return "{\"cnplay_plan\":1,\"sha256\":\"" + sha256_hex(body) + "\"}\n" + body;
}

TEST(ReviewedPlan, IsReadBackAsItWasWritten) {
  const auto read = from_file("x.plan", to_file(reviewed()));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(plan::to_json(read->plan), plan::to_json(reviewed().plan));
  EXPECT_EQ(read->made, reviewed().made);
  EXPECT_THAT(changes_since_review(*read, reviewed().plan, reviewed().inventory_sha256), IsEmpty());
}

TEST(ReviewedPlan, EveryByteThatIsDamagedIsNoticed) {
  const std::string bytes = to_file(reviewed());
  for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 300) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_THAT(problem(damaged), HasSubstr("x.plan: ")) << at;
    EXPECT_THAT(problem(bytes.substr(0, at)), HasSubstr("x.plan: ")) << at;
  }
  EXPECT_THAT(problem(bytes + "x"), HasSubstr("damaged: its checksum does not match"));
}

TEST(ReviewedPlan, WhatIsNoPlanIsRefused) {
  for (const char* bytes : {"", "\n", "{}\n", "[1]\n", "null\n", "play x \"X\" {\n}\n"}) {
    EXPECT_THAT(problem(bytes), HasSubstr("not a file that `cnplay plan -o` wrote")) << bytes;
  }
  EXPECT_THAT(problem(std::string(100'000, '{')), HasSubstr("not a file that"));
}

TEST(ReviewedPlan, AnotherVersionIsRefusedByItsNumber) {
  std::string bytes = to_file(reviewed());
  bytes.replace(bytes.find(":1,"), 3, ":2,");
  EXPECT_EQ(problem(bytes), "x.plan: has the format 2, and this cnplay reads format 1");
}

TEST(ReviewedPlan, AForgedFileWithAGoodChecksumIsNoValidPlan) {
  EXPECT_THAT(problem(with("\"nodes\": [", "\"nodes\": [7,")), HasSubstr("x.plan: "));
  EXPECT_THAT(problem(with("{\"made\"", "[{\"made\"")), HasSubstr("damaged"));
  EXPECT_THAT(problem(with("\"hosts\": [", "\"hosts\": [[[[[[")), HasSubstr("x.plan: "));
}

TEST(ReviewedPlan, WhoMadeItIsShownWithoutControlCharacters) {
  const auto read = from_file("x.plan", with("by kim", "by \\u001b[2Jkim"));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->made.find('\x1b'), std::string::npos);
  EXPECT_THAT(read->made, HasSubstr("kim on desk"));
}

TEST(ReviewedPlan, WhatHasChangedIsNamed) {
  const ReviewedPlan before = reviewed();
  plan::Plan now = before.plan;
  const std::string& sum = before.inventory_sha256;
  now.program[1].sha256 = std::string(64, 'x');
  EXPECT_THAT(changes_since_review(before, now, sum), ElementsAre("built-in git.play was changed"));
  EXPECT_THAT(changes_since_review(before, before.plan, "other"),
              ElementsAre("the inventory inventories/staging.inv was changed"));

  now = before.plan;
  now.files.push_back({"page", "/x/page", 3, std::string(64, '1')});
  ReviewedPlan sent = before;
  sent.plan.files = now.files;
  now.files[0].sha256 = std::string(64, '2');
  EXPECT_THAT(changes_since_review(sent, now, sum), ElementsAre("the file page was changed"));
}

TEST(ReviewedPlan, WhatOnlyPeopleReadCountsToo) {
  const ReviewedPlan before = reviewed();
  plan::Plan now = before.plan;
  now.nodes[0].title = "something else";
  ASSERT_EQ(plan::hash(now), plan::hash(before.plan));
  EXPECT_EQ(changes_since_review(before, now, before.inventory_sha256).size(), 1u);
}

TEST(ReviewedPlan, AnotherCheckoutOfTheSameProjectIsTheSame) {
  ReviewedPlan before = reviewed();
  before.plan.files.push_back({"page", "/home/kim/project/page", 3, std::string(64, '1')});
  plan::Plan now = before.plan;
  now.origin.directory = "/srv/deploy";
  now.files[0].found_at = "/srv/deploy/page";
  now.vault_file = "/srv/deploy/inventories/staging.vault";
  EXPECT_THAT(changes_since_review(before, now, before.inventory_sha256), IsEmpty());
}

class OnDisk : public ::testing::Test {
 protected:
  OnDisk() {
    std::string name = "/tmp/cnplay-reviewed.XXXXXX";
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ / "x.plan";
    std::ofstream(path_) << to_file(reviewed());
    ::chmod(path_.c_str(), 0600);
  }
  ~OnDisk() override { fs::remove_all(directory_); }
  std::string problem(const fs::path& path) {
    const auto read = read_reviewed_plan(path.string());
    return read ? "" : read.error().what;
  }
  fs::path directory_, path_;
};

TEST_F(OnDisk, AFileOfOnesOwnIsRead) {
  EXPECT_EQ(problem(path_), "");
  EXPECT_THAT(problem(directory_ / "other"), HasSubstr("No such file"));
}

TEST_F(OnDisk, WhatOthersCanChangeIsRefused) {
  for (const mode_t mode : {0620, 0602, 0666}) {
    ::chmod(path_.c_str(), mode);
    EXPECT_THAT(problem(path_), HasSubstr("other users may write to it"));
  }
  ::chmod(path_.c_str(), 0644);
  EXPECT_EQ(problem(path_), "");
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives a file away";
  ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
  EXPECT_THAT(problem(path_), HasSubstr("belongs to another user"));
}

TEST_F(OnDisk, LinksPipesAndDirectoriesAreRefused) {
  fs::create_symlink(path_, directory_ / "link");
  EXPECT_THAT(problem(directory_ / "link"), HasSubstr("a symbolic link"));
  EXPECT_THAT(problem(directory_), HasSubstr("not a regular file"));
  ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(problem(directory_ / "pipe"), HasSubstr("not a regular file"));
  EXPECT_THAT(problem("/dev/null"), HasSubstr("not a regular file"));
}

TEST_F(OnDisk, AHugeFileIsRefusedUnread) {
  fs::resize_file(path_, kMostPlanBytes + 1);
  EXPECT_THAT(problem(path_), HasSubstr("larger than 256 MiB"));
}

}  // namespace
}  // namespace cnplay::cli
