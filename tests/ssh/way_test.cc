// Hosts that are not reached by TCP from here: behind a jump host, a chain of them, a command. And
// keys that need more than a file: certificates, passphrases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <sstream>
#include <thread>

#include "support/ssh/client.h"
#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {
namespace {

using testing::HasSubstr;

std::vector<pid_t> children_of(pid_t pid) {
  std::istringstream text(run("pgrep -P " + std::to_string(pid) + " || :"));
  std::vector<pid_t> pids;
  for (pid_t child = 0; text >> child;) pids.push_back(child);
  return pids;
}

struct Ran {
  std::string out;
};

// One connection, with its words as texts.
class Client {
 public:
  Client(Transport& transport, const Settings& settings)
      : connection_(transport.make(settings)), losses_(*connection_) {}
  ~Client() { connection_->close(); }
  std::string connect() {
    const auto error = test::connect(*connection_);
    return error ? error->what : "";
  }
  Ran exec(const std::string& command) { return {test::exec(*connection_, command)->out()}; }
  std::string await_lost() { return losses_.wait() ? losses_.error().what : "not lost"; }
  Connection& connection() { return *connection_; }

 private:
  std::shared_ptr<Connection> connection_;
  LossCounter losses_;
};

class Way : public testing::Test {
 protected:
  Way() : transport_(make_transport({.threads = 1})) {}
  // The inner host, reached through the gate.
  Settings behind(const Settings& gate) const {
    Settings settings = inner_.settings();
    settings.jump = std::make_shared<const Settings>(gate);
    return settings;
  }
  Settings gate() const {
    Settings settings = gate_.settings();
    settings.name = "gate";
    return settings;
  }
  Sshd gate_;
  Sshd inner_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(Way, ThroughAJumpHost) {
  Client client(*transport_, behind(gate()));
  ASSERT_EQ(client.connect(), "");
  EXPECT_EQ(client.exec("echo inside; head -c 3000000 /dev/zero | wc -c").out, "inside\n3000000\n");
  const Ran ran = client.exec("head -c 3000000 /dev/zero");
  EXPECT_EQ(ran.out.size(), 3000000u);
  on_strand(client.connection(),
            [&] { EXPECT_THAT(client.connection().peer(), HasSubstr("through gate")); });
}

TEST_F(Way, ManyHostsShareOneConnectionToIt) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<Client>(*transport_, behind(gate())));
  }
  std::vector<std::thread> connecting;
  for (const auto& client : clients) {
    connecting.emplace_back([&client] { EXPECT_EQ(client->connect(), ""); });
  }
  for (std::thread& thread : connecting) thread.join();
  for (const auto& client : clients) EXPECT_EQ(client->exec("echo x").out, "x\n");
  EXPECT_EQ(children_of(gate_.pid()).size(), 1u);
  EXPECT_EQ(children_of(inner_.pid()).size(), 12u);
  clients.clear();
  EXPECT_TRUE(eventually([&] { return children_of(gate_.pid()).empty(); }));
}

TEST_F(Way, AChain) {
  Sshd middle;
  Settings second = middle.settings();
  second.name = "middle";
  second.jump = std::make_shared<const Settings>(gate());
  Client client(*transport_, behind(second));
  ASSERT_EQ(client.connect(), "");
  EXPECT_EQ(client.exec("echo deep").out, "deep\n");
}

TEST_F(Way, TheJumpHostsKeyIsHeldToKnownHostsToo) {
  Settings unknown = gate();
  unknown.known_hosts = {inner_.dir().path("none")};
  Client client(*transport_, behind(unknown));
  const std::string error = client.connect();
  EXPECT_THAT(error, HasSubstr("its jump host: gate"));
  EXPECT_THAT(error, HasSubstr("key is not known"));
}

TEST_F(Way, TheLossOfTheJumpHostIsNamed) {
  Client client(*transport_, behind(gate()));
  ASSERT_EQ(client.connect(), "");
  for (const pid_t pid : children_of(gate_.pid())) ::kill(pid, SIGKILL);
  EXPECT_THAT(client.await_lost(), HasSubstr("its jump host is gone: gate"));
  // Anew it gets a new connection to the gate.
  Client again(*transport_, behind(gate()));
  EXPECT_EQ(again.connect(), "");
}

TEST_F(Way, WhatTheJumpHostDoesNotReachOrDoesNotLetThrough) {
  Settings nowhere = behind(gate());
  nowhere.port = free_port();
  Client client(*transport_, nowhere);
  EXPECT_THAT(client.connect(), HasSubstr("gate cannot reach it"));
  Sshd closed("AllowTcpForwarding no");
  Settings refusing = closed.settings();
  refusing.name = "closed";
  Client refused(*transport_, behind(refusing));
  EXPECT_THAT(refused.connect(), HasSubstr("closed cannot reach it"));
}

TEST_F(Way, ThroughACommand) {
  Settings settings = inner_.settings();
  settings.proxy_command =
      "ssh -F none -q -o BatchMode=yes -o UserKnownHostsFile=" + gate_.known_hosts() + " -i " +
      gate_.user_key() + " -p " + std::to_string(gate_.port()) +
      " -W 127.0.0.1:" + std::to_string(inner_.port()) + " " + user_name() + "@127.0.0.1";
  {
    Client client(*transport_, settings);
    ASSERT_EQ(client.connect(), "");
    EXPECT_EQ(client.exec("echo by command").out, "by command\n");
    EXPECT_EQ(children_of(gate_.pid()).size(), 1u);
  }
  EXPECT_TRUE(eventually([&] { return children_of(gate_.pid()).empty(); }))
      << "the command outlived its connection";
  // The command ends before our first write, or after it: libssh tells of the two differently.
  settings.proxy_command = "echo no way from here >&2";
  for (int i = 0; i < 50; ++i) {
    Client failing(*transport_, settings);
    EXPECT_THAT(failing.connect(), HasSubstr("the proxy command said: no way from here"));
  }
}

TEST(Keys, AUserCertificate) {
  TempDir dir;
  run("ssh-keygen -q -t ed25519 -N '' -f " + dir.path("ca"));
  run("ssh-keygen -q -t ed25519 -N '' -f " + dir.path("key"));
  run("ssh-keygen -q -s " + dir.path("ca") + " -I me -n " + user_name() + " -V +1h " +
      dir.path("key.pub"));
  const Sshd sshd("TrustedUserCAKeys " + dir.path("ca.pub"));
  const auto transport = make_transport({.threads = 1});
  Settings settings = sshd.settings();
  settings.identities = {dir.path("key")};
  {
    Client beside(*transport, settings);  // key-cert.pub
    EXPECT_EQ(beside.connect(), "");
  }
  run("mv " + dir.path("key-cert.pub") + " " + dir.path("elsewhere.pub"));
  const auto fresh = make_transport({.threads = 1});
  {
    Client without(*fresh, settings);
    EXPECT_THAT(without.connect(), HasSubstr("permission denied"));
  }
  settings.certificates = {dir.path("elsewhere.pub")};
  Client named(*fresh, settings);
  EXPECT_EQ(named.connect(), "");
}

TEST(Keys, AnEncryptedKey) {
  TempDir dir;
  run("ssh-keygen -q -t ed25519 -N 'open sesame' -f " + dir.path("key"));
  const Sshd sshd;
  write_file(sshd.dir().path("authorized_keys"), read_file(dir.path("key.pub")));
  EXPECT_TRUE(is_encrypted_key(dir.path("key")));
  EXPECT_FALSE(is_encrypted_key(sshd.user_key()));
  EXPECT_FALSE(is_encrypted_key(dir.path("none")));
  Settings settings = sshd.settings();
  settings.identities = {dir.path("key")};
  int asked = 0;
  for (const char* word : {"open sesame", "wrong"}) {
    Options options;
    options.threads = 1;
    options.passphrase = [&](const std::string& path) {
      EXPECT_EQ(path, dir.path("key"));
      ++asked;
      return std::optional(Secret(word));
    };
    const auto transport = make_transport(options);
    for (int i = 0; i < 2; ++i) {
      Client client(*transport, settings);
      const std::string error = client.connect();
      EXPECT_EQ(error.empty(), word[0] == 'o') << error;
      EXPECT_THAT(error, HasSubstr(word[0] == 'o' ? "" : "the passphrase of the key file"));
    }
  }
  EXPECT_EQ(asked, 2);  // once a file
}

TEST(Keys, HostKeyAlias) {
  const Sshd sshd;
  const auto transport = make_transport({.threads = 1});
  Settings settings = sshd.settings();
  settings.host_key_alias = "the-one";
  settings.known_hosts = {sshd.dir().path("aliases")};
  write_file(sshd.dir().path("aliases"), "the-one " + sshd.host_public_key());
  Client client(*transport, settings);
  EXPECT_EQ(client.connect(), "");
  settings.host_key_alias = "another";
  Client other(*transport, settings);
  EXPECT_THAT(other.connect(), HasSubstr("not known"));
}

}  // namespace
}  // namespace cnplay::ssh::test
