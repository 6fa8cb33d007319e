// What is believed of CNPLAY_INSIDE: claims as they lie on disk, with our own ancestors in them.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "remote/around.h"

namespace cnplay::remote {
namespace {

namespace fs = std::filesystem;

std::string since(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat((std::istreambuf_iterator<char>(file)), {});
  std::istringstream words(stat.substr(stat.rfind(')') + 1));
  const std::vector<std::string> all{std::istream_iterator<std::string>(words), {}};
  return all.at(19);
}

class InsideOf : public ::testing::Test {
 protected:
  InsideOf() {
    std::string name = (fs::temp_directory_path() / "cnplay-around-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    root = name;
    directory = root / "run-outer";
    fs::create_directory(directory);
    fs::permissions(directory, fs::perms::owner_all);
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
    parent = std::to_string(::getppid());
  }
  ~InsideOf() override { fs::remove_all(root); }
  void claim(const std::string& text, const std::string& name = "t-1") const {
    std::ofstream(directory / name) << text;
    fs::permissions(directory / name, fs::perms::owner_read | fs::perms::owner_write);
  }
  std::string line(const std::string& pid, const std::string& begun, const std::string& on) const {
    return "0123456789abcdef " + pid + " " + begun + " " + on + " nonce 1 2\n";
  }
  std::string ours() const { return line(parent, since(::getppid()), boot); }
  Around look() const { return runs_around(directory.string(), ::getpid()); }
  bool inside() const { return look().runs == std::vector<std::string>{"outer"}; }

  fs::path root, directory;
  std::string boot, parent;
};

TEST_F(InsideOf, ATaskThatIsGoingOn) {
  claim(line("1", "1", boot), "t-1");
  claim(ours(), "t-2");
  EXPECT_TRUE(inside()) << look().problem;
  EXPECT_EQ(look().problem, "");
}

TEST_F(InsideOf, WhatIsAroundThatRun) {
  claim(ours());
  std::ofstream(directory / "around") << "b a ../x\n";
  EXPECT_EQ(look().runs, (std::vector<std::string>{"outer", "b", "a"}));
}

TEST_F(InsideOf, NothingIfNothingIsNamed) {
  const Around around = runs_around("", ::getpid());
  EXPECT_TRUE(around.runs.empty());
  EXPECT_EQ(around.problem, "");
}

TEST_F(InsideOf, NoClaimOrOneOfAnother) {
  EXPECT_FALSE(inside());
  claim(line("999999999", since(::getppid()), boot));
  EXPECT_FALSE(inside());
  claim(line(parent, "1", boot));
  EXPECT_FALSE(inside()) << "its number was given to another process since";
  claim(line(parent, since(::getppid()), "another-boot"));
  EXPECT_FALSE(inside());
  claim(ours() + "ended\n");
  EXPECT_FALSE(inside());
  claim(ours() + "killed\n");
  EXPECT_FALSE(inside());
  claim("withdrawn - - - - - -\n");
  EXPECT_FALSE(inside());
  claim("");
  EXPECT_FALSE(inside());
  claim(std::string("\0\xff nonsense", 11));
  EXPECT_FALSE(inside());
  claim(ours(), "u-1");
  EXPECT_FALSE(inside()) << "no claim by its name";
}

TEST_F(InsideOf, ADirectoryThatOthersCanWriteTo) {
  claim(ours());
  fs::permissions(directory, fs::perms::all);
  EXPECT_FALSE(inside());
  EXPECT_NE(look().problem.find("its directory here does not exist"), std::string::npos);
}

TEST_F(InsideOf, AClaimThatOthersCanWriteToOrALink) {
  claim(ours());
  fs::permissions(directory / "t-1", fs::perms::all);
  EXPECT_FALSE(inside());
  fs::rename(directory / "t-1", root / "t-1");
  fs::permissions(root / "t-1", fs::perms::owner_read);
  fs::create_symlink(root / "t-1", directory / "t-1");
  EXPECT_FALSE(inside());
}

TEST_F(InsideOf, WhatIsNoDirectoryOfARun) {
  claim(ours());
  for (const std::string name :
       {"outer", "run-", "run-../run-outer", "run-outer", "/etc", "/run-x y"}) {
    const Around around = runs_around(name, ::getpid());
    EXPECT_TRUE(around.runs.empty()) << name;
    EXPECT_NE(around.problem, "") << name;
  }
  fs::create_symlink(directory, root / "run-link");
  EXPECT_TRUE(runs_around((root / "run-link").string(), ::getpid()).runs.empty());
}

}  // namespace
}  // namespace cnplay::remote
