// The `commands` of modules with values in them.
#include "render/commands.h"

#include <gtest/gtest.h>

namespace cnplay::render {
namespace {

CommandValue text(std::string value) {
  const bool given = !value.empty();
  return {true, false, given, false, {std::move(value)}};
}
CommandValue list(std::vector<std::string> items) {
  const bool given = !items.empty();
  return {true, true, given, false, std::move(items)};
}
CommandValue flag(bool value) { return {true, false, value, true, {value ? "true" : "false"}}; }
CommandValue later() { return {}; }

std::string fill(std::string_view commands, const std::map<std::string, CommandValue>& values) {
  return fill_commands(commands, values, {}).text;
}

TEST(Commands, AValueIsOneWordAndQuotedWhereItMustBe) {
  EXPECT_EQ(fill("rm -- $x ${x}.new \"$x/a\"\n", {{"x", text("/srv/a")}}),
            "rm -- /srv/a /srv/a.new /srv/a/a\n");
  EXPECT_EQ(fill("rm -- $x \"$x/b c\"\n", {{"x", text("it's $(x)")}}),
            "rm -- 'it'\\''s $(x)' 'it'\\''s $(x)/b c'\n");
  EXPECT_EQ(fill("f $x \"$x\" \"--m=$x\"\n", {{"x", text("")}}), "f '' '' --m=\n");
  EXPECT_EQ(fill("f $x\n", {{"x", text("a=b")}}), "f 'a=b'\n");
}

TEST(Commands, AValueInDoubleQuotesBesideASubstitutionIsEscaped) {
  EXPECT_EQ(fill("cd \"$(dirname \"$x\")/$x\"\n", {{"x", text("a $b\"`c")}}),
            "cd \"$(dirname 'a $b\"`c')/a \\$b\\\"\\`c\"\n");
}

TEST(Commands, AWordWithAListIsWrittenOnceForEachItem) {
  const std::map<std::string, CommandValue> values{{"x", list({"a", "b c"})}, {"none", list({})}};
  EXPECT_EQ(fill("f $x end\n", values), "f a 'b c' end\n");
  EXPECT_EQ(fill("f --not=\"$x\" end\n", values), "f --not=a --not='b c' end\n");
  EXPECT_EQ(fill("f --not=\"$none\" $none end\n", values), "f end\n");
}

TEST(Commands, WordsDependOnWhetherAParameterHasAValue) {
  const std::map<std::string, CommandValue> values{
      {"on", flag(true)}, {"off", flag(false)}, {"dir", text("/a b")}, {"no", text("")}};
  EXPECT_EQ(fill("f ${on:+--on} ${off:+--off} ${dir:+-C \"$dir\"} ${no:+-x \"$no\"} end\n", values),
            "f --on -C '/a b' end\n");
  EXPECT_EQ(fill("${off:+a | b}\n${on:+c}\n${no:+x} d\n", values), "c\nd\n");
  EXPECT_EQ(fill("cd ${no:-\"$(pwd)/$dir\"} ${dir:-x} ${on:---y} ${off:---n}\n", values),
            "cd \"$(pwd)//a b\" '/a b' --n\n");
  EXPECT_EQ(fill("f \"a${off:+b}c${dir:+ in $dir}\"\n", values), "f 'ac in /a b'\n");
}

TEST(Commands, WhatIsNotKnownStaysAVariable) {
  const FilledCommands filled = fill_commands("f $x \"a $x $y\" ${x:+-m \"$x\"} ${y%/}\n",
                                              {{"x", later()}, {"y", text("v $")}}, {});
  EXPECT_EQ(filled.text, "f \"$x\" \"a $x v \\$\" -m \"$x\" ${y%/}\n");
  EXPECT_EQ(filled.variables, (std::set<std::string>{"x", "y"}));
}

TEST(Commands, NothingElseIsRead) {
  const std::map<std::string, CommandValue> values{{"x", text("v")}};
  for (const char* text :
       {"f '$x' \\$x `echo $x` # $x\n", "own=1; f \"$own\" $own \"$@\" $1 $? ${own:+y}\n",
        "while :; do a & done > out 2>&1\n", "printf \"a\\n\" \"b\" ''\n", "\n\n", "f \"", "f ${",
        "$"}) {
    EXPECT_EQ(fill(text, values), text);
  }
}

TEST(Commands, TheIndentationOfAllLinesIsDropped) {
  EXPECT_EQ(fill("  a $x\n\n    b\n  c\n", {{"x", text("v")}}), "a v\n\n  b\nc\n");
  EXPECT_EQ(fill("", {}), "");
}

TEST(Commands, AFactIsSetWhereItIsRead) {
  const std::string commands = "${before:+before=$(git -C \"$dir\" rev-parse HEAD)}\ngo\n";
  const std::map<std::string, CommandValue> values{{"dir", text("/a")}};
  FilledCommands filled = fill_commands(commands, values, {{"before", true}});
  EXPECT_EQ(filled.text, "before=$(git -C /a rev-parse HEAD)\ngo\n");
  EXPECT_EQ(filled.facts, (std::set<std::string>{"before"}));
  filled = fill_commands(commands, values, {{"before", false}});
  EXPECT_EQ(filled.text, "go\n");
  EXPECT_TRUE(filled.facts.empty());
}

}  // namespace
}  // namespace cnplay::render
