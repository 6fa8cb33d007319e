// Whole files: the tour of the language and its like parse without a diagnostic into the tree of
// the golden file; each file of mistakes gives exactly the text of its golden file.
#include "syntax/parse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "diag/codes.h"
#include "support/golden.h"
#include "support/source_directory.h"
#include "support/syntax/dump.h"

namespace cnplay::syntax {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sources_in(const std::string& directory) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(source_directory() / directory)) {
    const auto extension = entry.path().extension();
    if (extension == ".play" || extension == ".inv") out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class Tree : public ::testing::TestWithParam<fs::path> {};
class Mistakes : public ::testing::TestWithParam<fs::path> {};

TEST_P(Tree, ParsesAsItsGoldenFileSays) {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  const auto& source = sources.add(GetParam().filename().string(), read(GetParam()));
  const File file = parse(source, diags);
  EXPECT_TRUE(diags.empty()) << diag::to_text(diags, sources, false);
  const std::string tree = testing::dump(file, sources);
  EXPECT_EQ(tree.find("!span"), std::string::npos) << tree;
  EXPECT_EQ(tree.find("!name"), std::string::npos) << tree;
  testing::expect_golden("syntax/tree/" + GetParam().stem().string() + ".txt", tree);
}

TEST_P(Mistakes, AreToldAsTheGoldenFileSays) {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  const auto& source = sources.add(GetParam().filename().string(), read(GetParam()));
  const File file = parse(source, diags);
  EXPECT_TRUE(diags.has_errors());
  EXPECT_EQ(testing::dump(file, sources).find("!span"), std::string::npos);
  testing::expect_golden("syntax/" + GetParam().stem().string() + ".txt",
                         diag::to_text(diags, sources, false));
}

std::string test_name(const ::testing::TestParamInfo<fs::path>& info) {
  return info.param.stem().string();
}
INSTANTIATE_TEST_SUITE_P(Golden, Tree, ::testing::ValuesIn(sources_in("tests/golden/syntax/tree")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Golden, Mistakes, ::testing::ValuesIn(sources_in("tests/golden/syntax")),
                         test_name);

// A code without a golden file is a diagnostic that nobody has read.
TEST(Codes, EachSyntaxCodeHasAGoldenDiagnostic) {
  std::string all;
  for (const auto& path : sources_in("tests/golden/syntax")) {
    all += read(fs::path(path).replace_extension(".txt"));
  }
  for (const auto& code : diag::codes()) {
    if (!code.code.starts_with("E00")) continue;
    EXPECT_NE(all.find("[" + std::string(code.code) + "]"), std::string::npos)
        << code.code << " " << code.title;
  }
}

TEST(Codes, EachCodeThatIsPrintedIsExplained) {
  for (const auto& path : sources_in("tests/golden/syntax")) {
    diag::SourceMap sources;
    diag::Diagnostics diags;
    parse(sources.add("x", read(path)), diags);
    for (const auto& d : diags.sorted()) {
      EXPECT_NE(diag::find_code(d.code), nullptr) << d.code;
    }
  }
}

}  // namespace
}  // namespace cnplay::syntax
