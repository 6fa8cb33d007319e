// Modules' scripts shortened: what is taken off, what must stay, and that a real shell does with
// the short text what it does with the long one.
#include "plan/by_hand.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace cnplay::plan {
namespace {

namespace fs = std::filesystem;

ByHand short_of(const std::string& apply, std::map<std::string, std::string> known = {},
                const std::string& check = "", std::set<std::string> facts = {},
                std::set<std::string> wanted = {}) {
  ByHandInput input;
  input.apply = apply;
  input.check = check;
  input.known = std::move(known);
  input.facts = std::move(facts);
  input.wanted = std::move(wanted);
  return by_hand(input);
}

TEST(ShellTree, ReadsBackWhatItWrites) {
  const std::string text =
      "a=1 b=\"x $(echo ')' | cat) y\" cmd 'q;uo' \\\n  <in 2>&1 | tee \"$f\" && ! x || { y; }\n"
      "if a; then b; elif c; then d; else e; fi >out\n"
      "while read -r x; do case $x in a | 'b)') y ;; *) ;; esac; done <<EOF\nbody $x\nEOF\n"
      "for i in 1 2; do (cd /; ls) ; done # comment\n"
      "f() { echo $((1 + ${#x})); }\n";
  const auto once = read_shell(text);
  ASSERT_TRUE(once);
  const std::string written = write_shell(*once);
  const auto twice = read_shell(written);
  ASSERT_TRUE(twice) << written;
  EXPECT_EQ(write_shell(*twice), written);
  EXPECT_NE(written.find("<<EOF\nbody $x\nEOF\n"), std::string::npos) << written;
  EXPECT_NE(written.find("\"x $(echo ')' | cat) y\""), std::string::npos) << written;
}

TEST(ShellTree, RefusesWhatItDoesNotKnow) {
  for (const char* text : {"a &", "echo `date`", "if a; then b", "x='", "cat <<EOF\nno end", "a )",
                           "case x in a) b", "for x; do y; done", "$(", "${x"}) {
    EXPECT_FALSE(read_shell(text)) << text;
  }
  for (const std::string piece : {"(", "{ ", "$(", "${x:-", "\"$(", "f() ", "if ", "x=${"}) {
    std::string deep;
    for (int i = 0; i < 20000; ++i) deep += piece;
    EXPECT_FALSE(read_shell(deep)) << piece;
  }
}

TEST(ByHand, ParametersDecideBranchesAndArguments) {
  const std::string script = R"(set --
[ "$upgrade" = false ] || set -- --upgrade
IFS=$nl
set -f
for p in $list; do set -- "$@" "$p"; done
unset IFS
set +f
case $mode in *.*) m=$mode ;; *) m=conf.$mode ;; esac
if [ -n "$host" ]; then export H="$host"; fi
tool ${config:+-c "$config"} --mode="$m" "$@" || fail "it failed")";
  const ByHand hand = short_of(script, {{"upgrade", "true"},
                                        {"list", "one\nit's two"},
                                        {"mode", "x"},
                                        {"host", ""},
                                        {"config", ""}});
  ASSERT_TRUE(hand.understood);
  EXPECT_EQ(hand.text, "tool --mode=conf.x --upgrade one 'it'\\''s two'\n");
  EXPECT_TRUE(hand.one_command);
}

TEST(ByHand, WhatIsNotKnownStays) {
  const std::string script = R"([ "$upgrade" = false ] || set -- --upgrade
case $mode in *.*) m=$mode ;; *) m=conf.$mode ;; esac
tool "$m" "$@")";
  const ByHand hand = short_of(script);
  ASSERT_TRUE(hand.understood);
  EXPECT_EQ(hand.text,
            "set --\n[ \"$upgrade\" = false ] || set -- --upgrade\ncase $mode in\n*.*)\n  m=$mode\n"
            "  ;;\n*)\n  m=conf.$mode\n  ;;\nesac\ntool \"$m\" \"$@\"\n");
  EXPECT_EQ(hand.reads, (std::set<std::string>{"mode", "upgrade"}));
}

// A guard of a change is no decoration.
TEST(ByHand, GuardsOfAChangeStay) {
  const std::string guard =
      "saved=$(git stash create) || saved=\n[ -n \"$saved\" ] || fail \"no\"\n";
  const ByHand hand = short_of(guard + "git reset --hard\n");
  EXPECT_EQ(hand.text,
            "saved=$(git stash create) || saved=\n[ -n \"$saved\" ] || fail \"no\"\n"
            "git reset --hard\n");
}

TEST(ByHand, WhatCleansUpAfterAFailureStays) {
  const ByHand hand = short_of(R"(if ! git rebase x; then
  files=$(git diff --name-only)
  git rebase --abort || :
  fail "conflict: $files"
fi)");
  EXPECT_EQ(hand.text, "if ! git rebase x; then\n  git rebase --abort || :\n  exit 1\nfi\n");
  // What the cleaning reads must not be taken from it.
  const ByHand reads = short_of("if ! a; then\n  x=$(date)\n  b \"$x\"\n  fail no\nfi\n");
  EXPECT_NE(reads.text.find("x=$(date)"), std::string::npos) << reads.text;
}

TEST(ByHand, NotesOfAFailureGoOnlyIfNothingElseReadsThem) {
  const std::string attempt =
      "temp=$(mktemp -d)\n{\n  a 2>&1 || : > \"$temp/failed\"\n} | tee \"$temp/out\"\n";
  const std::string gone =
      short_of(attempt + "if [ -e \"$temp/failed\" ]; then fail no; fi\n").text;
  EXPECT_EQ(gone, "a\n");
  const std::string kept =
      short_of(attempt + "if [ -e \"$temp/failed\" ]; then put_back; fail no; fi\n").text;
  EXPECT_NE(kept.find("|| : > \"$temp/failed\""), std::string::npos) << kept;
  EXPECT_NE(kept.find("put_back"), std::string::npos) << kept;
}

TEST(ByHand, PollingIsLeftToThePerson) {
  const std::string script = R"(supervisorctl stop "$p" || :
while :; do
  status=$(supervisorctl status "$p" 2>&1) || :
  case $status in *STOPPED*) exit 0 ;; esac
  sleep 1
done
fail "not stopped")";
  const ByHand hand = short_of(script, {{"p", "web"}});
  EXPECT_EQ(hand.text, "supervisorctl stop web\n");
  EXPECT_EQ(hand.look, "supervisorctl status web\n");
  EXPECT_TRUE(hand.polls);
  // A loop that does more than ask stays.
  const ByHand acts = short_of("while :; do\n  kick\n  sleep 1\ndone\nfail no\n");
  EXPECT_FALSE(acts.polls);
  EXPECT_NE(acts.text.find("kick"), std::string::npos);
}

TEST(ByHand, FactsComeFromTheCheck) {
  const std::string check = R"([ -d "$dir" ] || fail "no $dir"
before=$(git -C "$dir" rev-parse HEAD) || fail "no commit"
git -C "$dir" fetch --quiet || fail "no fetch"
new=$(git -C "$dir" rev-parse "$onto") || fail "no $onto"
bad=$(git -C "$dir" diff --name-only)
[ -z "$bad" ] || fail "dirty: $bad"
fact before "$before"
fact target "$new"
change "$before -> $new")";
  const ByHand hand = short_of("git -C \"$dir\" rebase \"$target\"\n",
                               {{"dir", "/x"}, {"onto", "o"}}, check, {"before", "target"});
  EXPECT_EQ(hand.text, R"(git -C /x fetch --quiet
new=$(git -C /x rev-parse o)
bad=$(git -C /x diff --name-only)
[ -z "$bad" ] || fail "dirty: $bad"
target="$new"
git -C /x rebase "$target"
)");
  const ByHand noted =
      short_of("a\n", {{"dir", "/x"}, {"onto", "o"}}, check, {"before", "target"}, {"before"});
  EXPECT_EQ(noted.text.substr(0, 32), "before=$(git -C /x rev-parse HEA");
  EXPECT_FALSE(short_of("a\n", {}, check, {"x"}, {"x"}).understood) << "nothing sets it";
}

TEST(ByHand, ACheckForItsOwnSakeShowsWhatItSees) {
  ByHandInput input;
  input.check =
      "got=$(curl -w '%{http_code}' \"$url\") || fail \"no answer\"\n"
      "[ \"$got\" = \"$status\" ] || fail \"got $got\"\nok \"$got\"\n";
  input.known = {{"url", "http://x/"}, {"status", "200"}};
  const ByHand hand = by_hand(input);
  EXPECT_EQ(hand.text, "curl -w '%{http_code}' http://x/\n");
  EXPECT_TRUE(hand.one_command);
  input.facts = input.wanted = {"code"};
  input.check = "got=$(curl \"$url\")\nfact code \"$got\"\nok\n";
  EXPECT_EQ(by_hand(input).text, "got=$(curl http://x/)\ncode=\"$got\"\n");
}

TEST(ByHand, WhatCannotBeReadIsNotShortened) {
  EXPECT_FALSE(short_of("sleep 1 &\nwait\n").understood);
  EXPECT_FALSE(short_of("eval \"$x\"\n").understood);
  EXPECT_FALSE(short_of("x=$(eval y)\n").understood);
}

// Whatever the text is: an answer, soon, and a text that reads as shell again.
TEST(ByHand, AnyTextIsReadOrRefused) {
  const std::string good = R"SH(set -- a "$x"; IFS=$nl
for p in $list; do case $p in -* | *'q'*) fail "no $p" ;; esac; set -- "$@" "$p"; done
if ! y=$(tool ${c:+-c "$c"} "$(inner "$z" | sed -e 's/(//')" 2>&1) || [ $((n + 1)) -gt 2 ]; then
  cat <<E >&2
$y
E
  fail "${y%%)*}"
fi
{ a 2>&1 || : > "$temp/f"; } | tee "$temp/o"
while :; do s=$(supervisorctl status) || :; sleep 1; done
fail "x"
)SH";
  std::uint32_t seed = 1;
  const auto random = [&](std::size_t n) {
    seed = seed * 1664525U + 1013904223U;
    return static_cast<std::size_t>(seed >> 8) % n;
  };
  const std::string pieces = "$(){}\"'`\\;|&<>\n #x";
  std::size_t understood = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = good;
    for (std::size_t n = 1 + random(3); n > 0 && !text.empty(); --n) {
      const std::size_t at = random(text.size());
      switch (random(3)) {
        case 0:
          text.erase(at, 1 + random(20));
          break;
        case 1:
          text.insert(at, 1, pieces[random(pieces.size())]);
          break;
        default:
          text.resize(at);
      }
    }
    const ByHand hand = short_of(text, {{"x", "1"}, {"list", "a\nb"}}, text, {"y"}, {});
    if (!hand.understood) continue;
    ++understood;
    EXPECT_TRUE(hand.text.empty() || read_shell(hand.text)) << text << "\n---\n" << hand.text;
  }
  EXPECT_GT(understood, 200U);
  std::string deep = "x";
  for (int i = 0; i < 40; ++i) deep = "a$(b \"" + deep + "\")";
  short_of(deep + "\n");
}

// --- the short text beside the long one, in a real shell

// What `script` calls: every command that is not the shell's own is a fake that writes down its
// words.
std::string calls(const std::string& script) {
  std::string name = fs::temp_directory_path() / "cnplay-by-hand-XXXXXX";
  const fs::path dir = ::mkdtemp(name.data());
  for (const char* tool : {"tool", "supervisorctl", "helper"}) {
    std::ofstream(dir / tool)
        << "#!/bin/sh\necho \"${0##*/}\" >>'" << dir.string() << "/log'\n"
        << "for w in \"$@\"; do echo \"  <$w>\" >>'" << dir.string()
        << "/log'; done\ncase $* in *bad*) exit 3 ;; *status*) echo STOPPED ;; esac\n";
    fs::permissions(dir / tool, fs::perms::owner_all);
  }
  std::ofstream(dir / "script") << "PATH='" << dir.string() << "':$PATH\nnl='\n'\n"
                                << "fail() { exit 1; }\nset -eu\n"
                                << script;
  const std::string command = "sh '" + (dir / "script").string() + "' >/dev/null 2>&1";
  const int code = std::system(command.c_str());
  std::ifstream log(dir / "log");
  std::stringstream text;
  text << log.rdbuf() << "failed: " << (code != 0);
  fs::remove_all(dir);
  return text.str();
}

TEST(ByHand, TheShortTextCallsWhatTheLongOneCalls) {
  const std::string script = R"(set --
IFS=$nl
set -f
for p in $list; do set -- "$@" "$p"; done
unset IFS
set +f
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
if [ "$mode" = '*' ]; then set -- --star "$@"; fi
for f in a b; do
  [ "$f" = "$mode" ] || helper "$f" "$mode"
done
n=0
while [ "$n" -lt 2 ]; do n=$((n + 1)); helper "$n"; done
if ! tool ${config:+-c "$config"} "$@" 2> "$temp/error"; then
  cat "$temp/error" >&2
  why=$(head -n 1 "$temp/error")
  fail "no: $why"
fi
helper done "${config:-none}"
)";
  for (const std::string list : {"", "one", "one\ntwo words\n*", "it's\n$(x)\n\"q\"\n\\", "bad"}) {
    for (const std::string mode : {"a", "*", "it's", "", "x=y"}) {
      for (const std::string config : {"", "/etc/a b"}) {
        const std::map<std::string, std::string> known{
            {"list", list}, {"mode", mode}, {"config", config}};
        std::string bound;
        for (const auto& [name, value] : known) {
          std::string quoted = "'";
          for (const char c : value) quoted += c == '\'' ? "'\\''" : std::string(1, c);
          bound += name + "=" + quoted + "'\n";
        }
        const ByHand hand = short_of(script, known);
        ASSERT_TRUE(hand.understood);
        EXPECT_EQ(calls(bound + script), calls(bound + hand.text)) << bound << hand.text;
        EXPECT_EQ(hand.text.find("why="), std::string::npos) << hand.text;
      }
    }
  }
}

}  // namespace
}  // namespace cnplay::plan
