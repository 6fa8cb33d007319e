// What the inventory says wins over the ssh configuration, that over what ssh does by itself.
#include "cli/reach.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace cnplay::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Reaching : public ::testing::Test {
 protected:
  Reaching() {
    std::string name = (std::filesystem::temp_directory_path() / "cnplay-reach-XXXXXX").string();
    home_ = mkdtemp(name.data());
    std::filesystem::create_directories(home_ + "/.ssh");
  }
  ~Reaching() override { std::filesystem::remove_all(home_); }
  std::string file(const std::string& name, const std::string& text = {}) const {
    std::ofstream(home_ + "/" + name) << text;
    return home_ + "/" + name;
  }
  ssh::Settings ask(const std::string& text, const plan::Connection& connection,
                    const std::string& name = "web1") const {
    auto config = ssh::ClientConfig::read({file("config", text)}, home_, true);
    EXPECT_TRUE(config) << config.error().what;
    const Reach reach(*config, "me", home_, false);
    auto settings = reach.settings(name, connection);
    if (settings) return *settings;
    ssh::Settings failed;
    failed.name = settings.error().what;
    return failed;
  }
  static plan::Connection at(const std::string& address) {
    plan::Connection connection;
    connection.address = address;
    return connection;
  }
  std::string home_;
};

TEST_F(Reaching, WithoutAnythingAsSshDoes) {
  const auto s = ask("", at("web1"));
  EXPECT_EQ(s.address, "web1");
  EXPECT_EQ(s.port, 22);
  EXPECT_EQ(s.user, "me");
  EXPECT_THAT(s.identities, IsEmpty());
  EXPECT_TRUE(s.use_agent);
  EXPECT_THAT(s.known_hosts, IsEmpty());  // the usual ones
  file(".ssh/id_ed25519");
  EXPECT_THAT(ask("", at("web1")).identities, ElementsAre(home_ + "/.ssh/id_ed25519"));
}

TEST_F(Reaching, AKeyOfTheAgentIsNamedByItsPublicPart) {
  const std::string there = file("there.pub");
  const auto s = ask("Host web1\n IdentityFile ~/there\n IdentityFile ~/none\n", at("web1"));
  EXPECT_THAT(s.identities, ElementsAre(there));
  EXPECT_FALSE(s.identities_only);
}

TEST_F(Reaching, TheConfigurationSpeaksWhereTheInventoryIsSilent) {
  const std::string key = file("key");
  const std::string text =
      "Host web1\n HostName 10.0.0.1\n Port 2222\n User deploy\n IdentityFile " + key +
      "\n IdentityFile ~/none\n IdentitiesOnly yes\n HostKeyAlias one\n"
      " UserKnownHostsFile ~/%k\n ConnectTimeout 3\n ServerAliveInterval 5\n"
      " ServerAliveCountMax 2\n StrictHostKeyChecking accept-new\n";
  auto s = ask(text, at("web1"));
  EXPECT_EQ(s.address, "10.0.0.1");
  EXPECT_EQ(s.port, 2222);
  EXPECT_EQ(s.user, "deploy");
  EXPECT_THAT(s.identities, ElementsAre(key));
  EXPECT_TRUE(s.use_agent);
  EXPECT_TRUE(s.identities_only);
  EXPECT_EQ(s.host_key_alias, "one");
  EXPECT_THAT(s.known_hosts, ElementsAre(home_ + "/one", "/etc/ssh/ssh_known_hosts"));
  EXPECT_EQ(s.connect_timeout, Duration(3000));
  EXPECT_EQ(s.keepalive, Duration(5000));
  EXPECT_EQ(s.keepalive_count, 2u);
  EXPECT_EQ(s.host_keys, ssh::Settings::HostKeys::accept_new);

  plan::Connection said = at("10.9.9.9");
  said.port = 22;
  said.user = "root";
  said.identities = {"~/mine"};
  said.known_hosts = {"/known"};
  s = ask("Host 10.9.9.9\n HostName elsewhere\n Port 1\n User x\n IdentityFile /y\n", said);
  EXPECT_EQ(s.address, "10.9.9.9");
  EXPECT_EQ(s.port, 22);
  EXPECT_EQ(s.user, "root");
  EXPECT_THAT(s.identities, ElementsAre(home_ + "/mine"));
  EXPECT_THAT(s.known_hosts, ElementsAre("/known"));
}

TEST_F(Reaching, ChainsOfJumpHosts) {
  const std::string text =
      "Host web*\n ProxyJump ann@gate:2200,inner\nHost inner\n HostName 10.1.0.1\n User in\n"
      "Host gate\n HostName gate.example.com\n ProxyJump unused\n";
  const auto s = ask(text, at("web1"));
  ASSERT_TRUE(s.jump);
  EXPECT_EQ(s.jump->address, "10.1.0.1");
  EXPECT_EQ(s.jump->user, "in");
  ASSERT_TRUE(s.jump->jump);
  EXPECT_EQ(s.jump->jump->address, "gate.example.com");
  EXPECT_EQ(s.jump->jump->user, "ann");
  EXPECT_EQ(s.jump->jump->port, 2200);
  // The first of a chain may have a way of its own.
  ASSERT_TRUE(s.jump->jump->jump);
  EXPECT_EQ(s.jump->jump->jump->address, "unused");
  plan::Connection said = at("web1");
  said.jump = "root@[fe80::1]:24";
  const auto t = ask(text, said);
  EXPECT_EQ(t.jump->address, "fe80::1");
  EXPECT_EQ(t.jump->port, 24);
  EXPECT_FALSE(t.jump->jump);
}

TEST_F(Reaching, CirclesAndNonsenseAreErrors) {
  EXPECT_THAT(ask("Host a\n ProxyJump b\nHost b\n ProxyJump a\n", at("a"), "a").name,
              HasSubstr("more than 8 jump hosts"));
  EXPECT_THAT(ask("ProxyJump gate:port\n", at("web1")).name, HasSubstr("is not a valid jump host"));
  EXPECT_THAT(ask("IdentityFile ~/%z\n", at("web1")).name, HasSubstr("web1: unknown token %z"));
}

TEST_F(Reaching, WhatTheConfigurationRefusesNamesTheHost) {
  const std::string text = "Host web1\n StrictHostKeyChecking no\n";
  EXPECT_THAT(ask(text, at("web1")).name, HasSubstr("web1: "));
  EXPECT_THAT(ask(text, at("web1")).name, HasSubstr("config:2: "));
  EXPECT_EQ(ask(text, at("db1"), "db1").name, "db1");
}

TEST_F(Reaching, TheHashOfAConnectionIsAFilesName) {
  const auto s = ask("UserKnownHostsFile ~/known ~/kh_%C\n", at("web1"));
  ASSERT_EQ(s.known_hosts.size(), 3U) << s.name;
  EXPECT_THAT(s.known_hosts[1], ::testing::MatchesRegex(home_ + "/kh_[0-9a-f]+"));
}

TEST_F(Reaching, TheTokenOfAJumpHostIsItsName) {
  const auto s =
      ask("Host gate inner\n ProxyJump none\nHost *\n ProxyJump ann@gate:2200,bob@inner:22\n"
          " UserKnownHostsFile ~/%j\n",
          at("web1"));
  ASSERT_FALSE(s.known_hosts.empty()) << s.name;
  EXPECT_EQ(s.known_hosts[0], home_ + "/inner");
}

TEST_F(Reaching, ACommandAndItsTokens) {
  const auto s = ask("Host web1\n HostName 10.0.0.1\n ProxyCommand nc -x %n %h %p\n", at("web1"));
  EXPECT_EQ(s.proxy_command, "nc -x web1 10.0.0.1 22");
  EXPECT_FALSE(s.jump);
  EXPECT_EQ(ask("ProxyCommand none\n", at("web1")).proxy_command, "");
}

}  // namespace
}  // namespace cnplay::cli
