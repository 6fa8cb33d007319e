// Inventories with the diagnostics that they get, word by word.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "inventory/inventory.h"
#include "support/golden.h"
#include "support/source_directory.h"
#include "syntax/parse.h"

namespace cnplay::testing {
namespace {

namespace fs = std::filesystem;

class InventoryDiagnostics : public ::testing::TestWithParam<std::string> {};

TEST_P(InventoryDiagnostics, AreTheseWordByWord) {
  std::ifstream in(source_directory() / "tests/golden/inventory" / (GetParam() + ".inv"));
  std::stringstream text;
  text << in.rdbuf();
  diag::SourceMap sources;
  diag::Diagnostics diags;
  const auto& source = sources.add(GetParam() + ".inv", text.str());
  inventory::read(syntax::parse(source, diags), sources, diags);
  const std::string shown = diag::to_text(diags, sources, false);
  EXPECT_NE(std::string::npos, shown.find("[" + GetParam().substr(0, 5) + "]")) << shown;
  expect_golden("inventory/" + GetParam() + ".txt", shown);
}

INSTANTIATE_TEST_SUITE_P(Golden, InventoryDiagnostics,
                         ::testing::ValuesIn(golden_files("inventory", ".inv")),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace cnplay::testing
