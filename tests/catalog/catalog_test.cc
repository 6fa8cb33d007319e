// Declarations of modules, and the reader of shell texts.
#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catalog/embedded.h"
#include "support/golden.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

namespace fs = std::filesystem;

class CatalogDiagnostics : public ::testing::TestWithParam<std::string> {};

TEST_P(CatalogDiagnostics, AreTheseWordByWord) {
  std::ifstream in(source_directory() / "tests/golden/catalog" / (GetParam() + ".play"));
  std::stringstream text;
  text << in.rdbuf();
  diag::SourceMap sources;
  diag::Diagnostics diags;
  catalog::Catalog catalog;
  catalog.add(sources.add("modules/" + GetParam() + ".play", text.str()), false, diags);
  const std::string shown = diag::to_text(diags, sources, false);
  EXPECT_NE(std::string::npos, shown.find("[" + GetParam().substr(0, 5) + "]")) << shown;
  expect_golden("catalog/" + GetParam() + ".txt", shown);
}

INSTANTIATE_TEST_SUITE_P(Golden, CatalogDiagnostics,
                         ::testing::ValuesIn(golden_files("catalog", ".play")),
                         [](const auto& info) { return info.param; });

TEST(Catalog, TheStandardModulesAreSound) {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  catalog::Catalog catalog;
  for (const auto& file : catalog::embedded_modules()) {
    catalog.add(sources.add(std::string(file.name), std::string(file.text)), true, diags);
  }
  EXPECT_TRUE(diags.empty()) << diag::to_text(diags, sources, false);
}

TEST(Catalog, TheProjectsOwnComeFirst) {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  catalog::Catalog catalog;
  catalog.add(sources.add("mine.play",
                          "# What it does.\n#\n# More.\nmodule a.b \"Mine\" {\n  param x: int? \"a "
                          "number\"\n  check sh \"\"\": \"$x\"; ok\"\"\"\n}\n"),
              false, diags);
  catalog.add(sources.add("theirs.play",
                          "module a.b \"Theirs\" { check sh \"\"\"ok\"\"\" }\nmodule a.c { check "
                          "sh \"\"\"ok\"\"\" }\n"),
              true, diags);
  ASSERT_TRUE(diags.empty()) << diag::to_text(diags, sources, false);
  const auto* module = catalog.find("a.b");
  ASSERT_TRUE(module);
  EXPECT_EQ("Mine", module->title);
  EXPECT_EQ("What it does.\n\nMore.", module->doc);
  ASSERT_EQ(1u, module->params.size());
  EXPECT_EQ("a number", module->params[0].doc);
  EXPECT_EQ((std::vector<std::string>{"a.b", "a.c"}), catalog.names());
  EXPECT_TRUE(catalog.source_text(*module, sources)
                  .starts_with("# What it does.\n#\n# More.\nmodule a.b \"Mine\" {\n"));
}

std::string free_in(std::string_view script) {
  std::string out;
  for (const auto& name : catalog::free_names(script)) out += (out.empty() ? "" : " ") + name.name;
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
    catalog::free_names(text);
    catalog::assigned_names(text);
  }
  catalog::free_names(std::string(100'000, '('));
  std::string nested;
  for (int i = 0; i < 5000; ++i) nested += "$(";
  catalog::free_names(nested);
}

}  // namespace
}  // namespace cnplay::testing
