#include "cli/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <semaphore>

#include "cli/options.h"
#include "cli/prompter.h"
#include "cli/shell_check.h"
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

TEST(Options, TheExitCodeOfADryRunIsAskedForWithIt) {
  const auto dry = std::get<Options>(read({"-i", "prod", "x.play", "--check", "--exit-code"}));
  EXPECT_TRUE(dry.dry_run);
  EXPECT_TRUE(dry.exit_code);
  EXPECT_FALSE(std::get<Options>(read({"-i", "prod", "x.play", "--check"})).exit_code);
  EXPECT_EQ(std::get<int>(read({"-i", "prod", "x.play", "--exit-code"})), kUsage);
}

TEST(Options, APlanThatWasReviewedIsRunByItsFile) {
  const auto run = std::get<Options>(read({"run", "--plan", "x.plan", "--check", "-y"}));
  EXPECT_EQ(run.command, Command::run);
  EXPECT_EQ(run.plan_file, "x.plan");
  EXPECT_TRUE(run.dry_run);
  EXPECT_TRUE(run.yes);
  for (const char* option : {"-i", "-l", "-e", "--tags", "--start-at"}) {
    EXPECT_EQ(std::get<int>(read({"run", "--plan", "x.plan", option, "x"})), kUsage) << option;
  }
  EXPECT_EQ(std::get<int>(read({"run", "x.play"})), kUsage);
  EXPECT_EQ(std::get<int>(read({"run", "--plan=x.plan", "x.play"})), kUsage);
}

TEST(Options, ATunnelTakesPortsSocksAndACommand) {
  const auto tunnel =
      std::get<Options>(read({"tunnel", "-i", "staging", "web1", "8000", "5432:[::1]:5432", "-D",
                              "1080", "--socks", "1081", "--run", "sleep 1; [ -e x ]"}));
  EXPECT_EQ(tunnel.command, Command::tunnel);
  EXPECT_EQ(tunnel.limit, "web1");
  EXPECT_EQ(tunnel.forwards, (std::vector<std::string>{"8000", "5432:[::1]:5432"}));
  EXPECT_EQ(tunnel.socks, (std::vector<std::string>{"1080", "1081"}));
  EXPECT_EQ(tunnel.run_command, "sleep 1; [ -e x ]");
  EXPECT_EQ(std::get<int>(read({"tunnel", "web1", "8000"})), kUsage) << "on which inventory?";
  EXPECT_EQ(std::get<int>(read({"tunnel", "-i", "staging", "web1", "8000", "--check"})), kUsage);
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
  EXPECT_EQ(exec.words, (std::vector<std::string>{"uptime"}));
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

// Whether the play runs on `local` alone, the compiler finds out.
TEST(Options, AnInventoryIsNotRequiredButALimitNeedsOne) {
  EXPECT_EQ(std::get<Options>(read({"x.play"})).inventory, "");
  EXPECT_EQ(std::get<int>(read({"x.play", "-l", "web"})), kUsage);
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
                                             {"x.play", "-l", "web"},
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
                                             {"-i", "a", "x.play", "-f", "0"},
                                             {"-i", "a", "x.play", "-l", ""},
                                             {"-i", "a", "x.play", "-l", " "},
                                             {"-i", "a", "x.play", "--limit="},
                                             {"-i", "", "x.play"},
                                             {"resume", ""},
                                             {"show", ""},
                                             {"report", ""},
                                             {"rollback", "", "NAME"},
                                             {"chek", "x.play"},
                                             {"init"},
                                             {"vault", "view", "-i", "a"},
                                             {"--frks", "3", "-i", "a", "x.play"},
                                             {"exec", "-i", "a", "web", "ls", "-la"}}) {
    const auto result = read(words);
    ASSERT_TRUE(std::holds_alternative<int>(result));
    EXPECT_EQ(std::get<int>(result), kUsage);
  }
}

// What read_options prints for a mistake.
TEST(Options, WordsOfACommandKeepTheirBrackets) {
  const auto words = [](std::vector<std::string> given) {
    return std::get<Options>(read(std::move(given))).words;
  };
  EXPECT_EQ(words({"exec", "-i", "staging", "web", "[ -e /a,b ]"}),
            (std::vector<std::string>{"[ -e /a,b ]"}));
  EXPECT_EQ(words({"exec", "-i", "staging", "web", "--", "printf", "[%s]", "", "[a,b]"}),
            (std::vector<std::string>{"printf", "[%s]", "", "[a,b]"}));
}

std::string complaint(const std::vector<std::string>& words) {
  ::testing::internal::CaptureStderr();
  const auto result = read(words);
  std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(std::holds_alternative<int>(result)) << said;
  return said;
}

TEST(Options, AnExtraTakesOneValue) {
  const auto run =
      std::get<Options>(read({"-i", "staging", "-e", "notice=10s", "update_code.play", "--check"}));
  EXPECT_EQ(run.extra, (std::vector<std::string>{"notice=10s"}));
  EXPECT_EQ(run.play, "update_code.play");
  const auto resume = std::get<Options>(read({"resume", "--without", "web1", "20261120"}));
  EXPECT_EQ(resume.without, (std::vector<std::string>{"web1"}));
  EXPECT_EQ(resume.topic, "20261120");
}

TEST(Options, CountInTheOrderInWhichTheyWereTyped) {
  const auto check = std::get<Options>(
      read({"-i", "staging", "-e", "a=1", "check", "-e", "a=2", "x.play", "-e", "b=3"}));
  EXPECT_EQ(check.command, Command::check);
  EXPECT_EQ(check.inventory, "staging");
  EXPECT_EQ(check.extra, (std::vector<std::string>{"a=1", "a=2", "b=3"}));
  EXPECT_EQ(check.play, "x.play");
  const auto hosts = std::get<Options>(read({"-i", "prod", "hosts"}));
  EXPECT_EQ(hosts.command, Command::hosts);
  EXPECT_EQ(hosts.inventory, "prod");
  // A value that is called like a command is a value.
  EXPECT_EQ(std::get<Options>(read({"-i", "check", "x.play"})).command, Command::run);
}

TEST(Options, ACommandOnHostsStandsBehindDashes) {
  const auto words = std::get<Options>(read({"exec", "-i", "a", "web", "--", "ls", "-la", ""}));
  EXPECT_EQ(words.limit, "web");
  EXPECT_EQ(words.words, (std::vector<std::string>{"ls", "-la", ""}));
  EXPECT_EQ(std::get<Options>(read({"exec", "-i", "a", "web", "df -h / | tail -1", "-v"})).words,
            (std::vector<std::string>{"df -h / | tail -1"}));
}

TEST(Options, MisspeltWordsAreAnsweredWithWhatWasMeant) {
  EXPECT_NE(complaint({"chek", "x.play"}).find("did you mean `check`?"), std::string::npos);
  EXPECT_NE(complaint({"init"}).find("`cnplay vault init`"), std::string::npos);
  EXPECT_NE(complaint({"vault", "view", "-i", "a"}).find("vault get PATH"), std::string::npos);
  EXPECT_NE(complaint({"--frks", "3", "-i", "a", "x.play"}).find("did you mean `--forks`?"),
            std::string::npos);
  EXPECT_NE(complaint({"exec", "-i", "a", "web", "ls", "-la"}).find("-- ls -la"),
            std::string::npos);
  EXPECT_NE(complaint({"check", "-i", "a", "x.play", "--diff"}).find("belongs to a run"),
            std::string::npos);
  EXPECT_NE(complaint({"-i", "a", "x.play", "-l", ""}).find("`-l` has an empty value"),
            std::string::npos);
}

TEST(Options, HelpOfACommand) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"help", "exec"}, {"exec", "--help"}, {"help", "vault", "set"}, {"help"}}) {
    ::testing::internal::CaptureStdout();
    const auto result = read(words);
    const std::string said = ::testing::internal::GetCapturedStdout();
    ASSERT_TRUE(std::holds_alternative<int>(result)) << said;
    EXPECT_EQ(std::get<int>(result), kSuccess);
    if (words.size() == 2) {
      EXPECT_NE(said.find("SELECTION"), std::string::npos) << said;
    }
  }
  EXPECT_NE(complaint({"help", "chek"}).find("did you mean `check`?"), std::string::npos);
}

TEST(ShellCheck, ScriptsThatCanBeReadCostOneProcess) {
  std::vector<std::string> scripts;
  for (int i = 0; i < 1000; ++i) scripts.push_back("echo \"" + std::to_string(i) + "\" # it's\n");
  ShellCheckWork work;
  for (const auto& fault : check_shell(scripts, &work)) EXPECT_FALSE(fault);
  EXPECT_EQ(work.processes, 1u);
  // One fault among them costs a search by halves, not a process for each.
  scripts[500] = "if true; then\n  echo\n";
  work.processes = 0;
  const auto faults = check_shell(scripts, &work);
  EXPECT_TRUE(faults[500]);
  EXPECT_EQ(std::ranges::count_if(faults, [](const auto& f) { return f.has_value(); }), 1);
  EXPECT_LE(work.processes, 25u);
}

TEST(ShellCheck, AFaultIsNotMadeGoodByAnother) {
  const auto both = [](const std::string& a, const std::string& b) {
    const auto faults = check_shell({a, b});
    return std::pair(faults[0].has_value(), faults[1].has_value());
  };
  EXPECT_EQ(both("echo 'a\n", "echo b'\n"), std::pair(true, true));
  EXPECT_EQ(both("echo \"a\n", "echo b\"\n"), std::pair(true, true));
  EXPECT_EQ(both("echo `a\n", "echo b`\n"), std::pair(true, true));
  EXPECT_EQ(both("{ echo\n", "echo; }\n"), std::pair(true, true));
  EXPECT_EQ(both("( echo\n", "echo )\n"), std::pair(true, true));
  EXPECT_EQ(both("cat <<E\nit's\nE\n", "fi\n"), std::pair(false, true));
  EXPECT_EQ(both("echo a \\", "true"), std::pair(false, false));
  EXPECT_EQ(both("", "# nothing"), std::pair(false, false));
}

TEST(ShellCheck, AFaultNamesItsLine) {
  const auto faults = check_shell({"true\ntrue\nif true; then echo; done\n"});
  ASSERT_TRUE(faults[0]);
  EXPECT_EQ(faults[0]->line, 3u);
  EXPECT_NE(faults[0]->message.find("done"), std::string::npos) << faults[0]->message;
}

TEST(Wiring, HomeIsExpandedOnlyInFront) {
  ::setenv("HOME", "/home/x", 1);
  EXPECT_EQ(expand_home("~/.ssh/key"), "/home/x/.ssh/key");
  EXPECT_EQ(expand_home("~"), "/home/x");
  EXPECT_EQ(expand_home("/a/~b"), "/a/~b");
}

}  // namespace
}  // namespace cnplay::cli
