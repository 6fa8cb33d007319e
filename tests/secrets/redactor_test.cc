#include "secrets/redactor.h"

#include <gtest/gtest.h>

#include <random>

#include "base/base64.h"
#include "base/cut_mark.h"
#include "secrets/reading.h"
#include "secrets/sources.h"
#include "support/secrets/ways_to_show.h"

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

using testing::ways_to_show;

const std::string kValue = "VaultS3cr3t-pa55word!x";

// Nothing of the value, or of a form of it, that is left: the frame and the name alone.
void expect_gone(const std::string& out, const std::string& way) {
  EXPECT_NE(out.find("[secret key]"), std::string::npos) << way << ": " << out;
  // What base64 shares with its neighbours, the beginning and the end of an escape sequence.
  EXPECT_LE(out.size(), std::string("<< [secret key] >>").size() + 14) << way << ": " << out;
}

TEST(Redactor, EveryWayToShowAValueIsFound) {
  const Redactor r = with(kValue);
  for (const auto& [way, text] : ways_to_show(kValue)) {
    expect_gone(r.apply("<< " + text + " >>"), way);
  }
}

TEST(Redactor, EveryWayIsFoundHoweverTheTextIsSplit) {
  const Redactor r = with(kValue);
  for (const auto& [way, text] : ways_to_show(kValue)) {
    const std::string whole = "<< " + text + " >>";
    for (std::size_t size = 1; size < 12; ++size) {
      Redactor::Stream stream(r);
      std::string out;
      for (std::size_t at = 0; at < whole.size(); at += size) {
        out += stream.feed(std::string_view(whole).substr(at, size));
      }
      out += stream.finish();
      EXPECT_EQ(out, r.apply(whole)) << way << " " << size;
    }
  }
}

TEST(Redactor, DisplayCannotUndoRedaction) {
  const Redactor r = with(kValue);
  for (const auto& [way, text] : ways_to_show(kValue)) {
    const std::string shown = Untrusted(r.apply("<< " + text + " >>")).display();
    EXPECT_EQ(shown.find(kValue), std::string::npos) << way << ": " << shown;
  }
}

TEST(Redactor, ACutLeavesNoPartOfASecret) {
  const Redactor r = with(kValue);
  for (const auto& [way, text] : ways_to_show(kValue)) {
    if (way.starts_with("base64")) continue;  // its ends are those of its neighbours
    std::string many;
    while (many.size() < 400) many += text;
    for (std::size_t size = 300; size < 300 + text.size(); ++size) {
      const std::string out = r.apply(many.substr(0, size) + cut_mark(5));
      EXPECT_EQ(on_screen(out).find_first_not_of(" \n"), on_screen(out).find("[secret key]"))
          << way;
      const std::string behind = out.substr(out.rfind(']') + 1);
      const std::string left = on_screen(behind.substr(0, find_cut_mark(behind).at));
      EXPECT_LE(left.size(), 5U) << way << " " << size << ": " << left;
    }
  }
  for (std::size_t from = 1; from < kValue.size(); ++from) {
    EXPECT_EQ(r.apply(cut_mark(9) + kValue.substr(from) + kValue + " end"),
              cut_mark(9) + "[secret key] end");
  }
  EXPECT_EQ(r.apply("ends with Vault"), "ends with Vault") << "nothing was cut";
}

TEST(Redactor, TextWithoutTheSecretIsLeftAsItIs) {
  const Redactor r = with(kValue);
  std::string text;
  for (int i = 0; i < 256; ++i) text += static_cast<char>(i);
  for (const char* piece :
       {"\\u00", "&amp", "&#x", "%2", "\x1b[", "\xc2", "\xe2\x80", "\\", "Vault", "drow55ap",
        "VaultS3cr3t-pa55word", "\xf0\x9f\x98\x80", "\\ud83d"}) {
    text += piece;
    EXPECT_EQ(r.apply(text), text);
    EXPECT_EQ(r.apply(piece), piece);
  }
}

TEST(Redactor, ShortValuesAreFoundExactlyAlone) {
  Redactor r;
  EXPECT_TRUE(r.add("pin", Secret("ab1x")));
  EXPECT_EQ(r.apply("ab1x AB1X a b1x ab\n1x"), "[secret pin] AB1X a b1x ab\n1x");
  EXPECT_EQ(r.apply("ab\x1b[0m1x"), "[secret pin]");
  EXPECT_FALSE(r.add("blank", Secret("a \n\t\n b")));
}

TEST(Redactor, LinesOfADocumentAreFoundInEachForm) {
  const Redactor r = with("-----BEGIN-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END-----\n");
  EXPECT_EQ(r.apply("x gBNADABIQvEIIM y"), "x [secret key] y");
  EXPECT_EQ(r.apply("k q h k i G 9 w 0 B A Q E F"), "[secret key]");
}

TEST(Redactor, WhatIsHeldBackIsBounded) {
  const Redactor r = with(kValue);
  Redactor::Stream stream(r);
  std::string out = stream.feed("a VaultS3");
  const std::string filler(64 * 1024, '\a');
  for (int i = 0; i < 64; ++i) out += stream.feed(filler);
  out += stream.feed("cr3t-pa55word!x");
  out += stream.finish();
  EXPECT_TRUE(out.starts_with("a [secret key]")) << out.substr(0, 40);
  EXPECT_EQ(out.find("VaultS3"), std::string::npos);
}

TEST(Redactor, ASecretThatIsAddedLaterIsFoundInWhatIsHeld) {
  Redactor r = with(kValue);
  Redactor::Stream stream(r);
  std::string out = stream.feed("Vault");
  r.add("other", Secret("VaultOther"));
  out += stream.feed("Other.");
  out += stream.finish();
  EXPECT_EQ(out, "[secret other].");
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
  EXPECT_NE(from_command({"sleep", "60"}, Duration{50}).error().what.find("did not end"),
            std::string::npos);
  EXPECT_NE(from_command({"head", "-c", "100000", "/dev/zero"}).error().what.find("64 KiB"),
            std::string::npos);
  EXPECT_FALSE(from_command({}));
}

}  // namespace
}  // namespace cnplay::secrets
