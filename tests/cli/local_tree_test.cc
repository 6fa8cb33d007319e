// What is read of a directory that is to be sent: all of it, in one order, or why not.
#include "cli/local_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/digest.h"

namespace cnplay::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class LocalTree : public ::testing::Test {
 protected:
  LocalTree() {
    std::string name = (fs::temp_directory_path() / "cnplay-tree-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    root = name;
  }
  ~LocalTree() override { fs::remove_all(root); }
  void file(const std::string& path, const std::string& text, mode_t mode = 0644) {
    for (fs::path up = fs::path(path).parent_path(); !up.empty(); up = up.parent_path()) {
      fs::create_directories(root / up);
      ::chmod((root / up).c_str(), 0755);
    }
    { std::ofstream(root / path) << text; }
    ::chmod((root / path).c_str(), mode);
  }
  static std::string line(const std::string& mode, const std::string& text,
                          const std::string& path) {
    return "f " + mode + " " + std::to_string(text.size()) + " " + sha256_hex(text) + " " + path;
  }
  fs::path root;
};

TEST_F(LocalTree, OneLineForEachInOneOrder) {
  file("b", "two\n", 0600);
  file("a/z", "one");
  file("a/y y", "");
  file("a b", "x", 0755);
  file("a/sub/k\xc3\xbc", "y");
  const auto tree = read_local_tree(root, {});
  ASSERT_TRUE(tree) << tree.error().what;
  EXPECT_EQ(tree->manifest, "d 755 0 - a\n" + line("755", "x", "a b") + "\nd 755 0 - a/sub\n" +
                                line("644", "y", "a/sub/k\xc3\xbc") + "\n" +
                                line("644", "", "a/y y") + "\n" + line("644", "one", "a/z") + "\n" +
                                line("600", "two\n", "b"));
  EXPECT_EQ(tree->size, 9U);
  EXPECT_EQ(tree->path, root.string());
  EXPECT_EQ(read_local_tree(root / "a/../", {})->manifest, tree->manifest);
}

TEST_F(LocalTree, WhatIsLeftOut) {
  file("keep/a.py", "a");
  file("keep/a.pyc", "a");
  file("keep/.git/config", "a");
  file("media/x", "a");
  file("media/deep/y", "a");
  file("sub/media/z", "a");
  fs::create_symlink("/", root / "link");
  const auto tree = read_local_tree(root, {"*.pyc", ".git", "media/*", "/sub/media", "link"});
  ASSERT_TRUE(tree) << tree.error().what;
  EXPECT_EQ(tree->manifest, "d 755 0 - keep\n" + line("644", "a", "keep/a.py") +
                                "\nd 755 0 - media\nd 755 0 - sub");
}

TEST_F(LocalTree, WhatCannotBeSentIsSaid) {
  const auto refused = [&](const std::string& what, const std::string& help) {
    const auto tree = read_local_tree(root, {});
    ASSERT_FALSE(tree);
    EXPECT_THAT(tree.error().what, HasSubstr(what));
    EXPECT_THAT(tree.error().help, HasSubstr(help));
  };
  refused("has nothing in it", "correct the path");
  file("a", "a");
  fs::create_symlink("a", root / "link");
  refused((root / "link").string() + " is a link", "exclude it, or copy the file");
  fs::remove(root / "link");
  ASSERT_EQ(::mkfifo((root / "fifo").c_str(), 0644), 0);
  refused("fifo is neither a file nor a directory", "exclude it");
  fs::remove(root / "fifo");
  for (const char* name : {"x\ny", "x\ty", "x\\y", "x\x7f", "x\xff"}) {
    file(name, "");
    refused("has a control character", "rename it");
    fs::remove(root / name);
  }
  EXPECT_THAT(read_local_tree(root / "none", {}).error().what, HasSubstr("no such directory"));
  EXPECT_THAT(read_local_tree(root / "a", {}).error().help, HasSubstr("file.copy"));
  EXPECT_TRUE(read_local_tree(root, {}));
}

TEST_F(LocalTree, ThereIsAnEndToIt) {
  file("a", "aaaa");
  file("b", "b");
  TreeLimits limits;
  limits.entries = 1;
  EXPECT_THAT(read_local_tree(root, {}, limits).error().what, HasSubstr("more than 1 files"));
  limits.entries = 2;
  EXPECT_TRUE(read_local_tree(root, {}, limits));
  limits.manifest = 100;
  EXPECT_FALSE(read_local_tree(root, {}, limits));
  limits = {};
  limits.file = 3;
  EXPECT_THAT(read_local_tree(root, {}, limits).error().help, HasSubstr("file.copy"));
}

}  // namespace
}  // namespace cnplay::cli
