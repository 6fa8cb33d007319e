// Frames in any pieces, forged marks, what a hostile host may make us keep; the prelude's form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "remote/collector.h"
#include "remote/frame.h"
#include "remote/prelude.h"
#include "remote/request.h"
#include "remote/sudo.h"
#include "support/remote/world.h"

namespace cnplay::remote::testing {
namespace {

constexpr const char* kNonce = "0123456789abcdef0123456789abcdef";

struct Log final : FrameSink {
  void text(std::string_view bytes) override { said += bytes; }
  void mark(std::string_view words) override { said += "<" + std::string(words) + ">"; }
  std::string said;
};

TEST(Frames, AnySplitGivesTheSame) {
  std::mt19937 random(1);
  const std::string lead = std::string("\x1e") + kNonce + " ";
  for (int round = 0; round < 300; ++round) {
    std::string stream;
    std::string want;
    for (int i = 0; i < 20; ++i) {
      switch (random() % 6) {
        case 0:
          stream += lead + "X check 0\n";
          want += "<X check 0>";
          break;
        case 1: {  // a look-alike: cut short, with another nonce, or doubled
          std::string fake = lead.substr(0, random() % lead.size());
          if (!fake.empty() && random() % 2) fake.back() ^= 1;
          fake += "\x1e\x1e";
          if (random() % 2) fake += "\n";
          stream += fake;
          want += fake;
          break;
        }
        default: {
          std::string text;
          for (unsigned n = random() % 40; n > 0; --n) text += static_cast<char>(random() % 256);
          if (!text.empty() && text.back() == '\x1e') text.back() = 'x';
          stream += text;
          want += text;
        }
      }
    }
    FrameParser parser(kNonce);
    Log log;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t n = 1 + random() % (round % 2 ? 3 : 60);
      parser.feed(std::string_view(stream).substr(at, n), log);
      at += n;
    }
    parser.flush(log);
    ASSERT_EQ(log.said, want) << round;
  }
}

TEST(Frames, AnEndlessMarkIsTextAndIsNotKept) {
  FrameParser parser(kNonce);
  Log log;
  parser.feed(std::string("\x1e") + kNonce + " ", log);
  std::size_t sent = 0;
  for (; sent < 100000 && log.said.empty(); ++sent) parser.feed("y", log);
  EXPECT_EQ(sent, FrameParser::kMaxMark);
}

TEST(Collecting, AMessageThatIsCutSaysSo) {
  Collector c(check_task("x", "y"), 16 * 1024, [](Stage, Stream, std::string_view) {});
  c.mark(Stream::err, "B check");
  for (const char* text : {"a", "b", "c"}) {
    c.mark(Stream::err, "V change");
    c.text(Stream::err, std::string(3 * 1024, *text));
    c.mark(Stream::err, "v");
  }
  const std::string message = c.take().stages.at(0).message.raw();
  EXPECT_EQ(message.size(), Collector::kMaxMessage);
  EXPECT_EQ(message.find("... ("), message.rfind("... ("));
  EXPECT_TRUE(message.ends_with(" bytes more)"));
}

// Everything a host could say with the nonce in hand is still bounded.
TEST(Collecting, IsBoundedWhateverTheHostSays) {
  Task task = check_task("x", "y");
  task.id = 7;
  std::size_t out = 0;
  Collector c(task, 16 * 1024, [&](Stage, Stream, std::string_view b) { out += b.size(); });
  c.mark(Stream::out, "B check");
  c.mark(Stream::err, "B check");
  const std::string big(300 * 1024, 'x');
  c.mark(Stream::out, "F large");
  c.text(Stream::out, big);
  c.mark(Stream::out, "f");
  for (int i = 0; i < 1000; ++i) {
    c.mark(Stream::out, "F f" + std::to_string(i));
    c.text(Stream::out, "v");
    c.mark(Stream::out, "f");
  }
  for (int i = 0; i < 100; ++i) {
    c.mark(Stream::err, "V change");
    c.text(Stream::err, big);
    c.mark(Stream::err, "v");
    c.mark(Stream::out, "D");
    c.text(Stream::out, big);
    c.mark(Stream::out, "d");
    c.mark(Stream::out, "B nonsense" + std::to_string(i));
    c.mark(Stream::out, "X check 99999999999999999999");
    c.mark(Stream::out, "");
    c.text(Stream::out, big);
  }
  const TaskResult r = c.take();
  EXPECT_EQ(r.facts.size(), Collector::kMaxFacts);
  EXPECT_EQ(r.stages.size(), 1u);
  EXPECT_EQ(r.stages[0].verdict, Verdict::fail);
  EXPECT_LE(r.stages[0].message.size(), Collector::kMaxMessage);
  EXPECT_EQ(r.diff.size(), Collector::kMaxDiff);
  EXPECT_LE(r.tail.size(), 16u * 1024);
  // What is cut says so: redaction looks there for what is left of a secret.
  EXPECT_TRUE(r.diff.raw().ends_with(" bytes more)"));
  EXPECT_TRUE(r.tail.raw().starts_with("... ("));
  EXPECT_EQ(r.output_bytes, 100 * big.size());
  EXPECT_FALSE(c.ended());
  c.mark(Stream::out, "E 8 out");  // another task's
  c.mark(Stream::err, "E 7 err");
  EXPECT_FALSE(c.ended());
  c.mark(Stream::out, "E 7 out");
  EXPECT_TRUE(c.ended());
}

TEST(Collecting, KnowsWhetherApplyMayHaveBegun) {
  auto possible = [](const Task& task, std::initializer_list<std::string> out,
                     std::initializer_list<std::string> err) {
    Collector c(task, 1024, [](Stage, Stream, std::string_view) {});
    for (const auto& words : out) c.mark(Stream::out, words);
    for (const auto& words : err) c.mark(Stream::err, words);
    return c.apply_possible();
  };
  const Task both = check_task("x", "y");
  EXPECT_TRUE(possible(both, {}, {}));
  EXPECT_TRUE(possible(both, {"S 0", "B check"}, {}));
  EXPECT_TRUE(possible(both, {"B check"}, {"B check", "V change", "v"}));
  EXPECT_TRUE(possible(both, {"B check", "X check 0"}, {}));  // the verdict is still on its way
  EXPECT_FALSE(possible(both, {"B check"}, {"B check", "V ok", "v"}));
  EXPECT_FALSE(possible(both, {"B check"}, {"B check", "V change", "v", "V fail", "v"}));
  EXPECT_FALSE(possible(both, {"B check", "X check 2"}, {"B check", "V change", "v"}));
  EXPECT_TRUE(possible(both, {"B check", "X check 0", "B apply"}, {}));
  EXPECT_TRUE(possible(apply_task("x"), {}, {}));
  EXPECT_FALSE(possible(check_task("x"), {}, {}));
  EXPECT_FALSE(possible(check_task("x", "y", Mode::check), {}, {}));
}

TEST(Requests, RefuseWhatWouldBreakTheShell) {
  for (const char* name : {"", "1a", "a b", "a=b", "PATH", "IFS", "_cn_n", "UID", "a;b", "nl"}) {
    Task task = apply_task(":");
    task.variables = {{.name = name, .value = "x"}};
    EXPECT_FALSE(make_request(task, 0, Claim::none)) << name;
  }
  Task task = apply_task(":");
  task.variables = {{.name = "a", .value = std::string("x\0y", 3)}};
  EXPECT_FALSE(make_request(task, 0, Claim::none));
  EXPECT_FALSE(make_request(apply_task(std::string("x\0y", 3)), 0, Claim::none));
  EXPECT_NE(make_nonce(), make_nonce());
  EXPECT_EQ(make_nonce().size(), 32u);
}

TEST(Requests, ThePreludePassesShellCheck) {
  const std::string path = ::testing::TempDir() + "cnplay_prelude.sh";
  std::ofstream(path) << prelude_source();
  if (std::system("command -v shellcheck >/dev/null") != 0) GTEST_SKIP() << "no shellcheck";
  EXPECT_EQ(std::system(("shellcheck -s sh " + path).c_str()), 0);
}

TEST(Sudo, NamesOfUsers) {
  for (const char* good : {"root", "www-data", "_apt", "a.b", "DOM\\user", "u@realm"}) {
    EXPECT_TRUE(is_user_name(good)) << good;
  }
  for (const char* bad : {"", "-u", "a b", "a;b", "$(x)", "a\nb", "#0", "%wheel"}) {
    EXPECT_FALSE(is_user_name(bad)) << bad;
  }
}

// A request cut after each of its bytes: no part of it may run. With the real shells.
class Torn : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Remote, Torn, ::testing::ValuesIn(shells()),
                         [](const auto& info) { return info.param; });

TEST_P(Torn, NothingOfATornRequestRuns) {
  World world(GetParam());
  const auto evidence = world.root / "ran";
  Task task = apply_task("echo it\\'s; : >" + evidence.string() + "\nexit 0");
  task.id = 5;
  task.variables = {{.name = "a", .value = "x'\n: >" + evidence.string() + "\n'y"}};
  const auto ship = make_request(task, 0, Claim::none);
  ASSERT_TRUE(ship);
  const std::string boot = make_bootstrap(kNonce, "r", "0123456789abcdef", false);
  // In one process a shell for each cut: the text goes in through files, to be quick.
  const auto boot_file = world.write_file("boot", boot, 0644);
  const auto driver = world.write_file("driver",
                                       "cd \"$1\" || exit 9\nfor f in cut.*; do\n"
                                       "  cat boot \"$f\" | HOME=$1 bin/sh >/dev/null 2>&1\n"
                                       "  [ ! -e ran ] || { echo \"$f\"; rm ran; }\ndone\n",
                                       0755);
  for (std::size_t n = 1; n < ship->size(); ++n) {
    world.write_file("cut." + std::to_string(n), ship->substr(0, n), 0644);
  }
  FILE* pipe = popen(("sh " + driver.string() + " " + world.root.string()).c_str(), "r");
  std::string said;
  for (int c; (c = fgetc(pipe)) != EOF;) said += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0);
  // Without its newline alone it is whole, and runs: as a whole.
  EXPECT_EQ(said, "cut." + std::to_string(ship->size() - 1) + "\n");
}

}  // namespace
}  // namespace cnplay::remote::testing
