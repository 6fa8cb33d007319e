// A directory as hosts ask for it: any part of it, from any place on, for each tar that there is.
#include "remote/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/digest.h"

namespace cnplay::remote::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Archives : public ::testing::Test {
 protected:
  Archives() {
    std::string name = (fs::temp_directory_path() / "cnplay-archive-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    root = name;
    fs::create_directories(tree());
  }
  ~Archives() override { fs::remove_all(root); }
  fs::path tree() const { return root / "tree"; }
  // Each with its line in the list, in the order in which they are made.
  void file(const std::string& path, const std::string& text, unsigned mode = 0644) {
    fs::create_directories((tree() / path).parent_path());
    { std::ofstream(tree() / path) << text; }
    std::ostringstream line;
    line << "f " << std::oct << mode << std::dec << " " << text.size() << " " << sha256_hex(text)
         << " " << path << "\n";
    manifest += line.str();
  }
  void directory(const std::string& path) { manifest += "d 755 0 - " + path + "\n"; }
  Result<Archive> make(const std::string& wanted) {
    return Archive::make(tree().string(), manifest, wanted);
  }
  std::string all(Archive& archive) {
    auto bytes = archive.read(0, static_cast<std::size_t>(archive.size()));
    EXPECT_TRUE(bytes) << bytes.error().what;
    return bytes ? *bytes : std::string();
  }
  // What a tar makes of it: "path mode text" a line.
  std::string unpacked(const std::string& tar, const std::string& bytes) {
    const fs::path to = root / "out";
    fs::remove_all(to);
    fs::create_directories(to);
    { std::ofstream(root / "archive.tar", std::ios::binary) << bytes; }
    const std::string command =
        "cd " + to.string() + " && " + tar + " -xmpof ../archive.tar 2>../said && " +
        "find . -type f | LC_ALL=C sort | while IFS= read -r f; do "
        "echo \"$f $(stat -c %a \"$f\") $(head -c 20 \"$f\") $(wc -c <\"$f\")\"; done >../list";
    EXPECT_EQ(std::system(command.c_str()), 0) << text_of(root / "said");
    EXPECT_EQ(text_of(root / "said"), "");
    return text_of(root / "list");
  }
  static std::string text_of(const fs::path& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  fs::path root;
  std::string manifest;
};

TEST_F(Archives, EveryTarReadsIt) {
  const std::string deep =
      std::string(60, 'd') + "/" + std::string(70, 'e') + "/" + std::string(200, 'n') + ".txt";
  file("a file", "one\n", 0600);
  directory("bin");
  file("bin/run", std::string(5000, 'x'), 0755);
  file("empty", "");
  file(deep, "far down\n");
  file("exact", std::string(1024, 'y'));
  file(
      "k\xc3\xbc"
      "che/-rf",
      "*\n");
  auto archive = make("1\n3-7\n");
  ASSERT_TRUE(archive) << archive.error().what;
  EXPECT_EQ(archive->files(), 6U);
  const std::string bytes = all(*archive);
  EXPECT_EQ(bytes.size() % 512, 0U);
  for (const std::string tar : {"tar", "busybox tar"}) {
    EXPECT_EQ(unpacked(tar, bytes), "./a file 600 one 4\n./bin/run 755 " + std::string(20, 'x') +
                                        " 5000\n./" + deep + " 644 far down 9\n./empty 644  0\n" +
                                        "./exact 644 " + std::string(20, 'y') + " 1024\n" +
                                        "./k\xc3\xbc"
                                        "che/-rf 644 * 2\n")
        << tar;
  }
}

TEST_F(Archives, FromEveryPlaceOn) {
  file("a", std::string(700, 'a'));
  file(std::string(130, 'l'), "long");
  file("z", std::string(512, 'z'));
  auto archive = make("1-3\n");
  ASSERT_TRUE(archive);
  const std::string bytes = all(*archive);
  for (std::size_t at = 0; at < bytes.size(); at += 37) {
    for (const std::size_t n : {std::size_t{1}, std::size_t{511}, std::size_t{1500}}) {
      const std::size_t size = std::min(n, bytes.size() - at);
      ASSERT_EQ(*archive->read(at, size), bytes.substr(at, size)) << at << " " << size;
    }
  }
}

TEST_F(Archives, OnlyWhatIsAskedForAndNothingIsFine) {
  file("a", "a");
  file("b", "b");
  file("c", "c");
  auto some = make("2\n");
  ASSERT_TRUE(some);
  EXPECT_EQ(unpacked("tar", all(*some)), "./b 644 b 1\n");
  auto none = make("");
  ASSERT_TRUE(none);
  EXPECT_EQ(unpacked("tar", all(*none)), "");
  EXPECT_NE(some->name(), none->name());
  EXPECT_EQ(some->name(), make("2\n")->name());
}

TEST_F(Archives, AHostMayAskForNothingElse) {
  directory("d");
  file("d/a", "a");
  file("d/b", "b");
  for (const char* wish :
       {"1\n", "0\n", "4\n", "2-4\n", "3-2\n", "2\n2\n", "3\n2\n", "../etc\n", "-1\n", "2-\n",
        "-\n", "\n", "2 3\n", "99999999999999999999\n", "2-99999999999\n"}) {
    auto archive = make(wish);
    ASSERT_FALSE(archive) << wish;
    EXPECT_THAT(archive.error().what, HasSubstr("asks for files that are not in"));
  }
}

TEST_F(Archives, AListThatLeadsOutOfTheTreeIsNotFollowed) {
  for (const char* path : {"/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/.", ""}) {
    manifest = "f 644 1 " + std::string(64, 'a') + " " + path + "\n";
    EXPECT_FALSE(make("1\n")) << path;
  }
  for (const char* line : {"f 999 1 s a", "f 77777 1 s a", "x 644 1 s a", "f 644 n s a", "f"}) {
    manifest = std::string(line) + "\n";
    EXPECT_FALSE(make("1\n")) << line;
  }
}

TEST_F(Archives, AFileThatHasChangedKeepsTheSizeThatWasSaid) {
  file("a", std::string(1000, 'a'));
  file("b", "b");
  auto archive = make("1-2\n");
  ASSERT_TRUE(archive);
  const auto size = archive->size();
  for (const std::size_t now : {std::size_t{3}, std::size_t{0}, std::size_t{5000}}) {
    { std::ofstream(tree() / "a") << std::string(now, 'n'); }
    auto again = make("1-2\n");
    const std::string bytes = all(*again);
    EXPECT_EQ(bytes.size(), size);
    EXPECT_THAT(unpacked("tar", bytes), HasSubstr("./b 644 b 1\n"));
  }
  fs::remove(tree() / "a");
  auto gone = make("1-2\n");
  EXPECT_FALSE(gone->read(0, 2000));
  fs::create_symlink("/etc/passwd", tree() / "a");
  auto link = make("1-2\n");
  auto read = link->read(0, 2000);
  ASSERT_FALSE(read) << "it went through a link";
  EXPECT_THAT(read.error().what, HasSubstr("cannot read " + (tree() / "a").string()));
}

}  // namespace
}  // namespace cnplay::remote::testing
