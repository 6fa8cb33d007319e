// Broken input: whatever is deleted from, inserted into or repeated in good files, the parser ends,
// crashes never, and points into the source. Seeds are fixed, so a failure repeats;
// CNPLAY_MUTATIONS=100000 tries more of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "support/source_directory.h"
#include "support/syntax/dump.h"
#include "syntax/parse.h"
#include "syntax/tokens.h"

namespace cnplay::syntax {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> seeds() {
  std::vector<std::string> out;
  for (const char* directory : {"tests/golden/syntax/tree", "tests/golden/syntax"}) {
    for (const auto& entry : fs::directory_iterator(source_directory() / directory)) {
      if (entry.path().extension() != ".play" && entry.path().extension() != ".inv") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream text;
      text << in.rdbuf();
      out.push_back(text.str());
    }
  }
  std::ranges::sort(out);
  return out;
}

// Parses, and looks at all that comes back.
void parse_all(const std::string& text) {
  diag::SourceMap sources;
  sources.add("before", "another file\n");
  const auto& source = sources.add("mutant", text);
  sources.add("after", "another file\n");
  diag::Diagnostics diags;
  const File file = parse(source, diags);
  ASSERT_EQ(testing::dump(file, sources).find("!span"), std::string::npos) << text;
  const auto inside = [&](diag::Span s) {
    return sources.find(s) == &source && s.begin <= s.end &&
           s.end <= source.base + source.text.size() + 1;
  };
  for (const auto& d : diags.sorted()) {
    ASSERT_TRUE(inside(d.subject.span)) << d.summary << "\n" << text;
    ASSERT_FALSE(d.summary.empty());
    for (const auto& label : d.context) ASSERT_TRUE(inside(label.span)) << text;
    for (const auto& label : d.notes) ASSERT_TRUE(inside(label.span)) << text;
  }
  ASSERT_FALSE(diag::to_text(diags, sources, true).empty() && diags.has_errors());
  ASSERT_FALSE(diag::to_json(diags, sources).empty());
}

class Mutate {
 public:
  explicit Mutate(std::uint32_t seed) : random_(seed) {}

  std::string operator()(std::string text) {
    static const std::vector<std::string> pieces{"\"",
                                                 "\"\"\"",
                                                 "${",
                                                 "}",
                                                 "{",
                                                 "(",
                                                 ")",
                                                 "[",
                                                 "]",
                                                 "sh ",
                                                 "sh \"\"\"\n",
                                                 "\n",
                                                 "\\",
                                                 "'",
                                                 "#",
                                                 ":",
                                                 "=",
                                                 "==",
                                                 "..",
                                                 "%",
                                                 "25%",
                                                 " on ",
                                                 "step ",
                                                 "if ",
                                                 "else ",
                                                 "not ",
                                                 "-",
                                                 "99999999999d",
                                                 "\xFF",
                                                 std::string(1, '\0'),
                                                 "\xE2\x80\x9C",
                                                 "\r\n",
                                                 ";",
                                                 "?",
                                                 "<",
                                                 ">",
                                                 ","};
    for (std::size_t edits = 1 + pick(4); edits > 0; --edits) {
      const std::size_t at = pick(text.size() + 1);
      switch (pick(5)) {
        case 0:
          text.erase(at, 1 + pick(3));
          break;
        case 1:
          text.erase(at, 1 + pick(60));
          break;
        case 2:
          text.insert(at, pieces[pick(pieces.size())]);
          break;
        case 3:
          text.insert(pick(text.size() + 1), text.substr(at, pick(80)));
          break;
        default:
          if (at < text.size()) text[at] = static_cast<char>(pick(256));
          break;
      }
    }
    return text;
  }

 private:
  std::size_t pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }
  std::mt19937 random_;
};

TEST(Mutation, OfGoodAndBadFiles) {
  const auto files = seeds();
  ASSERT_GT(files.size(), 20u);
  const char* more = std::getenv("CNPLAY_MUTATIONS");
  const auto count = more == nullptr ? 1500u : static_cast<unsigned>(std::atoi(more));
  for (std::uint32_t seed = 0; seed < count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Mutate mutate(seed);
    ASSERT_NO_FATAL_FAILURE(parse_all(mutate(files[seed % files.size()])));
  }
}

TEST(Mutation, EveryPrefixOfTheTour) {
  const auto files = seeds();
  const auto tour = std::ranges::find_if(files, [](const std::string& f) {
    return f.find("coralnet.server_stop(web: web") != f.npos;
  });
  ASSERT_NE(tour, files.end());
  for (std::size_t length = 0; length <= tour->size(); length += 17) {
    SCOPED_TRACE("length " + std::to_string(length));
    ASSERT_NO_FATAL_FAILURE(parse_all(tour->substr(0, length)));
  }
}

TEST(Nesting, IsRefusedBeforeTheStackEnds) {
  const auto repeat = [](const std::string& piece, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += piece;
    return out;
  };
  const std::size_t many = 20000;
  for (const auto& [before, piece, after] :
       std::vector<std::array<std::string, 3>>{{"play p { let x = ", "(", "1"},
                                               {"play p { let x = ", "[", ""},
                                               {"play p { let x = ", "-", "1"},
                                               {"play p { let x = ", "not ", "a"},
                                               {"play p { let x = ", "1 + ", "1"},
                                               {"play p { let x = a", ".b", ""},
                                               {"play p { let x = a", "[0]", ""},
                                               {"play p { let x = a", "()", ""},
                                               {"play p { let x = ", "if a then b else ", "c"},
                                               {"play p { let x = ", "f(", ""},
                                               {"play p { let x = ", "{a: ", "1"},
                                               {"play p { let x = ", "\"${", "1"},
                                               {"play p { param x: ", "list<", "int"},
                                               {"play p { ", "parallel { ", ""},
                                               {"play p { ", "if a { ", ""},
                                               {"play p { ", "if a { } else ", "{ }"},
                                               {"inventory p { ", "group a { ", ""},
                                               {"", "play p { ", ""},
                                               {"", "}", ""},
                                               {"", ")", ""},
                                               {"play p { ", "stpe a { ", ""}}) {
    SCOPED_TRACE(piece);
    diag::SourceMap sources;
    diag::Diagnostics diags;
    parse(sources.add("deep", before + repeat(piece, many) + after + "\n"), diags);
    EXPECT_TRUE(diags.has_errors());
  }
}

// What is just allowed is parsed, built and destroyed.
TEST(Nesting, UpToTheLimitIsAccepted) {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  std::string text = "play p {\n  let a = " + std::string(190, '(') + "1" + std::string(190, ')') +
                     "\n  let b = " + std::string(400, '-') + "1\n  let c = 1";
  for (int i = 0; i < 400; ++i) text += " + 1";
  text += "\n";
  for (int i = 0; i < 190; ++i) text += "parallel { ";
  text += std::string(190, '}') + "\n}\n";
  // `}` must end a line's statement: spread them.
  std::string spread;
  for (std::size_t i = 0; i < text.size(); ++i) {
    spread += text[i];
    if (text[i] == '}' && i + 1 < text.size() && text[i + 1] == '}') spread += '\n';
  }
  parse(sources.add("deep", spread), diags);
  EXPECT_TRUE(diags.empty()) << diag::to_text(diags, sources, false).substr(0, 2000);
}

std::size_t work_for(const std::string& text, std::size_t& errors) {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  const auto& source = sources.add("long", text);
  const std::size_t before = work;
  parse(source, diags);
  errors = diags.errors();
  return work - before;
}

// Four times the text is about four times the work; a quadratic step would show as sixteen.
void expect_linear(const std::string& piece, std::size_t bytes = 40000) {
  const auto play = [&](std::size_t size) {
    std::string text = "play p {\n";
    while (text.size() < size) text += piece;
    return text + "}\n";
  };
  std::size_t errors = 0;
  work_for(play(bytes), errors);  // ANTLR learns its decisions
  const std::size_t small = work_for(play(bytes / 4), errors);
  const std::size_t large = work_for(play(bytes), errors);
  EXPECT_GT(small, 100u);
  EXPECT_LT(large, 5 * small + 1000) << piece;
}

TEST(Work, OnGoodFilesIsLinear) {
  expect_linear(
      "  step code on web timeout 10m retry 2 every 10s {\n"
      "    let moved = git.rebase(dir: app, onto: \"origin/${branch}\")\n"
      "    undo { git.reset(dir: app, to: saved.before) }\n  }\n");
  expect_linear("  x.y(z: [1, 2, \"a\", -3, b + c])\n");
}

TEST(Work, OnFilesWithSyntaxErrorsIsLinear) {
  for (const std::string piece : {"  stpe code on web {\n    git.rebase(dir: app onto: 3)\n  }\n",
                                  "step a on )) web { sh \"\"\"true\"\"\" }\n",
                                  "}\n",
                                  "{\n",
                                  ")",
                                  "'a' ",
                                  "; ",
                                  "\"a ",
                                  "\"a\n",
                                  "${ ",
                                  "{ } } ",
                                  "( ",
                                  "a.b( ",
                                  "\"${x\n",
                                  "sh \"\"\"a\n",
                                  "let x = 1 + \n",
                                  "step a \"hello on web { sh \"\"\"id\"\"\" }\n",
                                  "a: b\n",
                                  "- name: x\n",
                                  "else ",
                                  "step a on web { undo { undo {\n",
                                  "if x { } else { } else { }\n",
                                  "for x in [1 { step a on web { } }\n",
                                  "step x on web when = 3 { } "}) {
    expect_linear(piece, 8000);
  }
}

}  // namespace
}  // namespace cnplay::syntax
