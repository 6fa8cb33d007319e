#include "secrets/redactor.h"

#include <gtest/gtest.h>

#include <random>

#include "base/base64.h"
#include "secrets/sources.h"

namespace cnplay::secrets {
namespace {

Redactor with(const std::string& value) {
  Redactor r;
  EXPECT_TRUE(r.add("key", Secret(value)));
  return r;
}

TEST(Redactor, RawSecretIsReplacedByItsName) {
  EXPECT_EQ(with("hunter22").apply("a hunter22 b hunter22"), "a [secret key] b [secret key]");
  EXPECT_EQ(with("hunter22").apply("hunter2"), "hunter2");
}

TEST(Redactor, TooShortToBeLookedFor) {
  Redactor r;
  EXPECT_FALSE(r.add("key", Secret("abc")));
  EXPECT_EQ(r.apply("abc"), "abc");
}

TEST(Redactor, EveryBase64AlignmentHidesTheSecret) {
  const std::string value = "s3cr3t/value?+with~bytes";
  const Redactor r = with(value);
  for (std::size_t before = 0; before < 7; ++before) {
    for (std::size_t after = 0; after < 7; ++after) {
      const std::string whole = std::string(before, 'x') + value + std::string(after, 'y');
      const std::string out = r.apply(base64_encode(whole));
      EXPECT_NE(out.find("[secret key]"), std::string::npos) << before << " " << after;
      // At most the characters that share bits with their neighbours may be left of it.
      EXPECT_LE(out.size(), base64_encode(std::string(before, 'x')).size() + 12 +
                                base64_encode(std::string(after, 'y')).size() + 4);
    }
  }
}

TEST(Redactor, UrlShellAndJsonForms) {
  const Redactor r = with("it's a \"secret\"\nof/two lines");
  EXPECT_EQ(r.apply("it%27s%20a%20%22secret%22%0Aof%2Ftwo%20lines"), "[secret key]");
  EXPECT_EQ(r.apply("it%27s%20a%20%22secret%22%0aof%2ftwo%20lines"), "[secret key]");
  EXPECT_EQ(r.apply("'it'\\''s a \"secret\"\nof/two lines'"), "'[secret key]'");
  EXPECT_EQ(r.apply("it's a \\\"secret\\\"\\nof/two lines"), "[secret key]");
  EXPECT_EQ(r.apply("only of/two lines here"), "only [secret key] here");
}

TEST(Redactor, OneSecretInsideAnotherIsNotUncovered) {
  Redactor r;
  r.add("short", Secret("word"));
  r.add("long", Secret("passwordphrase"));
  EXPECT_EQ(r.apply("passwordphrase").find("pass"), std::string::npos);
  EXPECT_EQ(r.apply("passwordphrase").find("phrase"), std::string::npos);
  EXPECT_EQ(r.apply("sword"), "s[secret short]");
}

TEST(Redactor, SplitAnywhereNothingLeaks) {
  Redactor r;
  r.add("a", Secret("aaaab"));
  r.add("b", Secret("baaaac\nsecond line"));
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int i = 0; i < 40; ++i) {
      const char* pieces[] = {"a", "b", "aaaab", "baaaac\n", "second line", "\n", "aaaa", "xyz"};
      text += pieces[random() % 8];
    }
    std::string streamed;
    Redactor::Stream stream(r);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t n = 1 + random() % 5;
      streamed += stream.feed(std::string_view(text).substr(at, n));
      at += n;
    }
    streamed += stream.finish();
    EXPECT_EQ(streamed.find("aaaab"), std::string::npos) << text << "\n" << streamed;
    EXPECT_EQ(streamed.find("second line"), std::string::npos) << text;
  }
}

TEST(Redactor, StreamPassesOtherBytesUnchanged) {
  const Redactor r = with("secret");
  Redactor::Stream stream(r);
  std::string binary;
  for (int i = 0; i < 256; ++i) binary += static_cast<char>(i);
  std::string out = stream.feed(binary);
  out += stream.feed("secre");
  out += stream.finish();
  EXPECT_EQ(out, binary + "secre");
}

TEST(Sources, EnvironmentCommandAndTheirFailures) {
  ::setenv("CNPLAY_TEST_SECRET", "value", 1);
  EXPECT_EQ(from_environment("CNPLAY_TEST_SECRET")->reveal(), "value");
  ::unsetenv("CNPLAY_TEST_SECRET");
  EXPECT_NE(from_environment("CNPLAY_TEST_SECRET").error().what.find("CNPLAY_TEST_SECRET"),
            std::string::npos);

  EXPECT_EQ(from_command({"printf", "two\\nlines\\n"})->reveal(), "two\nlines");
  EXPECT_NE(from_command({"false"}).error().what.find("exit code 1"), std::string::npos);
  EXPECT_NE(from_command({"true"}).error().what.find("printed nothing"), std::string::npos);
  EXPECT_NE(from_command({"/no/such/program"}).error().what.find("cannot be started"),
            std::string::npos);
  EXPECT_NE(from_command({"sleep", "60"}, Duration{50}).error().what.find("gave no end"),
            std::string::npos);
  EXPECT_NE(from_command({"head", "-c", "100000", "/dev/zero"}).error().what.find("64 KiB"),
            std::string::npos);
  EXPECT_FALSE(from_command({}));
}

}  // namespace
}  // namespace cnplay::secrets
