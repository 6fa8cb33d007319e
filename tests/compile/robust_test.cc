// Damaged plays: whatever is missing, doubled or exchanged, the compiler answers with diagnostics
// or with a plan that keeps its rules. A throw would be a bug.
#include <gtest/gtest.h>

#include <sstream>

#include "support/compile/world.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = source_directory() / "tests/golden/compile";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

void compile_damaged(const std::string& play, const std::string& inventory) {
  const auto world = compile_text(play, inventory);
  EXPECT_EQ(world->plan.has_value(), !world->diags.has_errors()) << play << world->text();
  if (world->plan) {
    EXPECT_EQ("", plan::check_invariants(*world->plan)) << play;
  }
}

class Damaged : public ::testing::TestWithParam<const char*> {};

TEST_P(Damaged, IsAnsweredInGoodOrder) {
  const fs::path path = kGolden / GetParam();
  const std::vector<std::string> lines = lines_of(read_text(path));
  const std::string inventory = read_text(path.parent_path() / "default.inv");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto without = lines;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    compile_damaged(joined(without), inventory);
    auto twice = lines;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    compile_damaged(joined(twice), inventory);
    auto moved = lines;
    std::swap(moved[i], moved[(i * 7 + 3) % lines.size()]);
    compile_damaged(joined(moved), inventory);
  }
}

INSTANTIATE_TEST_SUITE_P(Plays, Damaged,
                         ::testing::Values("tour/update_code.play", "plans/serial.play",
                                           "plans/parallel.play", "plans/control.play",
                                           "plans/human.play", "E0124_saved.play",
                                           "E0502_places.play"));

// A mistake in one place must not make others appear elsewhere.
TEST(Cascades, OneMistakeOneDiagnostic) {
  const std::string inventory =
      "inventory i { group web { vars { app: \"/srv\" }\n host w[1..3] } }\n";
  const auto play = [](const std::string& body) { return "play p \"P\" {\n" + body + "}\n"; };
  const std::string use =
      "  step s on web { let m = git.rebase(dir: app, onto: \"x\") }\n"
      "  step t on web when s.m.before != \"\" { sh(x: s.m.before) \"\"\"echo \"$x\" \"\"\" }\n"
      "  for i in list { step u on web { sh(i: i) \"\"\"echo \"$i\" \"\"\" } }\n";
  const std::vector<std::string> heads = {
      // each with one mistake
      "  hosts web = group(\"wbe\")\n  hostvar app: path\n  let list = [\"a\"]\n",
      "  hosts web = group(\"web\")\n  hostvar app: pth\n  let list = [\"a\"]\n",
      "  hosts web = group(\"web\")\n  hostvar app: path\n  let list = [\"a\", b]\n",
      "  hosts web = group(\"web\")\n  hostvar app: path\n  let list = 1\n",
      "  hosts web = group(\"web\") & group(\"web\") - group(\"web\")\n  hostvar app: path\n  let "
      "list = [\"a\"]\n",
      "  hosts web = group(\"web\")\n  hostvar app: path\n  param list: list<string>\n",
  };
  for (const auto& head : heads) {
    const auto world = compile_text(play(head + use), inventory);
    EXPECT_EQ(1u, world->diags.sorted().size()) << head << world->text();
  }
  const std::string good =
      "  hosts web = group(\"web\")\n  hostvar app: path\n  let list = [\"a\"]\n";
  EXPECT_TRUE(compile_text(play(good + use), inventory)->plan);
  const std::vector<std::string> steps = {
      "  step a on web { let m = git.rebsae(dir: app, onto: \"x\")\n    undo { git.reset(dir: app, "
      "to: m.before) } }\n"
      "  step b on web { sh(x: a.m.before) \"\"\"echo \"$x\" \"\"\" }\n",
      "  step a { let m = git.rebase(dir: app, onto: \"x\") }\n  step b on web { sh(x: a.m.before) "
      "\"\"\"echo \"$x\" \"\"\" }\n",
      "  step a on web once { let m = git.rebase(dri: app, onto: \"x\") }\n  wait until now + 1h\n "
      " step b on web { sh(x: a.m.before) \"\"\"echo \"$x\" \"\"\" }\n",
      "  do nothing(web: web)\n",
      "  phase p { pivot\n step a on web { sh \"\"\"true\"\"\" } }\n",
  };
  for (const auto& step : steps) {
    const auto world = compile_text(play(good + step), inventory);
    EXPECT_EQ(1u, world->diags.sorted().size()) << step << world->text();
  }
}

}  // namespace
}  // namespace cnplay::testing
