// ssh_config(5), as ssh itself reads it: `ssh -G` is asked the same, over a table and over some
// hundred configurations that a seed makes.
#include "ssh/ssh_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <map>
#include <random>
#include <sstream>

#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Config : public ::testing::Test {
 protected:
  ClientConfig read(const std::string& text) {
    write_file(dir_.path("config"), text);
    auto config = ClientConfig::read({dir_.path("config")}, dir_.path(""), true);
    EXPECT_TRUE(config) << config.error().what;
    return config ? *config : ClientConfig();
  }
  ClientHost ask(const std::string& text, const std::string& destination,
                 const std::string& user = {}) {
    auto host = read(text).lookup(destination, user, user_name());
    EXPECT_TRUE(host) << host.error().what;
    return host ? *host : ClientHost();
  }
  // What `ssh -G` says, by keyword, values of a keyword joined by newlines.
  std::map<std::string, std::string> oracle(const std::string& destination,
                                            const std::string& user = {}) {
    const std::string who = user.empty() ? "" : "-l " + user + " ";
    std::istringstream lines(
        run("ssh -T -G -F " + dir_.path("config") + " " + who + destination + " 2>/dev/null"));
    std::map<std::string, std::string> said;
    for (std::string line; std::getline(lines, line);) {
      const std::size_t space = line.find(' ');
      std::string& value = said[line.substr(0, space)];
      if (!value.empty()) value += '\n';
      value += space == std::string::npos ? "" : line.substr(space + 1);
    }
    return said;
  }
  static std::string joined(const std::vector<std::string>& words, const char* with) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : with) + word;
    return text;
  }
  void compare(const std::string& text, const std::string& destination,
               const std::string& user = {}) {
    SCOPED_TRACE(text + "\nof " + destination);
    const ClientHost ours = ask(text, destination, user);
    auto theirs = oracle(destination, user);
    EXPECT_EQ(ours.host_name, theirs["hostname"]);
    EXPECT_EQ(std::to_string(ours.port.value_or(22)), theirs["port"]);
    const std::string name = !user.empty() ? user : ours.user.empty() ? user_name() : ours.user;
    EXPECT_EQ(name, theirs["user"]);
    if (!ours.identities.empty()) {
      EXPECT_EQ(joined(ours.identities, "\n"), theirs["identityfile"]);
    }
    EXPECT_EQ(joined(ours.certificates, "\n"), theirs["certificatefile"]);
    EXPECT_EQ(ours.identities_only.value_or(false) ? "yes" : "no", theirs["identitiesonly"]);
    EXPECT_EQ(ours.host_key_alias, theirs["hostkeyalias"]);
    EXPECT_EQ(ours.proxy_jump == "none" ? "" : ours.proxy_jump, theirs["proxyjump"]);
    EXPECT_EQ(ours.proxy_command == "none" ? "" : ours.proxy_command,
              theirs["proxycommand"] == "none" ? "" : theirs["proxycommand"]);
    if (!ours.user_known_hosts.empty()) {
      EXPECT_EQ(joined(ours.user_known_hosts, " "), theirs["userknownhostsfile"]);
    }
    if (ours.connect_timeout) {
      EXPECT_EQ(std::to_string(ours.connect_timeout->count() / 1000), theirs["connecttimeout"]);
    }
    if (ours.alive_interval) {
      EXPECT_EQ(std::to_string(ours.alive_interval->count() / 1000), theirs["serveraliveinterval"]);
    }
    if (ours.alive_count) {
      EXPECT_EQ(std::to_string(*ours.alive_count), theirs["serveralivecountmax"]);
    }
    if (ours.accept_new) {
      EXPECT_EQ(*ours.accept_new, theirs["stricthostkeychecking"] == "accept-new");
    }
  }
  TempDir dir_;
};

TEST_F(Config, ATableOfThemAsSshReadsThem) {
  const std::vector<std::string> table = {
      "",
      "# a comment\n\nHost web1\n  HostName 10.0.0.1\n  Port 2222\n",
      "Host *\n User all\nHost web1\n User late\n",
      "Host web? !web2\n User some\n",
      "Host !web1 *\n User others\n",
      "Host=web1\nPort=2200\nUser = \"quoted user\"\n",
      "HostName %h.example.com\nHost web1\n Port 99\n",
      "IdentityFile ~/.ssh/a\nIdentityFile ~/.ssh/b\nIdentityFile ~/.ssh/a\nIdentitiesOnly yes\n",
      "Host web*\n CertificateFile /c1\nHost web1\n CertificateFile /c2\n",
      "ProxyJump bob@gate:22,inner\nProxyCommand nc %h %p\n",
      "ProxyCommand ssh -W %h:%p \"gate way\"  # not a comment\nProxyJump gate\n",
      "ProxyJump none\n",
      "Host web1\n HostName web1.example.com\nMatch host *.example.com\n User by-name\n",
      "Match originalhost web1 user root\n Port 1\nMatch user root\n Port 2\nMatch all\n Port 3\n",
      "Match !host web1\n Port 5\n",
      "Match host web1,web2\n Port 6\n",
      "UserKnownHostsFile /a /b\nHostKeyAlias alias\nConnectTimeout 2m\nServerAliveInterval 7\n"
      "ServerAliveCountMax 9\nStrictHostKeyChecking accept-new\n",
      "SendEnv LANG\nHashKnownHosts yes\nForwardAgent yes\nUser me\n",
      "\tHost\tweb1\n\t\tUser\ttabs\r\n",
      "Match final all\n Port 4\nHost web1\n Port 5\n",
      "Host web1\n HostName web1.example.com\nMatch final host *.example.com\n User last\n",
      "Match final\n IdentityFile /late\nHost *\n IdentityFile /early\nMatch !final\n Port 6\n",
      "Match canonical\n User never\nMatch !canonical\n User first\n",
      "Match final\n Port 8\nMatch canonical\n User second\n HostName too.late\n",
      "Match host web1 exec \"true\"\n User x\nMatch !exec \"false\"\n Port 9\n",
      "Match host other.example exec \"true\"\n User x\n",
      "Match exec \"test %h = web1 -a %n = web1 -a %p = 22 -a %% = '%%'\"\n User ran\n",
      "Host *\n HostName %h.lan\n User bob\n Port 77\n HostKeyAlias key\n"
      "Match exec \"test %h/%n/%p/%r/%k = web1.lan/web1/77/bob/key\"\n ConnectTimeout 9\n",
      "Host web1\n StrictHostKeyChecking yes\nHost *\n StrictHostKeyChecking accept-new\n",
      "Match user root all\n Port 3\n",
  };
  for (const std::string& text : table) {
    for (const char* host : {"web1", "web2", "db"}) {
      compare(text, host);
      compare(text, host, "root");
    }
  }
}

TEST_F(Config, IncludesHoldWithinTheirSection) {
  write_file(dir_.path("one"), "User from-one\nHost web2\n Port 2\n");
  write_file(dir_.path("two"), "Port 7\n");
  for (const std::string& text :
       {"Host web1\n Include " + dir_.path("one") + "\n Port 3\nHost *\n Port 9\n",
        "Include " + dir_.path("one") + " " + dir_.path("two") + "\nUser late\n",
        "Host db\n Include " + dir_.path("t*") + "\nHost *\n User x\n",
        "Include " + dir_.path("nothing*") + "\nUser x\n"}) {
    for (const char* host : {"web1", "web2", "db"}) compare(text, host);
  }
}

TEST_F(Config, SomeHundredThatASeedMakes) {
  std::mt19937 random(7);
  const auto one_of = [&](const std::vector<std::string>& all) {
    return all[random() % all.size()];
  };
  for (int i = 0; i < 250; ++i) {
    std::string text;
    const std::size_t lines = 1 + random() % 12;
    for (std::size_t l = 0; l < lines; ++l) {
      text += one_of({"Host web1",
                      "Host web*",
                      "Host * !web2",
                      "Host db web2",
                      "Match host web1",
                      "Match originalhost web? user root",
                      "Match all",
                      "Match user ann",
                      "Match !user root host *",
                      "Match final",
                      "Match final all",
                      "Match final host *.lan",
                      "Match !final user bob",
                      "Match canonical",
                      "Match host web* exec true",
                      "Match !exec true",
                      "HostName 10.1.1.1",
                      "HostName %h.lan",
                      "Port 22",
                      "Port 2022",
                      "User ann",
                      "User bob",
                      "IdentityFile ~/.ssh/k1",
                      "IdentityFile /k2",
                      "IdentitiesOnly yes",
                      "IdentitiesOnly no",
                      "CertificateFile /c1",
                      "ProxyJump gate",
                      "ProxyJump none",
                      "ProxyCommand nc %h %p",
                      "HostKeyAlias one",
                      "HostKeyAlias two",
                      "UserKnownHostsFile /k1 /k2",
                      "ConnectTimeout 10",
                      "ServerAliveInterval 30",
                      "ServerAliveCountMax 4",
                      "StrictHostKeyChecking yes",
                      "StrictHostKeyChecking accept-new",
                      "Compression yes",
                      "# nothing",
                      ""});
      text += '\n';
    }
    compare(text, one_of({"web1", "web2", "db", "web1.example.com"}),
            one_of({"", "", "root", "ann"}));
    if (HasFailure()) return;
  }
}

TEST_F(Config, WhatIsDangerousToSkipIsRefusedWithItsPlace) {
  const auto error = [&](const std::string& text) {
    const auto host = read(text).lookup("web1", "", "me");
    return host ? std::string("none") : host.error().what;
  };
  EXPECT_THAT(error("Host *\nStrictHostKeyChecking no\n"), HasSubstr("config:2: "));
  EXPECT_THAT(error("Match sessiontype shell\n User x\n"),
              HasSubstr("config:1: `Match sessiontype` is not supported"));
  EXPECT_THAT(error("Match localnetwork 10.0.0.0/33\n"), HasSubstr("is not a network"));
  EXPECT_THAT(error("Match localnetwork ten\n"), HasSubstr("is not a network"));
  EXPECT_THAT(error("Match exec \"echo %z\"\n"),
              HasSubstr("config:1: `Match exec`: unknown token"));
  EXPECT_THAT(error("Match host web1 user me all\n"), HasSubstr("cannot be combined"));
  EXPECT_THAT(error("Port 70000\n"), HasSubstr("config:1: `Port` takes a number"));
  EXPECT_THAT(error("ConnectTimeout soon\n"), HasSubstr("takes a time"));
  EXPECT_THAT(error("User\n"), HasSubstr("has no value"));
  // Of other hosts, and where ssh would not come to it either.
  EXPECT_EQ(error("Host other\nStrictHostKeyChecking no\n"), "none");
  EXPECT_EQ(error("Host web1\nStrictHostKeyChecking yes\nHost *\nStrictHostKeyChecking no\n"),
            "none");
  EXPECT_EQ(error("Match sessiontype shell host other\n User x\n"), "none");
  EXPECT_EQ(error("Match host other sessiontype shell\n User x\n"), "none");
  write_file(dir_.path("config"), "User \"open\n");
  EXPECT_FALSE(ClientConfig::read({dir_.path("config")}, "/", true));
  EXPECT_FALSE(ClientConfig::read({dir_.path("not there")}, "/", true));
  EXPECT_TRUE(ClientConfig::read({dir_.path("not there")}, "/", false));
  write_file(dir_.path("config"), "Include " + dir_.path("config") + "\n");
  EXPECT_FALSE(ClientConfig::read({dir_.path("config")}, "/", true));
}

TEST_F(Config, ACommandOfAMatchIsRunOnlyIfWhatStandsBeforeItHolds) {
  const std::string ran = dir_.path("ran");
  const std::string text = "Match host other exec \"echo x >>" + ran + "\"\n User x\n";
  EXPECT_EQ(ask(text, "web1").user, "");
  EXPECT_EQ(read_file(ran), "");
  EXPECT_EQ(ask(text, "other").user, "x");
  EXPECT_EQ(read_file(ran), "x\n");
  // A section that is included where nothing holds.
  write_file(dir_.path("one"), text);
  ask("Host db\n Include " + dir_.path("one") + "\n", "other");
  EXPECT_EQ(read_file(ran), "x\n");
}

TEST_F(Config, AForbiddenCommandRefusesTheHostsThatWouldRunIt) {
  const std::string ran = dir_.path("ran");
  ClientConfig config = read("Match host web* exec \"touch " + ran + "\"\n User x\n");
  config.forbid_exec();
  EXPECT_TRUE(config.lookup("db", "", "me"));
  const auto refused = config.lookup("web1", "", "me");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("config:1: "));
  EXPECT_THAT(refused.error().what, HasSubstr("is not run (--no-exec)"));
  EXPECT_FALSE(std::filesystem::exists(ran));
}

// ssh hashes them when it runs the command: the oracle says what the hash is.
TEST_F(Config, TheHashOfAConnectionIsAsSshHasIt) {
  const std::string hash = dir_.path("hash");
  const std::string text = "Host *\n User bob\n Port 77\nMatch exec \"printf %C >" + hash + "\"\n";
  write_file(dir_.path("config"), text);
  oracle("web1.example");
  const std::string theirs = read_file(hash);
  ASSERT_EQ(theirs.size(), 40U);
  ::unlink(hash.c_str());
  ask(text, "web1.example");
  EXPECT_EQ(read_file(hash), theirs);
  EXPECT_EQ(*expand("~/kh_%C", {.host_name = "web1.example",
                                .original = "x",
                                .user = "bob",
                                .local_user = {},
                                .home = "/h",
                                .alias = {},
                                .jump = {},
                                .port = 77}),
            "/h/kh_" + theirs);
}

// OpenSSH has these since 9.4: not every `ssh -G` can be asked.
TEST_F(Config, NetworksOfThisMachineAndTags) {
  const auto port = [&](const std::string& text) { return ask(text, "web1").port.value_or(0); };
  EXPECT_EQ(port("Match localnetwork 127.0.0.0/8\n Port 5\n"), 5);
  EXPECT_EQ(port("Match localnetwork 240.0.0.0/8,127.0.0.1\n Port 5\n"), 5);
  EXPECT_EQ(port("Match localnetwork 240.0.0.0/8,2001:db8::/32\n Port 5\n"), 0);
  EXPECT_EQ(port("Match !localnetwork 240.0.0.0/8\n Port 5\n"), 5);
  EXPECT_EQ(port("Match localnetwork 0.0.0.0/0\n Port 5\n"), 5);
  EXPECT_EQ(port("Host web*\n Tag site\nMatch tagged site\n Port 5\n"), 5);
  EXPECT_EQ(port("Match tagged site\n Port 5\n"), 0);
}

// Without names to look up: the second reading alone.
TEST_F(Config, CanonicalizeHostnameReadsTwiceAsWell) {
  EXPECT_EQ(ask("CanonicalizeHostname yes\nMatch canonical\n User last\n", "web1").user, "last");
  EXPECT_EQ(ask("CanonicalizeHostname no\nMatch canonical\n User last\n", "web1").user, "");
}

TEST(Expanding, TokensAndVariables) {
  const Tokens tokens{.host_name = "10.0.0.1",
                      .original = "web1",
                      .user = "deploy",
                      .local_user = "ann",
                      .home = "/home/ann",
                      .alias = {},
                      .jump = {},
                      .port = 2222};
  EXPECT_EQ(*expand("~/.ssh/%r@%h:%p-%n-%u-%k-%%", tokens),
            "/home/ann/.ssh/deploy@10.0.0.1:2222-web1-ann-web1-%");
  ::setenv("CNPLAY_TEST_KEYS", "/keys", 1);
  EXPECT_EQ(*expand("${CNPLAY_TEST_KEYS}/k", tokens), "/keys/k");
  EXPECT_FALSE(expand("%z", tokens));
  EXPECT_FALSE(expand("/a%", tokens));
  EXPECT_FALSE(expand("${OPEN", tokens));
  EXPECT_FALSE(expand("${CNPLAY_NO_SUCH}", tokens));
}

TEST(Patterns, AsSsh) {
  EXPECT_TRUE(matches({"web*"}, "web1"));
  EXPECT_TRUE(matches({"a", "*.EXAMPLE.com"}, "x.example.com"));
  EXPECT_FALSE(matches({"web*", "!web1"}, "web1"));
  EXPECT_FALSE(matches({"!web1"}, "web2"));
  EXPECT_TRUE(matches({"a,b"}, "b"));
}

}  // namespace
}  // namespace cnplay::ssh::test
