#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "support/cli/captured.h"

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
  EXPECT_NE(answer.err.find("no module speaks of `kubernetes`"), std::string::npos) << answer.err;
  EXPECT_NE(answer.err.find("`cnplay modules` lists them all"), std::string::npos) << answer.err;
}

}  // namespace
}  // namespace cnplay::cli
