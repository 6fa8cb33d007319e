// A help that is an edit carries it as spans and their new text. Applied, the diagnostic is gone.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "support/compile/world.h"
#include "support/golden.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = source_directory() / "tests/golden";

// The text of the diagnostic's file after its edits.
std::string applied(const diag::Diagnostic& d, const diag::SourceMap::Source& source) {
  std::string text = source.text;
  auto edits = d.edits;
  std::ranges::sort(edits, std::ranges::greater{},
                    [](const diag::Edit& e) { return e.span.begin; });
  for (const auto& edit : edits) {
    text.replace(edit.span.begin - source.base, edit.span.end - edit.span.begin, edit.text);
  }
  return text;
}

std::size_t count_like(const std::vector<diag::Diagnostic>& all, const diag::Diagnostic& d) {
  return static_cast<std::size_t>(std::ranges::count_if(all, [&](const diag::Diagnostic& other) {
    return other.code == d.code && other.summary == d.summary;
  }));
}

struct Example {
  std::string name;  // of the golden file
  std::string play;
  std::string inventory;
};

std::vector<Example> examples() {
  std::vector<Example> out;
  const std::string inventory = read_text(kGolden / "compile/default.inv");
  for (const std::string room : {"compile", "syntax"}) {
    for (const auto& stem : golden_files(room, ".play")) {
      const fs::path path = kGolden / room / (stem + ".play");
      const fs::path own = kGolden / room / (stem + ".inv");
      out.push_back(
          {room + "/" + stem, read_text(path), fs::exists(own) ? read_text(own) : inventory});
    }
  }
  return out;
}

TEST(Edits, EachRemovesItsDiagnostic) {
  std::size_t edited = 0;
  std::set<std::string> seen;  // the same mistake in several files is tried once
  for (const Example& example : examples()) {
    const auto world = compile_text(example.play, example.inventory);
    const auto all = world->diags.sorted();
    for (const auto& d : all) {
      if (d.edits.empty()) continue;
      const auto* source = world->sources.find(d.edits[0].span);
      // What stands in another file, or in an option, is not compiled again here.
      if (source == nullptr || source->name != "test.play") continue;
      if (!seen.insert(d.code + d.help + d.subject.text).second) continue;
      ++edited;
      const std::string text = applied(d, *source);
      const auto after = compile_text(text, example.inventory);
      EXPECT_LT(count_like(after->diags.sorted(), d), count_like(all, d))
          << example.name << ": " << diag::to_text(d, world->sources, false)
          << "\nafter the edit:\n"
          << text << "\n"
          << after->text();
    }
  }
  EXPECT_GT(edited, 40u);
}

// Every help that is not an edit, so that a new one is looked at by a person.
TEST(Edits, TheHelpsThatAreNoneAreListed) {
  std::set<std::string> helps;
  for (const Example& example : examples()) {
    const auto world = compile_text(example.play, example.inventory);
    for (const auto& d : world->diags.sorted()) {
      if (d.edits.empty() && !d.help.empty()) helps.insert(d.code + " " + d.help);
    }
  }
  std::string text;
  for (const auto& help : helps) text += help + "\n";
  expect_golden("compile/helps_without_edits.txt", text);
}

}  // namespace
}  // namespace cnplay::testing
