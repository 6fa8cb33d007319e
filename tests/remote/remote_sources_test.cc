// One file to many: read once by all who go together, within a bound, and by each alone who does
// not.
#include "remote/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
constexpr std::size_t kPiece = Source::kPiece;

class SourcesTest : public ::testing::Test {
 protected:
  SourcesTest() : world("dash"), path((world.root / "file").string()) {}
  std::string write(std::size_t size, char first = 'a') {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(first + i / 1000 % 26);
    std::ofstream(path) << text;
    return text;
  }
  // All of it from `at` on, in portions that are no piece.
  static std::string rest(Source& source, std::uint64_t at = 0) {
    std::string text;
    for (;;) {
      auto some = source.read(at + text.size(), 50'000);
      if (!some) return some.error().what;
      if (some->empty()) return text;
      text += *some;
    }
  }
  World world;
  std::string path;
};

TEST_F(SourcesTest, AHundredHostsReadItOnce) {
  const std::string text = write(10 * kPiece + 77);
  Sources sources;
  std::vector<std::shared_ptr<Source>> hosts;
  for (int i = 0; i < 100; ++i) hosts.push_back(*sources.open(path));
  // In step, one behind the other; then those who come when all others are through.
  for (std::uint64_t at = 0; at < text.size(); at += kPiece) {
    for (const auto& host : hosts) ASSERT_EQ(*host->read(at, kPiece), text.substr(at, kPiece));
  }
  hosts.clear();
  EXPECT_EQ(rest(**sources.open(path)), text);
  EXPECT_EQ(rest(**sources.open(path), 12345), text.substr(12345));
  EXPECT_EQ(sources.bytes_read(), text.size());
}

TEST_F(SourcesTest, SoDoThreads) {
  const std::string text = write(60 * kPiece + 1);
  Sources sources;
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { right += rest(**sources.open(path)) == text ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8);
  EXPECT_EQ(sources.bytes_read(), text.size());
}

TEST_F(SourcesTest, WhatIsKeptIsBounded) {
  const std::string text = write(40 * kPiece);
  Sources sources(4 * kPiece);
  const auto first = *sources.open(path);
  EXPECT_EQ(rest(*first), text);
  EXPECT_EQ(sources.bytes_kept(), 4 * kPiece);
  // Who is behind the bound reads for itself, and for those who are with it.
  const auto second = *sources.open(path);
  const auto third = *sources.open(path);
  for (std::uint64_t at = 0; at < text.size(); at += kPiece) {
    ASSERT_EQ(*second->read(at, kPiece), text.substr(at, kPiece));
    ASSERT_EQ(*third->read(at, kPiece), text.substr(at, kPiece));
  }
  EXPECT_EQ(sources.bytes_read(), 2 * text.size());
  EXPECT_EQ(sources.bytes_kept(), 4 * kPiece);
  // The bound is that of all files together.
  const std::string before = path;
  path += "2";
  const std::string other = write(8 * kPiece, 'A');
  EXPECT_EQ(rest(**sources.open(path)), other);
  EXPECT_EQ(sources.bytes_kept(), 4 * kPiece);
  EXPECT_EQ(rest(**sources.open(before)), text);
}

TEST_F(SourcesTest, AnotherContentIsAnotherFile) {
  const std::string old = write(2 * kPiece);
  Sources sources;
  EXPECT_EQ(rest(**sources.open(path)), old);
  fs::remove(path);
  const std::string now = write(2 * kPiece, 'A');
  EXPECT_EQ(rest(**sources.open(path)), now);
}

TEST_F(SourcesTest, WhatCannotBeReadSaysWhy) {
  Sources sources;
  const auto none = sources.open(path);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().what, HasSubstr("No such file"));
  const auto folder = sources.open(world.root.string());
  ASSERT_TRUE(folder);
  EXPECT_THAT((*folder)->read(0, 1).error().what, HasSubstr("directory"));
}

}  // namespace
}  // namespace cnplay::remote::testing
