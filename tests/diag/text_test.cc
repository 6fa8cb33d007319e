// The form of a diagnostic, as design/language.md shows it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diag/diagnostic.h"
#include "diag/work.h"

namespace cnplay::diag {
namespace {

class Text : public ::testing::Test {
 protected:
  // The span of `what` in the file that was added last.
  Span at(const std::string& what, std::size_t skip = 0) const {
    std::size_t found = source_->text.find(what);
    while (skip-- > 0) found = source_->text.find(what, found + 1);
    EXPECT_NE(found, std::string::npos) << what;
    const auto begin = source_->base + static_cast<std::uint32_t>(found);
    return {begin, begin + static_cast<std::uint32_t>(what.size())};
  }
  void file(const std::string& name, const std::string& text) {
    source_ = &sources_.add(name, text);
  }

  SourceMap sources_;
  const SourceMap::Source* source_ = nullptr;
};

TEST_F(Text, HasExcerptNoteAndHelp) {
  file("inventories/prod.inv", "inventory prod {\n  host web3 { }\n}\n");
  const Span host = at("web3");
  file("playbooks/update_code.play",
       std::string(35, '\n') + "      pip.install(venv: venv, upgrade: true)\n");
  Diagnostic d;
  d.code = "E0101";
  d.summary = "host variable `venv` has no value on 1 of 3 hosts";
  d.subject = {at("venv", 1), "needed for every host of `web`"};
  d.notes.push_back({host, "`web3` gets no value"});
  d.help = "set `venv` for `web3` or for one of its groups (web, all)";
  EXPECT_EQ(to_text(d, sources_, false),
            "error[E0101]: host variable `venv` has no value on 1 of 3 hosts\n"
            "  --> playbooks/update_code.play:36:25\n"
            "   |\n"
            "36 |       pip.install(venv: venv, upgrade: true)\n"
            "   |                         ^^^^ needed for every host of `web`\n"
            "note: `web3` gets no value\n"
            "  --> inventories/prod.inv:2:8\n"
            "help: set `venv` for `web3` or for one of its groups (web, all)\n");
}

// What a project writes stands in these texts.
TEST_F(Text, ANewlineInATextBeginsNoLineOfOurs) {
  file("p.play", "step a tags [x]\n");
  Diagnostic d;
  d.summary = "`a\nerror: b` is not a tag";
  d.subject = {at("x"), "\"t\n\nhelp: c\" is not a tag"};
  d.help = "write\nhelp: another";
  EXPECT_EQ(to_text(d, sources_, false),
            "error: `a error: b` is not a tag\n"
            "  --> p.play:1:14\n"
            "   |\n"
            " 1 | step a tags [x]\n"
            "   |              ^ \"t  help: c\" is not a tag\n"
            "help: write\n"
            "      help: another\n");
}

TEST_F(Text, UnderlinesContextInTheSameExcerpt) {
  file("p.play", std::string(38, '\n') +
                     "    pivot \"the schema may change\"\n    step migrate on web once { }\n");
  Diagnostic d;
  d.code = "E0501";
  d.summary = "nothing handles a failure after the pivot";
  d.subject = {at("migrate"), "can fail"};
  d.context.push_back({at("pivot"), "automatic undo ends here"});
  d.help = "add `on_failure after pivot { hold \"...\" }`";
  EXPECT_EQ(to_text(d, sources_, false),
            "error[E0501]: nothing handles a failure after the pivot\n"
            "  --> p.play:40:10\n"
            "   |\n"
            "39 |     pivot \"the schema may change\"\n"
            "   |     ----- automatic undo ends here\n"
            "40 |     step migrate on web once { }\n"
            "   |          ^^^^^^^ can fail\n"
            "help: add `on_failure after pivot { hold \"...\" }`\n");
}

TEST_F(Text, LeavesOutTheLinesBetween) {
  file("p.play", "first\n\n\n\nlast\n");
  Diagnostic d;
  d.summary = "two places";
  d.subject = {at("last"), ""};
  d.context.push_back({at("first"), "here"});
  EXPECT_EQ(to_text(d, sources_, false),
            "error: two places\n  --> p.play:5:1\n   |\n"
            " 1 | first\n   | ----- here\n...\n 5 | last\n   | ^^^^\n");
}

TEST_F(Text, TwoMarksOnOneLineHaveARowEach) {
  file("p.play", "a < b < c\n");
  Diagnostic d;
  d.summary = "chain";
  d.subject = {at("<", 1), "the second"};
  d.context.push_back({at("<"), "the first"});
  EXPECT_EQ(to_text(d, sources_, false),
            "error: chain\n  --> p.play:1:7\n   |\n"
            " 1 | a < b < c\n   |   - the first\n   |       ^ the second\n");
}

TEST_F(Text, ContextInAnotherFileBecomesANote) {
  file("a.play", "alpha\n");
  const Span other = at("alpha");
  file("b.play", "beta\n");
  Diagnostic d;
  d.summary = "two files";
  d.subject = {at("beta"), "here"};
  d.context.push_back({other, "and there"});
  EXPECT_EQ(to_text(d, sources_, false),
            "error: two files\n  --> b.play:1:1\n   |\n 1 | beta\n   | ^^^^ here\n"
            "note: and there\n  --> a.play:1:1\n");
}

TEST_F(Text, WithoutAPlaceHasNoExcerpt) {
  Diagnostic d;
  d.severity = Severity::warning;
  d.code = "E0601";
  d.summary = "the inventory is empty";
  d.notes.push_back({{}, "two lines\nof a note"});
  EXPECT_EQ(to_text(d, sources_, false),
            "warning[E0601]: the inventory is empty\nnote: two lines\n      of a note\n");
}

TEST_F(Text, TabsWideAndCombiningCharactersKeepTheUnderlineInPlace) {
  file("p.play",
       "\tx \xE6\x97\xA5\xE6\x9C\xAC"
       "e\xCC\x81 here\n");
  Diagnostic d;
  d.summary = "s";
  d.subject = {at("here"), "l"};
  EXPECT_EQ(to_text(d, sources_, false),
            "error: s\n  --> p.play:1:9\n   |\n"
            " 1 |     x \xE6\x97\xA5\xE6\x9C\xAC"
            "e\xCC\x81 here\n"
            "   |             ^^^^ l\n");
}

// What a file says must not be able to move the cursor or turn the text around.
TEST_F(Text, ControlCharactersAndBrokenBytesAreShownAsReplacements) {
  file("p.play", "a\x1b[31m\xFF\xE2\x80\xAE here\n");
  Diagnostic d;
  d.summary = "s";
  d.subject = {at("here"), ""};
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(to_text(d, sources_, false), "error: s\n  --> p.play:1:10\n   |\n 1 | a" + r + "[31m" +
                                             r + r + " here\n   |          ^^^^\n");
}

TEST_F(Text, LongLinesShowAWindowAroundTheSpan) {
  file("p.play", std::string(300, 'a') + " target " + std::string(300, 'b') + "\n");
  Diagnostic d;
  d.summary = "s";
  d.subject = {at("target"), "l"};
  const std::string text = to_text(d, sources_, false);
  std::size_t begin = 0;
  std::string code, marks;
  for (int line = 0; begin < text.size(); ++line) {
    const auto end = text.find('\n', begin);
    if (line == 3) code = text.substr(begin, end - begin);
    if (line == 4) marks = text.substr(begin, end - begin);
    begin = end + 1;
  }
  EXPECT_LT(code.size(), 120u);
  EXPECT_EQ(code.find("target"), marks.find("^^^^^^ l")) << text;
  EXPECT_TRUE(code.ends_with("bbb ...")) << code;
  EXPECT_TRUE(code.starts_with(" 1 | ... aaa")) << code;
}

TEST_F(Text, SpansOfSeveralLinesAreUnderlinedInTheirFirst) {
  file("p.play", "begin (\n  inside\n)\n");
  Diagnostic d;
  d.summary = "s";
  d.subject = {at("(\n  inside\n)"), ""};
  EXPECT_EQ(to_text(d, sources_, false),
            "error: s\n  --> p.play:1:7\n   |\n 1 | begin (\n   |       ^\n");
}

TEST_F(Text, TheEndOfTheFileIsAPlace) {
  file("p.play", "play");
  Diagnostic d;
  d.summary = "s";
  const auto end = source_->base + 4;
  d.subject = {{end, end}, "here"};
  EXPECT_EQ(to_text(d, sources_, false),
            "error: s\n  --> p.play:1:5\n   |\n 1 | play\n   |     ^ here\n");
}

TEST_F(Text, WindowsLineEndsAreNotShown) {
  file("p.play", "one two\r\nthree\r\n");
  Diagnostic d;
  d.summary = "s";
  d.subject = {at("two\r\n"), ""};
  EXPECT_EQ(to_text(d, sources_, false),
            "error: s\n  --> p.play:1:5\n   |\n 1 | one two\n   |     ^^^\n");
}

TEST_F(Text, ColourChangesNothingButColours) {
  file("p.play", "one two\n");
  Diagnostic d;
  d.code = "E0001";
  d.summary = "s";
  d.subject = {at("two"), "l"};
  d.context.push_back({at("one"), "c"});
  d.notes.push_back({at("one"), "n"});
  d.help = "h";
  const std::string coloured = to_text(d, sources_, true);
  EXPECT_NE(coloured.find("\x1b[1;31merror[E0001]\x1b[0m"), std::string::npos);
  std::string plain;
  for (std::size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] == '\x1b') {
      i = coloured.find('m', i);
    } else {
      plain += coloured[i];
    }
  }
  EXPECT_EQ(plain, to_text(d, sources_, false));
}

TEST_F(Text, AllAreSortedCountedAndToldOnce) {
  file("p.play", "one two\n");
  Diagnostics all;
  all.error("E0002", "second", {at("two"), ""});
  all.error("E0001", "first", {at("one"), ""});
  all.error("E0002", "second", {at("two"), ""});
  Diagnostic w;
  w.severity = Severity::warning;
  w.summary = "placeless";
  all.add(w);
  EXPECT_TRUE(all.has_errors());
  const auto sorted = all.sorted();
  ASSERT_EQ(sorted.size(), 3u);
  EXPECT_EQ(sorted[0].summary, "first");
  EXPECT_EQ(sorted[2].summary, "placeless");
  const std::string text = to_text(all, sources_, false);
  EXPECT_TRUE(text.ends_with("\n\n2 errors, 1 warning\n")) << text;
  EXPECT_EQ(to_text(Diagnostics(), sources_, false), "");
}

TEST_F(Text, AsJson) {
  file("p.play", "one\ntw\xC3\xB6 three\n");
  Diagnostics all;
  Diagnostic d;
  d.code = "E0001";
  d.summary = "broken \xFF byte";
  d.subject = {at("three"), "l"};
  d.notes.push_back({{}, "no place"});
  d.help = "h";
  all.add(d);
  const auto json = nlohmann::json::parse(to_json(all, sources_));
  EXPECT_EQ(json["version"], 1);
  const auto& first = json["diagnostics"][0];
  EXPECT_EQ(first["severity"], "error");
  EXPECT_EQ(first["code"], "E0001");
  EXPECT_EQ(first["summary"], "broken \xEF\xBF\xBD byte");
  EXPECT_EQ(first["subject"], (nlohmann::json{{"file", "p.play"},
                                              {"line", 2},
                                              {"column", 5},
                                              {"end_line", 2},
                                              {"end_column", 10},
                                              {"label", "l"}}));
  EXPECT_EQ(first["notes"][0], (nlohmann::json{{"label", "no place"}}));
  EXPECT_EQ(first["context"], nlohmann::json::array());
  EXPECT_EQ(first["help"], "h");
  EXPECT_EQ(first["edits"], nlohmann::json::array());
}

TEST_F(Text, OfAVeryLongLineThePartAroundTheMistakeIsShown) {
  file("p.play", std::string(50000, 'a') + " wrong " + std::string(50000, 'b') + "\n");
  Diagnostic d;
  d.summary = "it is wrong";
  d.subject = {at("wrong"), "this"};
  const std::size_t before = work;
  const std::string text = to_text(d, sources_, false);
  EXPECT_LT(work - before, 2000u) << "the whole line was read";
  EXPECT_LT(text.size(), 1000u);
  EXPECT_NE(text.find("p.play:1:50002"), std::string::npos) << text;
  EXPECT_NE(text.find("... aaa"), std::string::npos) << text;
  EXPECT_NE(text.find("^^^^^ this"), std::string::npos) << text;
}

TEST_F(Text, APlaceIsFoundInTheMiddleOfWideCharacters) {
  std::string line;
  for (int i = 0; i < 400; ++i) line += "\xC3\xA4";  // two bytes each
  file("p.play", "first\n" + line + "x\n");
  EXPECT_EQ(sources_.locate(at("x")).line, 2u);
  EXPECT_EQ(sources_.locate(at("x")).column, 401u);
}

TEST_F(Text, AnEditIsFoundInItsWords) {
  file("p.play", "step a on wbe\n");
  Diagnostic d;
  d.subject = {at("wbe"), "not declared"};
  d.help = "did you mean `web`?";
  ASSERT_EQ(suggested_edits(d).size(), 1u);
  EXPECT_EQ(suggested_edits(d)[0].text, "web");
  d.help = "did you mean `web` or `db`?";
  EXPECT_TRUE(suggested_edits(d).empty());
  d.help = "widen the limit";
  EXPECT_TRUE(suggested_edits(d).empty());
}

}  // namespace
}  // namespace cnplay::diag
