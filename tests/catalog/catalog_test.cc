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

}  // namespace
}  // namespace cnplay::testing
