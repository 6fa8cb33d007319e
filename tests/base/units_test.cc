#include "base/units.h"

#include <gtest/gtest.h>

#include <limits>

namespace cnplay {
namespace {

TEST(Duration, IsWrittenAsItIsRead) {
  for (const char* text : {"0s", "1ms", "250ms", "90s", "1m30s", "1h30m", "7d", "1d1h1m1s1ms"}) {
    const auto d = parse_duration(text);
    ASSERT_TRUE(d) << text;
    EXPECT_EQ(parse_duration(format_duration(*d)), d) << text;
  }
  EXPECT_EQ(format_duration(Duration{90'000}), "1m30s");
  EXPECT_EQ(format_duration(Duration{7LL * 86'400'000}), "7d");
  EXPECT_EQ(format_duration(Duration{-1'500}), "-1s500ms");
}

TEST(Duration, WhatIsNoneIsRefused) {
  for (const char* text : {"", "10", "s", "10x", "30s1m", "1s1s", "-1s", "1.5s", " 1s", "1s ",
                           "1 s", "99999999999999999999s", "9999999999999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, ForPeople) {
  EXPECT_EQ(human_duration(Duration{0}), "0 ms");
  EXPECT_EQ(human_duration(Duration{850}), "850 ms");
  EXPECT_EQ(human_duration(Duration{2'449}), "2.4 s");
  EXPECT_EQ(human_duration(Duration{20'000}), "20 s");
  EXPECT_EQ(human_duration(Duration{90'000}), "1 min 30 s");
  EXPECT_EQ(human_duration(Duration{65'000}), "1 min 05 s");
  EXPECT_EQ(human_duration(Duration{3'600'000}), "1 h");
  EXPECT_EQ(human_duration(Duration{7'500'000}), "2 h 05 min");
  EXPECT_EQ(human_duration(Duration{-90'000}), "-1 min 30 s");
}

TEST(Size, BothWays) {
  EXPECT_EQ(format_size(Size{512LL << 20}), "512MiB");
  EXPECT_EQ(format_size(Size{1536}), "1536B");
  EXPECT_EQ(format_size(Size{0}), "0B");
  EXPECT_EQ(parse_size("4KiB"), Size{4096});
  EXPECT_EQ(parse_size("1TiB"), Size{1LL << 40});
  for (const char* text : {"", "4", "KiB", "4KB", "4kib", "-4KiB", "99999999TiB", "4 KiB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Time, IsReadInItsZone) {
  const auto la = parse_time("2026-12-01 22:00 America/Los_Angeles");
  ASSERT_TRUE(la);
  EXPECT_EQ(format_rfc3339(la->at), "2026-12-02T06:00:00.000Z");
  EXPECT_EQ(format_time(*la), "2026-12-01 22:00:00 America/Los_Angeles");
  EXPECT_EQ(parse_time("2026-12-02T06:00Z"), la);  // the instant alone counts
  EXPECT_EQ(parse_time("2026-12-02T07:00:00+01:00"), la);
  EXPECT_EQ(parse_time("2026-12-02T00:30:00-05:30"), la);
  EXPECT_EQ(format_clock(la->at, "Europe/Berlin"), "07:00:00");
}

TEST(Time, AZoneIsRequiredAndMustExist) {
  for (const char* text :
       {"2026-12-01 22:00", "2026-12-01", "2026-12-01 22:00 ", "2026-12-01 22:00 Mars/Base",
        "2026-13-01 22:00 UTC", "2026-02-29 22:00 UTC", "2026-12-01 24:00 UTC",
        "2026-12-01 22:60 UTC", "2026-12-01 22:00:60 UTC", "2026-12-01 22:00 UTC x",
        "2026-12-01T22:00+99:00", "26-12-01 22:00 UTC", "2026-12-01 22:00 ../../etc/passwd"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(Time, AnHourThatDoesNotExistIsRefused) {
  EXPECT_FALSE(parse_time("2026-03-29 02:30 Europe/Berlin"));  // 02:00 becomes 03:00
  EXPECT_TRUE(parse_time("2026-03-29 01:59 Europe/Berlin"));
  EXPECT_TRUE(parse_time("2026-03-29 03:00 Europe/Berlin"));
  EXPECT_TRUE(parse_time("2026-03-29 02:30 UTC"));
}

TEST(Time, AnHourThatComesTwiceIsRefused) {
  EXPECT_FALSE(parse_time("2026-10-25 02:30 Europe/Berlin"));
  EXPECT_TRUE(parse_time("2026-10-25 03:00 Europe/Berlin"));
  // An offset says which of the two is meant.
  EXPECT_TRUE(parse_time("2026-10-25T02:30+02:00"));
}

TEST(Time, RecordsKeepMilliseconds) {
  const auto t = parse_rfc3339("2026-11-20T21:30:05.123Z");
  ASSERT_TRUE(t);
  EXPECT_EQ(format_rfc3339(*t), "2026-11-20T21:30:05.123Z");
  EXPECT_EQ(format_time(Time{*t, "UTC"}), "2026-11-20 21:30:05.123 UTC");
}

}  // namespace
}  // namespace cnplay
