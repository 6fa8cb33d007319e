// Authentication: key files, agent, passwords, and what a person is told when none is accepted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <string>

#include "support/ssh/client.h"
#include "support/ssh/server.h"
#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class AuthTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ::unsetenv("SSH_AUTH_SOCK");
    sshd_ = new Sshd;
  }
  static void TearDownTestSuite() { delete sshd_; }

  std::optional<TransportError> try_with(const Settings& settings) {
    connection_ = transport_->make(settings);
    return connect(*connection_);
  }

  static Sshd* sshd_;
  std::unique_ptr<Transport> transport_ = make_transport({.threads = 1});
  std::shared_ptr<Connection> connection_;
};

Sshd* AuthTest::sshd_ = nullptr;

// A key of its own that the server does not know.
std::string stranger(const TempDir& dir, const std::string& passphrase = {}) {
  const std::string path = dir.path("stranger");
  if (::access(path.c_str(), F_OK) != 0) {
    run("ssh-keygen -q -t ed25519 -N '" + passphrase + "' -C test -f " + path);
  }
  return path;
}

TEST_F(AuthTest, AWrongKeyIsDeniedOnce) {
  const TempDir dir;
  Settings s = sshd_->settings();
  s.identities = {stranger(dir)};
  const auto error = try_with(s);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::authentication);
  EXPECT_THAT(error->what, HasSubstr("permission denied for " + s.user));
  EXPECT_THAT(error->what, HasSubstr("tried key " + dir.path("stranger")));
  EXPECT_THAT(error->what, HasSubstr("the host accepts publickey"));
}

TEST_F(AuthTest, TheNextKeyIsTried) {
  const TempDir dir;
  Settings s = sshd_->settings();
  s.identities = {stranger(dir), sshd_->user_key()};
  EXPECT_FALSE(try_with(s));
}

TEST_F(AuthTest, RsaAndEcdsaKeys) {
  const TempDir dir;
  for (const std::string type : {"rsa -b 3072", "ecdsa"}) {
    const std::string path = dir.path("key") + type.substr(0, 3);
    run("ssh-keygen -q -t " + type + " -N '' -f " + path);
    const std::string authorized = sshd_->dir().path("authorized_keys");
    write_file(authorized, read_file(authorized) + read_file(path + ".pub"));
    Settings s = sshd_->settings();
    s.identities = {path};
    const auto error = try_with(s);
    EXPECT_FALSE(error) << type << ": " << error->what;
  }
}

TEST_F(AuthTest, AnEncryptedKeyNamesTheAgent) {
  const TempDir dir;
  Settings s = sshd_->settings();
  s.identities = {stranger(dir, "secret")};
  const auto error = try_with(s);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::authentication);
  EXPECT_THAT(error->what, HasSubstr("is encrypted"));
  EXPECT_THAT(error->help, HasSubstr("ssh-add " + dir.path("stranger")));
}

TEST_F(AuthTest, AMissingKeyAndNoKeyAtAll) {
  Settings s = sshd_->settings();
  s.identities = {"/nonexistent/key"};
  auto error = try_with(s);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what, HasSubstr("/nonexistent/key cannot be read: No such file"));
  s.identities.clear();
  error = try_with(s);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what, HasSubstr("no key or password to log in with"));
  EXPECT_THAT(error->help, HasSubstr("ssh-agent"));
}

class Agent {
 public:
  Agent() {
    pid_ = std::stoi(run("ssh-agent -s -a " + dir_.path("agent") +
                         " | sed -n 's/^SSH_AGENT_PID=\\([0-9]*\\).*/\\1/p'"));
    ::setenv("SSH_AUTH_SOCK", dir_.path("agent").c_str(), 1);
  }
  ~Agent() {
    ::kill(pid_, SIGTERM);
    ::unsetenv("SSH_AUTH_SOCK");
  }
  void add(const std::string& key) { run("ssh-add -q " + key); }

 private:
  TempDir dir_;
  pid_t pid_;
};

TEST_F(AuthTest, TheAgentsSecondKeyIsAccepted) {
  const TempDir dir;
  Agent agent;
  agent.add(stranger(dir));
  agent.add(sshd_->user_key());
  Settings s = sshd_->settings();
  s.identities.clear();
  s.use_agent = true;
  const auto error = try_with(s);
  ASSERT_FALSE(error) << error->what;
  EXPECT_EQ(exec(*connection_, "exit 4")->status(), 4);
}

// At once, and with the remedy: not after the connect timeout, which says nothing of the keys.
void expect_no_more_attempts(const TransportError& error, const std::string& tried) {
  EXPECT_EQ(error.kind, Failure::authentication);
  EXPECT_THAT(error.what, HasSubstr("the host allows no more attempts to log in as"));
  EXPECT_THAT(error.what, HasSubstr(tried));
  EXPECT_THAT(error.help, HasSubstr("`identity` in the inventory"));
  EXPECT_THAT(error.help, HasSubstr("IdentitiesOnly yes"));
}

TEST_F(AuthTest, MoreKeyFilesThanTheHostTakesAreNamed) {
  const TempDir dir;
  Settings s = sshd_->settings();
  s.identities.clear();
  for (int i = 0; i < 7; ++i) {
    s.identities.push_back(dir.path("other" + std::to_string(i)));
    run("ssh-keygen -q -t ed25519 -N '' -f " + s.identities.back());
  }
  s.identities.push_back(sshd_->user_key());
  const auto error = try_with(s);
  ASSERT_TRUE(error) << "the host does not count";
  expect_no_more_attempts(*error, "tried key " + s.identities.front());
}

// IdentitiesOnly: who has many keys in the agent is locked out by a host that counts attempts.
TEST_F(AuthTest, OfTheAgentsKeysOnlyThoseThatAreNamedAreTried) {
  const TempDir dir;
  Agent agent;
  for (int i = 0; i < 8; ++i) {
    const std::string path = dir.path("other" + std::to_string(i));
    run("ssh-keygen -q -t ed25519 -N '' -f " + path);
    agent.add(path);
  }
  agent.add(sshd_->user_key());
  Settings s = sshd_->settings();
  s.use_agent = true;
  s.identities.clear();
  const auto too_many = try_with(s);
  ASSERT_TRUE(too_many) << "the host does not count: nothing was tried";
  expect_no_more_attempts(*too_many, "tried ssh-agent");

  const std::string named = dir.path("named");
  run("cp " + sshd_->user_key() + ".pub " + named + ".pub");
  s.identities_only = true;
  for (const std::string& identity : {named + ".pub", named}) {
    s.identities = {identity};
    const auto error = try_with(s);
    ASSERT_FALSE(error) << error->what;
    EXPECT_EQ(exec(*connection_, "exit 4")->status(), 4);
  }
  // The public part of an encrypted key can be read without its passphrase.
  run("cp " + sshd_->user_key() + " " + named + " && rm " + named + ".pub");
  run("ssh-keygen -q -p -P '' -N secret -f " + named);
  const auto encrypted = try_with(s);
  EXPECT_FALSE(encrypted) << encrypted->what;
  s.identities = {dir.path("none")};
  const auto denied = try_with(s);
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->kind, Failure::authentication);
}

TEST_F(AuthTest, AnAgentWithoutTheKeyIsDenied) {
  const TempDir dir;
  Agent agent;
  agent.add(stranger(dir));
  Settings s = sshd_->settings();
  s.identities.clear();
  s.use_agent = true;
  const auto error = try_with(s);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::authentication);
  EXPECT_THAT(error->what, HasSubstr("tried ssh-agent"));
}

// As an agent does that waits for a person's touch of the key: others on the loop go on meanwhile.
TEST_F(AuthTest, ASilentAgentTimesOutAndHoldsUpNobody) {
  const TempDir dir;
  const std::string path = dir.path("agent");
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  ::setenv("SSH_AUTH_SOCK", path.c_str(), 1);
  Settings s = sshd_->settings();
  s.identities.clear();
  s.use_agent = true;
  s.connect_timeout = std::chrono::milliseconds(2500);
  auto stuck = transport_->make(s);
  std::promise<std::optional<TransportError>> answer;
  stuck->connect([&](auto e) { answer.set_value(std::move(e)); });
  EXPECT_FALSE(try_with(sshd_->settings()));
  EXPECT_EQ(exec(*connection_, "exit 4")->status(), 4);
  auto answered = answer.get_future();
  ASSERT_EQ(answered.wait_for(kPatience), std::future_status::ready);
  const auto error = answered.get();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::timeout);
  EXPECT_THAT(error->what, HasSubstr("ssh-agent"));
  ::unsetenv("SSH_AUTH_SOCK");
  ::close(listener);
}

class PasswordTest : public testing::TestWithParam<PasswordServer::Method> {};
INSTANTIATE_TEST_SUITE_P(Methods, PasswordTest,
                         testing::Values(PasswordServer::Method::password,
                                         PasswordServer::Method::keyboard_interactive));

TEST_P(PasswordTest, RightAndWrong) {
  PasswordServer server(GetParam(), "open sesame");
  const auto transport = make_transport({.threads = 1});
  {
    const auto connection = transport->make(server.settings());
    const auto error = connect(*connection);
    ASSERT_FALSE(error) << error->what;
    const auto r = exec(*connection, "hello");
    EXPECT_EQ(r->out(), "hello");
    EXPECT_EQ(r->status(), 7);
  }
  EXPECT_EQ(server.attempts(), 1);
  Settings s = server.settings();
  s.password = Secret("hunter2");
  const auto connection = transport->make(s);
  const auto error = connect(*connection);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::authentication);
  EXPECT_THAT(error->what, HasSubstr("permission denied for deploy"));
  EXPECT_THAT(error->what + error->help, Not(HasSubstr("hunter2")));
  EXPECT_EQ(server.attempts(), 2) << "a wrong password is tried once";
}

TEST_F(AuthTest, NamesThatCouldBeOptionsAreRefused) {
  for (const std::string bad : {"-oProxyCommand=x", "", "a b", "a\nb", "a;b", "a\x1b[31m"}) {
    Settings s = sshd_->settings();
    s.address = bad;
    auto error = try_with(s);
    ASSERT_TRUE(error) << bad;
    EXPECT_EQ(error->kind, Failure::resolve);
    EXPECT_THAT(error->what, Not(HasSubstr("\x1b")));
    s = sshd_->settings();
    s.user = bad;
    error = try_with(s);
    ASSERT_TRUE(error) << bad;
    EXPECT_EQ(error->kind, Failure::resolve);
  }
}

}  // namespace
}  // namespace cnplay::ssh::test
