// Every play of tests/golden/compile with the diagnostics that it gets, word by word; and every
// registered code of these rooms has such a file.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "diag/code_tables.h"
#include "support/compile/world.h"
#include "support/golden.h"

namespace cnplay::testing {
namespace {

namespace fs = std::filesystem;

fs::path golden(const std::string& room) {
  return fs::path(CNPLAY_SOURCE_DIR) / "tests/golden" / room;
}

std::vector<std::string> files(const fs::path& directory, const std::string& extension) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == extension) out.push_back(entry.path().filename().string());
  }
  std::ranges::sort(out);
  return out;
}

class Diagnostics : public ::testing::TestWithParam<std::string> {};

TEST_P(Diagnostics, AreTheseWordByWord) {
  const std::string& play = GetParam();
  const auto world = compile_file(golden("compile"), play);
  EXPECT_FALSE(world->plan) << "it should have been refused";
  const std::string stem = fs::path(play).stem().string();
  const std::string text = world->text();
  if (stem[0] == 'E') {
    EXPECT_NE(std::string::npos, text.find("[" + stem.substr(0, 5) + "]")) << text;
  }
  expect_golden("compile/" + stem + ".txt", text);
}

INSTANTIATE_TEST_SUITE_P(Golden, Diagnostics,
                         ::testing::ValuesIn(files(golden("compile"), ".play")),
                         [](const auto& info) { return fs::path(info.param).stem().string(); });

TEST(Codes, EachHasAGoldenFile) {
  std::set<std::string> shown;
  for (const std::string room : {"compile", "catalog", "inventory"}) {
    for (const auto& file : files(golden(room), ".txt")) {
      const std::string text = read_text(golden(room) / file);
      for (std::size_t at = 0; (at = text.find("error[", at)) != std::string::npos; at += 6) {
        shown.insert(text.substr(at + 6, 5));
      }
    }
  }
  for (const auto* table :
       {&diag::compile_codes(), &diag::catalog_codes(), &diag::inventory_codes()}) {
    for (const auto& code : *table) {
      EXPECT_TRUE(shown.contains(std::string(code.code))) << code.code << ": " << code.title;
      EXPECT_NE(std::string::npos, std::string(code.explanation).size());
    }
  }
}

TEST(TenMistakes, GiveTenDiagnostics) {
  const auto world = compile_file(golden("compile"), "ten_mistakes.play");
  EXPECT_EQ(10u, world->diags.errors()) << world->text();
}

}  // namespace
}  // namespace cnplay::testing
