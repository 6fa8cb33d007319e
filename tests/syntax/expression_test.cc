// Expressions on their own: precedence, literals, texts; and parsing from several threads.
#include <gtest/gtest.h>

#include <thread>

#include "support/syntax/dump.h"
#include "syntax/parse.h"

namespace cnplay::syntax {
namespace {

// The tree of an expression, or its diagnostics' codes and summaries.
std::string read(const std::string& text) {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  const auto expr = parse_expression(sources.add("-e", text), diags);
  EXPECT_EQ(expr == nullptr, diags.has_errors()) << text;
  if (expr != nullptr) return testing::dump(*expr, sources);
  std::string out;
  for (const auto& d : diags.sorted()) out += (out.empty() ? "" : "; ") + d.code + " " + d.summary;
  return out;
}

// The same of a template.
std::string read_template(const std::string& text) {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  sources.add("before", "so that offsets do not begin at 1");
  const auto expr = parse_template(sources.add("x.conf", text), diags);
  EXPECT_EQ(expr == nullptr, diags.has_errors()) << text;
  if (expr != nullptr) return testing::dump(*expr, sources);
  std::string out;
  for (const auto& d : diags.sorted()) {
    const auto at = sources.locate(d.subject.span);
    out += (out.empty() ? "" : "; ") + d.code + " " + std::to_string(at.line) + ":" +
           std::to_string(at.column);
  }
  return out;
}

TEST(Template, OnlyTheExpressionsAreTheLanguages) {
  EXPECT_EQ(read_template("plain \"text\" \\n $x {y}\n"), read(R"("plain \"text\" \\n $x {y}\n")"));
  EXPECT_EQ(read_template("a ${b + 1} c${d}"), read(R"("a ${b + 1} c${d}")"));
  EXPECT_EQ(read_template("$${a} $$${b} $"), read(R"("\${a} $\${b} $")"));
  EXPECT_EQ(read_template("${\"}{${x}\"}"), read(R"("${"}{${x}"}")"));
  EXPECT_EQ(read_template(""), read(R"("")"));
  EXPECT_EQ(read_template("x\n y ${a b}\n${}\n ${a\n}"), "E0021 2:8; E0007 3:1; E0006 4:2");
}

TEST(Expression, Precedence) {
  EXPECT_EQ(read("a or b and not c == d"), "(or a (and b (not (== c d))))");
  EXPECT_EQ(read("a == b ?? c | d & e + f * -g.h"),
            "(== a (?? b (| c (& d (+ e (* f (neg (. g h))))))))");
  EXPECT_EQ(read("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(read("a ?? b ?? c"), "(?? a (?? b c))");
  EXPECT_EQ(read("-a.b[0](c)"), "(neg (call (at (. a b) 0) (c)))");
  EXPECT_EQ(read("if a then b else if c then d else e"), "(if a b (if c d e))");
  EXPECT_EQ(read("not not a"), "(not (not a))");
  EXPECT_EQ(read("x in [1, 2] and y"), "(and (in x [1 2]) y)");
}

TEST(Expression, Numbers) {
  EXPECT_EQ(read("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(read("-9223372036854775807"), "(neg 9223372036854775807)");
  EXPECT_EQ(read("9223372036854775808"), "E0014 this number is too large");
  EXPECT_EQ(read("0"), "0");
  EXPECT_EQ(read("1h30m"), "5400000ms");
  EXPECT_EQ(read("250ms"), "250ms");
  EXPECT_EQ(read("2MiB"), "2097152B");
  EXPECT_EQ(read("99999999999999d"), "E0014 `99999999999999d` is too large");
  EXPECT_EQ(read("1.5"), "E0015 `1.5` is not a number of this language");
}

// The rule of tokens.h: a percent, unless an operand stands directly behind the sign.
TEST(Expression, PercentOrRemainder) {
  EXPECT_EQ(read("25%"), "25%");
  EXPECT_EQ(read("[25%, 5%]"), "[25% 5%]");
  EXPECT_EQ(read("(25%)"), "25%");
  EXPECT_EQ(read("10%3"), "(% 10 3)");
  EXPECT_EQ(read("10%x"), "(% 10 x)");
  EXPECT_EQ(read("10%(x)"), "(% 10 x)");
  EXPECT_EQ(read("10 % 3"), "(% 10 3)");
  EXPECT_EQ(read("10 %3"), "(% 10 3)");
  EXPECT_EQ(read("x%3"), "(% x 3)");
  EXPECT_EQ(read("25% + 5%"), "(+ 25% 5%)");
}

TEST(Expression, Texts) {
  EXPECT_EQ(read("\"\""), "(text)");
  EXPECT_EQ(read("\"a${b}${\"c${d}\"}$e\""), "(text 'a' b (text 'c' d) '$e')");
  EXPECT_EQ(read("\"\\n\\t\\\"\\\\\\$\\u{65}\\u{1F600}\""), "(text '\\n\t\"\\$e\xF0\x9F\x98\x80')");
  EXPECT_EQ(read("\"${ {a: 1} }\""), "E0023 a record is not allowed here");
  EXPECT_EQ(read("\"${f({a: 1})}\""), "(text (call f ({a: 1})))");
  EXPECT_EQ(read("\"# no comment\" # a comment"), "(text '# no comment')");
}

TEST(Expression, TextBlocks) {
  EXPECT_EQ(read("\"\"\"one line\"\"\""), "(block 'one line')");
  EXPECT_EQ(read("\"\"\"\n    a\n      b\n\n    c\n    \"\"\""), "(block 'a\\n  b\\n\\nc\\n')");
  EXPECT_EQ(read("\"\"\"\n  a\n  b\"\"\""), "(block '  a\\n  b')")
      << "the fence has no line of its own";
  EXPECT_EQ(read("\"\"\"a\n  b\n  \"\"\""), "(block 'a\\nb\\n')");
  EXPECT_EQ(read("\"\"\"\r\n  a\r\n  b\r\n  \"\"\""), "(block 'a\\nb\\n')");
  EXPECT_EQ(read("\"\"\"\n\ta \"quoted\" \"\"\n\t\"\"\""), "(block 'a \"quoted\" \"\"\\n')");
  EXPECT_EQ(read("\"\"\"\n  ${a}\n    ${b}\n  \"\"\""), "(block a '\\n  ' b '\\n')");
  EXPECT_EQ(read("\"\"\"\n${a}\n  \"\"\""),
            "E0016 a line of this text is less indented than its closing `\"\"\"`");
}

TEST(Expression, NewlinesAreFreeInBracketsOnly) {
  EXPECT_EQ(read("(1\n+\n2)"), "(+ 1 2)");
  EXPECT_EQ(read("[\n1,\n2,\n]"), "[1 2]");
  EXPECT_EQ(read("{\na: 1\nb: 2,\n\nc: 3 }"), "{a: 1, b: 2, c: 3}");
  EXPECT_EQ(read("1 +\n2"), "E0023 expected a value, found the end of the line");
  EXPECT_EQ(read("\n\n1\n\n"), "1");
}

TEST(Expression, WhatIsNone) {
  EXPECT_EQ(read(""), "E0023 expected a value, found the end of the file");
  EXPECT_EQ(read("# only a comment\n"), "E0023 expected a value, found the end of the file");
  EXPECT_EQ(read("1 2"), "E0021 expected the end of the value, found the number `2`");
  EXPECT_EQ(read("1\n2"), "E0021 expected the end of the value, found the number `2`");
  EXPECT_EQ(read("step a { }"), "E0021 expected the end of the value, found `a`");
  EXPECT_EQ(read(")"), "E0012 this `)` closes nothing");
}

TEST(Parse, SeveralThreadsAtOnce) {
  const std::string text =
      "play p {\n  step a on web retry 2 every 10s {\n    a.b(c: \"${d}\")\n  }\n  stpe x y\n}\n";
  const auto once = [&text] {
    diag::SourceMap sources;
    diag::Diagnostics diags;
    const File file = parse(sources.add("p", text), diags);
    return testing::dump(file, sources) + diag::to_text(diags, sources, false);
  };
  const std::string wanted = once();
  std::vector<std::string> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) result = once();
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, wanted);
}

}  // namespace
}  // namespace cnplay::syntax
