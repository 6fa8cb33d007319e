#include "base/lines.h"

#include <gtest/gtest.h>

namespace cnplay {
namespace {

using Lines = std::vector<std::string_view>;

TEST(Lines, ANewlineAtTheEndBeginsNoLine) {
  EXPECT_EQ(lines_of(""), Lines{});
  EXPECT_EQ(lines_of("a"), Lines{"a"});
  EXPECT_EQ(lines_of("a\n"), Lines{"a"});
  EXPECT_EQ(lines_of("a\n\nb"), (Lines{"a", "", "b"}));
  EXPECT_EQ(lines_of("\n"), Lines{""});
}

TEST(Lines, TheLastOnesBeginAfterANewline) {
  EXPECT_EQ(begin_of_last_lines("", 2), 0U);
  EXPECT_EQ(begin_of_last_lines("a\nb", 2), 0U) << "all of it";
  EXPECT_EQ(begin_of_last_lines("a\nb\n", 2), 0U);
  EXPECT_EQ(begin_of_last_lines("a\nb\nc", 2), 2U);
  EXPECT_EQ(begin_of_last_lines("a\nb\nc\n", 2), 2U);
  EXPECT_EQ(begin_of_last_lines("a\nb\n\n", 1), 4U) << "an empty line is one";
}

TEST(Lines, OfTheLastOnesFewerAreTakenIfTheyAreLongButOneAtLeast) {
  EXPECT_EQ(begin_of_last_lines("aaaa\nbbbb\ncc", 2, 5), 10U);
  EXPECT_EQ(begin_of_last_lines("aaaa\nbbbb\ncccccccccc", 2, 5), 10U);
}

}  // namespace
}  // namespace cnplay
