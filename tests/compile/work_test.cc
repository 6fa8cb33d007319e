// How large a play may be, and that compiling it takes work in proportion: counted, not timed.
#include <gtest/gtest.h>

#include "compile/bashisms.h"
#include "diag/work.h"
#include "support/compile/world.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

TEST(TooLarge, NestedLoopsAreRefusedBeforeTheyAreUnrolled) {
  // Ten million turns: unrolling even a tenth of them would take minutes.
  const auto world =
      compile_file(source_directory() / "tests/golden/compile", "E0705_too_large.play");
  EXPECT_FALSE(world->plan);
  EXPECT_EQ(world->diags.errors(), 1u) << world->text();
}

TEST(TooLarge, ALoopOfAllThatFitsIsUnrolled) {
  std::string list;
  for (int i = 0; i < 1000; ++i) list += (i == 0 ? "\"" : ", \"") + std::to_string(i) + "\"";
  const auto world =
      compile_text("play p {\n  hosts web = group(\"web\")\n  for x in [" + list +
                       "] { step a on web { sh(x: x) \"\"\"echo \"$x\" \"\"\" } }\n}\n",
                   "inventory i { group web { host web1 } }\n");
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(world->plan->nodes.size(), 1000u);
}

// Where a step is written is asked for each of them.
TEST(Work, OfFindingPlacesIsLinear) {
  const auto work_of = [](int steps) {
    std::string play = "play p {\n  hosts web = group(\"web\")\n";
    for (int i = 0; i < steps; ++i) {
      const std::string n = std::to_string(i);
      play += "  step s" + n + " on web { sh \"echo " + n + "\" }\n";
    }
    const std::size_t before = diag::work;
    const auto world = compile_text(play + "}\n", "inventory i { group web { host web1 } }\n");
    EXPECT_TRUE(world->plan) << world->text();
    return diag::work - before;
  };
  const std::size_t small = work_of(500);
  EXPECT_GT(small, 500u);
  EXPECT_LT(work_of(2000), 5 * small);
}

TEST(Work, OfManyDiagnosticsOnOneLineIsLinear) {
  const auto work_of = [](int names) {
    std::string play = "play p {\n  let all = [";
    for (int i = 0; i < names; ++i) play += (i == 0 ? "n" : ", n") + std::to_string(i);
    const auto world = compile_text(play + "]\n}\n", "inventory i { group web { host web1 } }\n");
    EXPECT_EQ(world->diags.errors(), static_cast<std::size_t>(names));
    const std::size_t before = diag::work;
    (void)world->text();
    return diag::work - before;
  };
  const std::size_t small = work_of(500);
  EXPECT_GT(small, 500u);
  EXPECT_LT(work_of(2000), 5 * small);
}

TEST(Bashisms, QuotesCommentsAndHeredocsHoldNone) {
  EXPECT_TRUE(
      compile::bashisms_in("echo '[[' \"source\" # [[ x ]]\ncat <<E\n[[ x ]]\nE\n").empty());
  EXPECT_TRUE(compile::bashisms_in("case $x in [[:alpha:]]*) ok ;; esac\n").empty());
  EXPECT_TRUE(compile::bashisms_in("x=$((1 + 2)); [ \"$x\" = 3 ] && echo \"${x:-1}\" \"${x%a}\"\n")
                  .empty());
  EXPECT_TRUE(compile::bashisms_in("a=$(printf '%s' \"$(echo x)\")\n").empty());
}

TEST(Bashisms, EachFormIsNamedOnce) {
  const auto found = compile::bashisms_in("if [[ a ]]; then [[ b ]]; fi; x=$(source f); y=(1 2)\n");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].form, "[[");
  EXPECT_EQ(found[1].form, "source");
  EXPECT_EQ(found[2].form, "y=(");
}

}  // namespace
}  // namespace cnplay::testing
