// Every play of tests/golden/compile with the diagnostics that it gets, word by word; and every
// registered code of these rooms has such a file.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "diag/codes.h"
#include "support/compile/world.h"
#include "support/golden.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

namespace fs = std::filesystem;

fs::path golden(const std::string& room) { return source_directory() / "tests/golden" / room; }

class Diagnostics : public ::testing::TestWithParam<std::string> {};

TEST_P(Diagnostics, AreTheseWordByWord) {
  const std::string& stem = GetParam();
  const auto world = compile_file(golden("compile"), stem + ".play");
  // A warning alone refuses nothing.
  EXPECT_EQ(world->diags.has_errors(), !world->plan);
  const std::string text = world->text();
  if (stem[0] == 'E') {
    EXPECT_NE(std::string::npos, text.find("[" + stem.substr(0, 5) + "]")) << text;
  }
  expect_golden("compile/" + stem + ".txt", text);
}

INSTANTIATE_TEST_SUITE_P(Golden, Diagnostics, ::testing::ValuesIn(golden_files("compile", ".play")),
                         [](const auto& info) { return info.param; });

TEST(Codes, EachHasAGoldenFile) {
  std::set<std::string> shown;
  for (const std::string room : {"compile", "catalog", "inventory"}) {
    for (const auto& file : golden_files(room, ".txt")) {
      const std::string text = read_text(golden(room) / (file + ".txt"));
      for (const std::string severity : {"error[", "warning["}) {
        const std::size_t length = severity.size();
        for (std::size_t at = 0; (at = text.find(severity, at)) != std::string::npos;
             at += length) {
          shown.insert(text.substr(at + length, 5));
        }
      }
    }
  }
  for (const auto& code : diag::codes()) {
    if (code.code.starts_with("E00")) continue;  // tests/syntax has those
    EXPECT_TRUE(shown.contains(std::string(code.code))) << code.code << ": " << code.title;
  }
}

TEST(TenMistakes, GiveTenDiagnostics) {
  const auto world = compile_file(golden("compile"), "ten_mistakes.play");
  EXPECT_EQ(10u, world->diags.errors()) << world->text();
}

}  // namespace
}  // namespace cnplay::testing
