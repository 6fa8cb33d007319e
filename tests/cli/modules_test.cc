#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/modules_page.h"
#include "cli/options.h"
#include "cli/project.h"
#include "support/cli/captured.h"
#include "support/golden.h"

namespace cnplay::cli {
namespace {

using cnplay::testing::Answer;

Answer search(const std::string& word) {
  Options options;
  options.command = Command::modules;
  options.search = word;
  return cnplay::testing::captured([&] { return modules_command(options); });
}

TEST(Modules, AreFoundByAWordOfTheirTitleInAnyCase) {
  const Answer answer = search("REDIS");
  EXPECT_EQ(answer.code, kSuccess);
  EXPECT_EQ(answer.out, "redis.ensure  Start Redis unless it runs\n");
}

TEST(Modules, AreFoundByWhatAParameterSaysOfItself) {
  const Answer answer = search("Host header");
  EXPECT_EQ(answer.code, kSuccess);
  EXPECT_EQ(answer.out, "http.check  Check that a page answers\n");
}

TEST(Modules, AWordThatNoneSpeaksOfIsRefusedWithTheRemedy) {
  const Answer answer = search("kubernetes");
  EXPECT_EQ(answer.code, kUsage);
  EXPECT_EQ(answer.out, "");
  EXPECT_NE(answer.err.find("no module has this word in its description: `kubernetes`"),
            std::string::npos)
      << answer.err;
  EXPECT_NE(answer.err.find("`cnplay modules` lists them all"), std::string::npos) << answer.err;
}

// CNPLAY_UPDATE_GOLDEN=1 writes it.
TEST(Modules, TheDocumentIsThePageThatTheProgramPrints) {
  Project project;
  ASSERT_TRUE(load_modules(project));
  const std::string page = modules_page(project.catalog, project.sources);
  cnplay::testing::expect_golden("../../docs/modules.md", page);
}

// A table of parameters, what is needed, an example in a fence: each module has a section.
TEST(Modules, ASectionHasTheParametersTheNeedsAndTheComment) {
  Project project;
  ASSERT_TRUE(load_modules(project));
  const std::string page = modules_page(project.catalog, project.sources);
  const std::size_t at = page.find("\n## group.present\n");
  ASSERT_NE(at, std::string::npos);
  const std::string section = page.substr(at, page.find("\n## ", at + 1) - at);
  EXPECT_NE(section.find("| `system` | `bool` | `false` |"), std::string::npos) << section;
  EXPECT_NE(section.find("Needs: `getent`"), std::string::npos) << section;
  EXPECT_NE(section.find("```\nstep "), std::string::npos) << section;
}

}  // namespace
}  // namespace cnplay::cli
