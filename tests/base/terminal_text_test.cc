#include "base/terminal_text.h"

#include <gtest/gtest.h>

namespace cnplay {
namespace {

TEST(ForTerminal, LeavesOurColoursAndNothingElse) {
  EXPECT_EQ(for_terminal("\x1b[1;31merror\x1b[0m: x\n\ty"), "\x1b[1;31merror\x1b[0m: x\n\ty");
  EXPECT_EQ(for_terminal("a\x1b]0;title\ab\x1b]52;c;UFdORUQ=\x1b\\c"), "abc");
  EXPECT_EQ(for_terminal("a\x1b[2Jb\x1b[1;1Hc\x1b[8md\x1b[?25le"), "abcde");
  EXPECT_EQ(for_terminal("a\bb\x7f"
                         "c\xc2\x9b"
                         "d\xe2\x80\xae"
                         "e\x01"),
            "abcde");
  EXPECT_EQ(for_terminal("a\x1b]0;x\x1b[0mb"), "a\x1b[0mb");
  EXPECT_EQ(for_terminal("\x1b"), "");
  EXPECT_EQ(for_terminal("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(for_terminal(""), "");
}

}  // namespace
}  // namespace cnplay
