#include "secrets/sources.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

namespace cnplay::secrets {
namespace {

std::string error_of(const Result<Secret>& r) {
  return r ? "no error: " + r->reveal() : r.error().what;
}
Result<Secret> shell(const std::string& script, Duration timeout = Duration{10'000}) {
  return from_command({"sh", "-c", script}, timeout);
}

TEST(SecretSources, Environment) {
  ::setenv("CNPLAY_TEST_SECRET", "s3cret value", 1);
  EXPECT_EQ(from_environment("CNPLAY_TEST_SECRET")->reveal(), "s3cret value");
  ::setenv("CNPLAY_TEST_SECRET", "", 1);
  EXPECT_EQ(error_of(from_environment("CNPLAY_TEST_SECRET")),
            "the environment variable CNPLAY_TEST_SECRET is not set");
  ::unsetenv("CNPLAY_TEST_SECRET");
  EXPECT_FALSE(from_environment("CNPLAY_TEST_SECRET"));
}

TEST(SecretSources, CommandsLoseTheirLastNewlineAlone) {
  EXPECT_EQ(shell("printf 'a b'")->reveal(), "a b");
  EXPECT_EQ(shell("printf 'a\\nb\\n'")->reveal(), "a\nb");
  EXPECT_EQ(shell("printf 'a\\n\\n'")->reveal(), "a\n");
}

TEST(SecretSources, ArgumentsGoThroughNoShell) {
  EXPECT_EQ(from_command({"printf", "%s", "$(id) `id` ; *"})->reveal(), "$(id) `id` ; *");
}

TEST(SecretSources, AFailureNeverShowsTheOutput) {
  const auto failed = shell("echo hunter2; exit 3");
  EXPECT_EQ(error_of(failed), "the secret's command `sh` ended with exit code 3");
  EXPECT_EQ(failed.error().help.find("hunter2"), std::string::npos);
  EXPECT_EQ(error_of(shell("kill -9 $$")), "the secret's command `sh` was killed");
  EXPECT_EQ(error_of(shell("true")), "the secret's command `sh` printed nothing");
  EXPECT_EQ(error_of(from_command({})), "the secret's command is empty");
  EXPECT_NE(error_of(from_command({"/no/such/program"})).find("cannot be started"),
            std::string::npos);
}

TEST(SecretSources, TimeAndSizeAreBounded) {
  EXPECT_EQ(error_of(shell("exec sleep 100", Duration{200})),
            "the secret's command `sh` did not end within 200 ms");
  // One that closes its output and goes on.
  EXPECT_EQ(error_of(shell("echo x; exec sleep 100 >&-", Duration{200})),
            "the secret's command `sh` did not end within 200 ms");
  EXPECT_EQ(error_of(shell("exec yes")), "the secret's command `sh` printed more than 64 KiB");
}

TEST(SecretSources, StdinIsEmpty) { EXPECT_EQ(shell("cat; echo end")->reveal(), "end"); }

}  // namespace
}  // namespace cnplay::secrets
