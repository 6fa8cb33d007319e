#include "cli/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <semaphore>

#include "cli/options.h"
#include "cli/prompter.h"
#include "cli/vault_access.h"
#include "cli/wiring.h"
#include "support/cli/pipes.h"

namespace cnplay::cli {
namespace {

TEST(SignalWatch, CountsAndWakes) {
  SignalWatch watch;
  std::counting_semaphore<> woken(0);
  watch.on_signal([&] { woken.release(); });
  int requests = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ::kill(::getpid(), signal);
    EXPECT_TRUE(woken.try_acquire_for(std::chrono::seconds{20}));
    EXPECT_EQ(watch.requests(), ++requests);
  }
  EXPECT_FALSE(woken.try_acquire());
}

std::variant<Options, int> read(std::vector<std::string> words) {
  words.insert(words.begin(), "cnplay");
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  return read_options(static_cast<int>(argv.size()), argv.data());
}

TEST(Options, AnAnswer) {
  const auto manual =
      std::get<Options>(read({"answer", "20261120", "disk", "--done", "slot=7", "serial=A 1"}));
  EXPECT_EQ(manual.command, Command::answer);
  EXPECT_EQ(manual.topic, "20261120");
  EXPECT_EQ(manual.step, "disk");
  EXPECT_TRUE(manual.done);
  EXPECT_EQ(manual.answers, (std::vector<std::string>{"slot=7", "serial=A 1"}));
  const auto no = std::get<Options>(read({"answer", "r", "go", "--refuse", "not today"}));
  EXPECT_EQ(no.refuse, "not today");
  EXPECT_FALSE(no.approve);
  EXPECT_EQ(std::get<int>(read({"answer", "r"})), kUsage);
}

class Typed : public test::Pipes {
 protected:
  Typed() {
    node_.title = "Open the site?";
    node_.human.emplace();
    node_.human->kind = plan::HumanKind::approve;
    asked_.node = &node_;
  }
  plan::Node node_;
  run::Asked asked_;
};

TEST_F(Typed, ALineInPiecesAndNothingYet) {
  TerminalPrompter prompter(in_[0], out_[1], false);
  prompter.begin(asked_);
  EXPECT_EQ(shown(), "  your answer? [approve/refuse/later] ");
  EXPECT_FALSE(prompter.poll());
  type("appr");
  EXPECT_FALSE(prompter.poll());
  type("ove\n");
  const auto reply = prompter.poll();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->answer.yes);
  EXPECT_FALSE(reply->later);
}

TEST_F(Typed, WhatItIsAboutIsSaidWhereNoViewDid) {
  TerminalPrompter prompter(in_[0], out_[1], true);
  prompter.begin(asked_);
  EXPECT_EQ(shown(), "\nOpen the site?\n  your answer? [approve/refuse/later] ");
}

TEST_F(Typed, TheEndOfTheInputIsLater) {
  TerminalPrompter prompter(in_[0], out_[1], false);
  prompter.begin(asked_);
  ::close(in_[1]);
  const auto reply = prompter.poll();
  in_[1] = ::dup(in_[0]);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->later);
}

TEST_F(Typed, WhoIsNoLongerAskedIsToldWhy) {
  TerminalPrompter prompter(in_[0], out_[1], false);
  prompter.begin(asked_);
  shown();
  prompter.end("the time to answer is over");
  EXPECT_EQ(shown(), "\nthe time to answer is over\n");
}

TEST(Options, AsTheReadmeWritesThem) {
  const auto run = std::get<Options>(
      read({"-i", "staging", "update_code.play", "-e", "a=1", "-e", "b=2", "--check"}));
  EXPECT_EQ(run.command, Command::run);
  EXPECT_EQ(run.play, "update_code.play");
  EXPECT_EQ(run.inventory, "staging");
  EXPECT_EQ(run.extra, (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_TRUE(run.dry_run);
  const auto check = std::get<Options>(read({"check", "-i", "prod", "x.play"}));
  EXPECT_EQ(check.command, Command::check);
  EXPECT_EQ(check.play, "x.play");
  EXPECT_EQ(check.inventory, "prod");
  EXPECT_EQ(std::get<Options>(read({"explain", "E0101"})).topic, "E0101");
  EXPECT_EQ(std::get<Options>(read({"modules"})).topic, "");
  const auto docs = std::get<Options>(read({"docs", "x.play", "--format", "html"}));
  EXPECT_EQ(docs.command, Command::docs);
  EXPECT_EQ(docs.inventory, "");
  EXPECT_EQ(docs.docs_format, "html");
  EXPECT_EQ(std::get<Options>(read({"docs", "-i", "prod", "x.play"})).docs_format, "markdown");
  EXPECT_EQ(std::get<Options>(read({"runs"})).command, Command::runs);
  const auto exec = std::get<Options>(
      read({"exec", "-i", "prod", "web & !web3", "uptime", "--as", "root", "--timeout", "30s"}));
  EXPECT_EQ(exec.command, Command::exec);
  EXPECT_EQ(exec.limit, "web & !web3");
  EXPECT_EQ(exec.topic, "uptime");
  EXPECT_EQ(exec.become, "root");
  EXPECT_EQ(exec.timeout, "30s");
  const auto report =
      std::get<Options>(read({"report", "20261120", "--format", "junit", "-o", "x"}));
  EXPECT_EQ(report.command, Command::report);
  EXPECT_EQ(report.topic, "20261120");
  EXPECT_EQ(report.format, "junit");
  EXPECT_EQ(report.output, "x");
  EXPECT_EQ(std::get<Options>(read({"report"})).format, "html");
}

TEST(Options, OfTheVault) {
  const auto set = std::get<Options>(read({"vault", "set", "-i", "prod", "db/password"}));
  EXPECT_EQ(set.command, Command::vault);
  EXPECT_EQ(set.vault_action, VaultAction::set);
  EXPECT_EQ(set.inventory, "prod");
  EXPECT_EQ(set.topic, "db/password");
  const auto get = std::get<Options>(read({"vault", "get", "-i", "prod", "x", "--former"}));
  EXPECT_EQ(get.vault_action, VaultAction::get);
  EXPECT_TRUE(get.former);
  const auto run =
      std::get<Options>(read({"-i", "prod", "x.play", "--vault-key-command", "pass show cnplay"}));
  EXPECT_EQ(vault_password_source(run)->command,
            (std::vector<std::string>{"pass", "show", "cnplay"}));
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"vault"},
           {"vault", "set", "-i", "prod"},
           {"vault", "set", "-i", "prod", "path", "the value"},  // values are no arguments
           {"vault", "list"},
           {"vault", "list", "-i", "a", "--vault-key-file", "x", "--vault-key-command", "y"}}) {
    const auto result = read(words);
    ASSERT_TRUE(std::holds_alternative<int>(result));
    EXPECT_EQ(std::get<int>(result), kUsage);
  }
}

TEST(VaultFile, LiesBesideItsInventory) {
  EXPECT_EQ(vault_file_of("inventories/prod.inv"), "inventories/prod.vault");
  EXPECT_EQ(vault_file_of("/srv/hosts"), "/srv/hosts.vault");
}

TEST(VaultPasswordSource, TheCommandLineGoesBeforeTheEnvironment) {
  ::setenv("CNPLAY_VAULT_KEY_FILE", "/env/file", 1);
  Options options;
  EXPECT_EQ(vault_password_source(options)->key_file, "/env/file");
  options.vault_key_command = "cat x";
  EXPECT_EQ(vault_password_source(options)->key_file, "");
  ::setenv("CNPLAY_VAULT_KEY_COMMAND", "cat y", 1);
  EXPECT_TRUE(vault_password_source(options));
  EXPECT_FALSE(vault_password_source(Options{}));
  ::unsetenv("CNPLAY_VAULT_KEY_FILE");
  EXPECT_EQ(vault_password_source(Options{})->command, (std::vector<std::string>{"cat", "y"}));
  ::unsetenv("CNPLAY_VAULT_KEY_COMMAND");
  EXPECT_TRUE(vault_password_source(Options{})->asks());
}

TEST(Options, MistakesAreUsageErrors) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{},
                                             {"x.play"},
                                             {"-i", "staging"},
                                             {"--no-such", "x.play"},
                                             {"-i"},
                                             {"check", "-i", "prod"},
                                             {"report", "--format", "pdf"},
                                             {"docs"},
                                             {"docs", "x.play", "--format", "pdf"},
                                             {"-i", "staging", "x.play", "--host-key", "maybe"},
                                             {"-i", "a", "x.play", "--tags", ""},
                                             {"-i", "a", "x.play", "--start-at", ""},
                                             {"-i", "a", "x.play", "--step", "-y"},
                                             {"resume", "--from", ""},
                                             {"resume", "--step"},
                                             {"-i", "a", "x.play", "-f", "0"}}) {
    const auto result = read(words);
    ASSERT_TRUE(std::holds_alternative<int>(result));
    EXPECT_EQ(std::get<int>(result), kUsage);
  }
}

TEST(Wiring, HomeIsExpandedOnlyInFront) {
  ::setenv("HOME", "/home/x", 1);
  EXPECT_EQ(expand_home("~/.ssh/key"), "/home/x/.ssh/key");
  EXPECT_EQ(expand_home("~"), "/home/x");
  EXPECT_EQ(expand_home("/a/~b"), "/a/~b");
}

}  // namespace
}  // namespace cnplay::cli
