#include "base/text.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <new>

#include "base/base64.h"
#include "base/columns.h"
#include "base/cut_mark.h"
#include "base/lines.h"

namespace cnplay {
namespace {

std::string shown(std::string bytes, std::size_t max = 0) {
  return Untrusted(std::move(bytes)).display(max);
}

TEST(Display, ALineEndsWhereAnyReaderEndsIt) {
  for (const char* end : {"\n", "\r", "\r\n", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
    const std::string text = "a" + std::string(end) + "b\tc";
    EXPECT_EQ(shown(text), "a\nb\tc");
    EXPECT_EQ(one_line(text), "a b c");
    EXPECT_EQ(continued(text), "a\n    b\tc");
  }
  EXPECT_EQ(one_line("a\xC2\x85"
                     "b\vc\fd"),
            "abcd");
  EXPECT_EQ(continued("a\n\n"), "a");
  EXPECT_EQ(one_line("abcdef", 3), "abc" + cut_mark(3));
}

TEST(Display, TakesTerminalEscapesOut) {
  EXPECT_EQ(shown("\x1b[31mred\x1b[0m"), "red");
  EXPECT_EQ(shown("\x1b[2J\x1b[Hclear"), "clear");
  EXPECT_EQ(shown("\x1b]0;title\a after"), " after");
  EXPECT_EQ(shown("\x1b]8;;http://evil\x1b\\link"), "link");
  EXPECT_EQ(shown("\x1bP1;2q...\x1b\\x"), "x");
  EXPECT_EQ(shown("\x1b(B\x1b=\x1b"
                  "cx"),
            "x");
  EXPECT_EQ(shown("\xC2\x9B"
                  "31mx"),
            "31mx");  // the one-byte CSI of C1
}

TEST(Display, AnEscapeWithoutEndTakesNoMoreThanItsLine) {
  EXPECT_EQ(shown("\x1b]0;never ends\nnext line"), "\nnext line");
  EXPECT_EQ(shown("\x1b[999;\nnext"), "\nnext");
  EXPECT_EQ(shown("end\x1b"), "end");
  EXPECT_EQ(shown("end\x1b["), "end");
}

TEST(Display, TakesControlCharactersOut) {
  EXPECT_EQ(shown(std::string("a\0b\ac\bd\x7f", 8)), "abcd");
  EXPECT_EQ(shown("a\tb\nc\r\nd\re"), "a\tb\nc\nd\ne");
}

TEST(Display, TakesBidirectionalOverridesOut) {
  EXPECT_EQ(shown("a\xE2\x80\xAE"
                  "b\xE2\x81\xA6"
                  "c"),
            "abc");
}

TEST(Display, IsValidUtf8WhateverComes) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text = shown(std::string{static_cast<char>(a), static_cast<char>(b)});
      EXPECT_EQ(to_valid_utf8(text), text) << a << " " << b;
    }
  }
  EXPECT_EQ(shown("\xff"), "\xEF\xBF\xBD");
  EXPECT_EQ(shown("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  EXPECT_EQ(shown("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(shown("\xF0\x9F\x90\x9A"), "\xF0\x9F\x90\x9A");
}

TEST(Display, IsCutWithACount) {
  EXPECT_EQ(shown("0123456789", 4), "0123... (6 bytes more)");
  EXPECT_EQ(shown("0123", 4), "0123");
}

TEST(Quote, MakesOneWord) {
  EXPECT_EQ(quote("")->str(), "''");
  EXPECT_EQ(quote("it's $(x) `y` \n \\ *")->str(), "'it'\\''s $(x) `y` \n \\ *'");
  const auto nul = quote(std::string_view("a\0b", 3));
  ASSERT_FALSE(nul);
  EXPECT_EQ(nul.error().what, "a value for the shell holds a NUL byte");
}

// The oracle is a real shell.
TEST(Quote, AShellReadsItBack) {
  std::uint64_t seed = 3;
  for (int i = 0; i < 40; ++i) {
    std::string value;
    for (int k = 0; k < 40; ++k) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      const char c = static_cast<char>(seed >> 40);
      if (c != '\0') value += c;
    }
    value += "'\"\\$`!\n'";
    FILE* pipe = ::popen(("printf %s " + quote(value)->str()).c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    char buffer[512];
    const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe);
    ::pclose(pipe);
    EXPECT_EQ(std::string(buffer, n), value);
  }
}

TEST(Base64, BothWays) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zm9=", "Z g=", "====", "Zg==Zg==", "=AAA"}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(Columns, CountWhatTheScreenShows) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("gr\xC3\xBC\xC3\x9F"), 4U);
  EXPECT_EQ(columns_of("\xE4\xB8\xAD\xE6\x96\x87"), 4U);  // wide
  EXPECT_EQ(columns_of("e\xCC\x81"), 1U);                 // combining
  EXPECT_EQ(columns_of("\x1b[31mred\x1b[0m"), 3U);
}

TEST(Columns, CutBreaksNoCharacter) {
  EXPECT_EQ(cut_to("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to("abcdef", 4), "abc…");
  EXPECT_EQ(cut_to("\xE4\xB8\xAD\xE6\x96\x87", 3), "\xE4\xB8\xAD…");
  EXPECT_EQ(cut_to("\xE4\xB8\xAD\xE6\x96\x87", 2), "…");
  EXPECT_EQ(cut_to("\x1b[31mabcdef\x1b[0m", 4), "\x1b[31mabc…\x1b[0m");
  EXPECT_EQ(cut_to("a\nb\tc", 9), "a b c");
  EXPECT_EQ(cut_to("abc", 0), "");
  EXPECT_EQ(pad_right("\xC3\xBC", 3), "\xC3\xBC  ");
  EXPECT_EQ(pad_left("12", 4), "  12");
}

TEST(ShellNames, OfTheShellsAndOfTheProtocolAreReserved) {
  for (const char* name : {"PATH", "IFS", "UID", "_", "nl", "preview", "_cn_n"}) {
    EXPECT_TRUE(is_shell_reserved(name)) << name;
  }
  for (const char* name : {"path", "dir", "PATHS", "_cn", "uid"}) {
    EXPECT_FALSE(is_shell_reserved(name)) << name;
  }
}

TEST(CutMark, IsFoundWhereItIsWhole) {
  const std::string text = "a... (b... (12 bytes more)c... (3 bytes more)";
  const CutMark mark = find_cut_mark(text);
  EXPECT_EQ(text.substr(mark.at, mark.size), cut_mark(12));
  EXPECT_EQ(find_cut_mark("... ( bytes more)").size, 0U);
  EXPECT_EQ(find_cut_mark("abc").at, 3U);
}

}  // namespace
}  // namespace cnplay
