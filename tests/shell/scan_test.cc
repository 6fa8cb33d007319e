#include "shell/scan.h"

#include <gtest/gtest.h>

namespace cnplay::shell {
namespace {

std::string free_in(std::string_view script) {
  std::string out;
  for (const auto& name : free_names(script)) out += (out.empty() ? "" : " ") + name.name;
  return out;
}

TEST(ShellScanner, FindsWhatAScriptReads) {
  EXPECT_EQ("a b c", free_in("echo $a ${b} \"x${c}y\""));
  EXPECT_EQ("", free_in("echo '$a ${b}' \\$c \"\\$d\""));
  EXPECT_EQ("x", free_in("a=$x; echo \"$a\""));
  EXPECT_EQ("y", free_in("echo ${x:-$y} ${z+set}"));
  EXPECT_EQ("x n", free_in("echo $((x + 1)) $(( $n * 0x1f ))"));
  EXPECT_EQ("dir", free_in("for f in \"$dir\"/*; do echo \"$f\"; done"));
  EXPECT_EQ("p", free_in("read -r one two; echo \"$one$two$p\""));
  EXPECT_EQ("q", free_in("x=$(echo \"$(cat \"$q\")\"); echo \"$x\" `echo $x`"));
  EXPECT_EQ("", free_in("awk -v n=1 '{ print $1, $n }' # $comment"));
  EXPECT_EQ("h", free_in("cat <<EOF\n$h \\$i\nEOF\necho"));
  EXPECT_EQ("", free_in("cat <<'EOF'\n$h\nEOF\n"));
  EXPECT_EQ("t", free_in("cat <<-EOF | sed \"s/x/$t/\"\n\tplain\n\tEOF\n"));
  EXPECT_EQ("v", free_in("case $v in a) x=1 ;; b|c) x=2 ;; esac; echo \"$x\""));
  EXPECT_EQ("v", free_in("y=$(case $v in a) echo 1 ;; *) echo 2 ;; esac); echo \"$y\""));
  EXPECT_EQ("", free_in("echo $1 $@ $# $? $$ $! $- $0 \"$HOME\" \"$nl\" \"$preview\""));
  EXPECT_EQ("len", free_in("echo ${#len}"));
  EXPECT_EQ("b", free_in("${b%/*}"));
  EXPECT_EQ("", free_in(": \"${x:=1}\"; echo $x"));
  EXPECT_EQ("if", free_in("dd if=/dev/zero; echo $if"));
  EXPECT_EQ("", free_in("export A=1 B=2; echo $A$B; while getopts ab o; do echo $o; done"));
}

TEST(ShellScanner, StandsAnything) {
  for (const char* text : {"$(", "${", "${x", "\"", "'", "`", "$((", "<<", "<<EOF\n", ")", "))",
                           "\\", "$", "case", "x=$(", "$(((((("}) {
    free_names(text);
    assigned_names(text);
  }
  free_names(std::string(100'000, '('));
  std::string nested;
  for (int i = 0; i < 5000; ++i) nested += "$(";
  free_names(nested);
}

}  // namespace
}  // namespace cnplay::shell
