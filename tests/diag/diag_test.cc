// Sources, suggestions, and the register of codes.
#include <gtest/gtest.h>

#include <cctype>

#include "diag/codes.h"
#include "diag/diagnostic.h"
#include "diag/source.h"

namespace cnplay::diag {
namespace {

TEST(SourceMap, LaysSourcesEndToEnd) {
  SourceMap sources;
  const auto& a = sources.add("a", "x\nyz");
  const auto& b = sources.add("b", "");
  const auto& c = sources.add("c", "h\xC3\xA9llo\n");
  EXPECT_EQ(a.base, 1u);
  EXPECT_EQ(sources.find({0, 0}), nullptr);
  EXPECT_EQ(sources.find({a.base, a.base}), &a);
  EXPECT_EQ(sources.find({a.base + 4, a.base + 4}), &a) << "the end of a file belongs to it";
  EXPECT_EQ(sources.find({b.base, b.base}), &b);
  EXPECT_EQ(sources.find({c.base, c.base}), &c);
  EXPECT_EQ(sources.find({c.base + 100, c.base + 101}), nullptr);

  const Location z = sources.locate({a.base + 3, a.base + 4});
  EXPECT_EQ(z.file, "a");
  EXPECT_EQ(z.line, 2u);
  EXPECT_EQ(z.column, 2u);
  EXPECT_EQ(sources.locate({c.base + 3, c.base + 4}).column, 3u) << "characters, not bytes";
  EXPECT_EQ(sources.locate({}).file, "");
  EXPECT_EQ(sources.text({a.base + 2, a.base + 4}), "yz");
  EXPECT_EQ(sources.text({a.base + 2, a.base + 400}), "yz");
  EXPECT_EQ(sources.text({}), "");
}

TEST(Span, JoinSkipsTheUnknown) {
  EXPECT_EQ(join({3, 5}, {9, 12}), (Span{3, 12}));
  EXPECT_EQ(join({9, 12}, {3, 5}), (Span{3, 12}));
  EXPECT_EQ(join({}, {3, 5}), (Span{3, 5}));
  EXPECT_EQ(join({3, 5}, {}), (Span{3, 5}));
}

TEST(DidYouMean, FindsWhatIsNear) {
  const std::vector<std::string> words{"step",     "phase",      "param",
                                       "parallel", "on_failure", "report"};
  EXPECT_EQ(did_you_mean("stpe", words), "step") << "two letters swapped are one edit";
  EXPECT_EQ(did_you_mean("pharse", words), "phase");
  EXPECT_EQ(did_you_mean("paralell", words), "parallel");
  EXPECT_EQ(did_you_mean("Step", words), "step");
  EXPECT_EQ(did_you_mean("onfailure", words), "on_failure");
  EXPECT_EQ(did_you_mean("frobnicate", words), "");
  EXPECT_EQ(did_you_mean("x", words), "");
  EXPECT_EQ(did_you_mean("", words), "");
  EXPECT_EQ(did_you_mean("step", words), "") << "itself is no suggestion";
  EXPECT_EQ(did_you_mean("wher", {"when", "where"}), "where") << "of equals the one that goes on";
}

TEST(Codes, AreSortedUniqueAndExplained) {
  ASSERT_FALSE(codes().empty());
  std::string_view before;
  for (const auto& each : codes()) {
    SCOPED_TRACE(std::string(each.code));
    ASSERT_EQ(each.code.size(), 5u);
    EXPECT_EQ(each.code[0], 'E');
    for (const char c : each.code.substr(1)) {
      EXPECT_TRUE(std::isdigit(static_cast<unsigned char>(c)) != 0);
    }
    EXPECT_LT(before, each.code) << "sorted, and none twice";
    before = each.code;
    EXPECT_FALSE(each.title.empty());
    EXPECT_EQ(each.title.find('\n'), std::string_view::npos);
    const bool example = each.explanation.find("\n    ") != std::string_view::npos ||
                         each.explanation.find("```") != std::string_view::npos;
    EXPECT_TRUE(example) << "an explanation shows an example";
  }
}

TEST(Codes, AFileIsCalledAfterItsCode) {
  for (const auto& file : code_files()) {
    const std::string code(file.text.substr(2, 5));
    EXPECT_EQ(file.name, "docs/errors/" + code + ".md");
    EXPECT_TRUE(file.text.starts_with("# " + code + ": ")) << file.name;
    EXPECT_EQ(file.text.find("\n\n"), file.text.find('\n')) << file.name;
  }
}

TEST(Codes, AreFoundInAnyCase) {
  ASSERT_NE(find_code("E0004"), nullptr);
  EXPECT_EQ(find_code("e0004"), find_code("E0004"));
  EXPECT_EQ(find_code("E0000"), nullptr);
  EXPECT_EQ(find_code(""), nullptr);
}

}  // namespace
}  // namespace cnplay::diag
