// Host keys: strict by default, and the index of known_hosts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "ssh/keys.h"
#include "ssh/known_hosts.h"
#include "support/ssh/client.h"
#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {
namespace {

using testing::HasSubstr;

class HostKeyTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { sshd_ = new Sshd; }
  static void TearDownTestSuite() { delete sshd_; }

  HostKeyTest() {
    settings_ = sshd_->settings();
    settings_.known_hosts = {file_};
  }
  // A transport for each call: it reads the file anew.
  std::optional<TransportError> try_connect() {
    const auto transport = make_transport({.threads = 1});
    const auto connection = transport->make(settings_);
    return connect(*connection);
  }
  static std::string name() { return "[127.0.0.1]:" + std::to_string(sshd_->port()); }
  static std::string fingerprint_of(const std::string& public_key) {
    return run("ssh-keygen -lf " + public_key + " | cut -d' ' -f2 | tr -d '\\n'");
  }
  std::string other_key() {
    run("ssh-keygen -q -t ed25519 -N '' -C x -f " + dir_.path("other"));
    return read_file(dir_.path("other.pub"));
  }

  static Sshd* sshd_;
  TempDir dir_;
  std::string file_ = dir_.path("known_hosts");
  Settings settings_;
};

Sshd* HostKeyTest::sshd_ = nullptr;

TEST_F(HostKeyTest, AnUnknownKeyIsRefusedWithItsFingerprint) {
  const auto error = try_connect();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::host_key_unknown);
  EXPECT_THAT(error->what, HasSubstr(fingerprint_of(sshd_->dir().path("host.pub"))));
  EXPECT_THAT(error->help, HasSubstr("--host-key=accept-new"));
}

TEST_F(HostKeyTest, AChangedKeyIsFatalEvenWithAcceptNew) {
  write_file(file_, "# a comment\n\n" + name() + " " + other_key());
  settings_.host_keys = Settings::HostKeys::accept_new;
  const auto error = try_connect();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::host_key_changed);
  EXPECT_THAT(error->what, HasSubstr(file_ + ":3"));
  EXPECT_THAT(error->what, HasSubstr(fingerprint_of(sshd_->dir().path("host.pub"))));
  EXPECT_THAT(error->what, HasSubstr(fingerprint_of(dir_.path("other.pub"))));
}

TEST_F(HostKeyTest, ARevokedKeyIsRefusedAlthoughItIsStored) {
  write_file(file_,
             name() + " " + sshd_->host_public_key() + "@revoked * " + sshd_->host_public_key());
  const auto error = try_connect();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::host_key_revoked);
  EXPECT_THAT(error->what, HasSubstr(file_ + ":2"));
}

// ssh would connect, by the host's certificate: whoever only reads "not known" looks for the
// mistake in a known_hosts that has none.
TEST_F(HostKeyTest, ACertificateAuthorityOfTheHostIsNamedAsNotSupported) {
  write_file(file_, "# a comment\n@cert-authority [127.0.0.1]:* " + other_key());
  const auto unknown = try_connect();
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->kind, Failure::host_key_unknown);
  EXPECT_THAT(unknown->what, HasSubstr(fingerprint_of(sshd_->dir().path("host.pub"))));
  EXPECT_THAT(unknown->what, HasSubstr("host certificates are not supported: the @cert-authority "
                                       "of " +
                                       file_ + ":2 is not used"));
  EXPECT_THAT(unknown->help, HasSubstr("ssh-keyscan"));

  write_file(file_, name() + " " + read_file(dir_.path("other.pub")) + "@cert-authority * " +
                        read_file(dir_.path("other.pub")));
  const auto changed = try_connect();
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->kind, Failure::host_key_changed);
  EXPECT_THAT(changed->what, HasSubstr("@cert-authority of " + file_ + ":2"));
}

// Its key is not the host's, even where the two are the same.
TEST_F(HostKeyTest, AnAuthoritysKeyIsNotTheHosts) {
  write_file(file_, "@cert-authority * " + sshd_->host_public_key());
  ASSERT_TRUE(try_connect());
  settings_.host_keys = Settings::HostKeys::accept_new;
  EXPECT_FALSE(try_connect());
  EXPECT_THAT(read_file(file_), HasSubstr("\n" + name() + " "));
  settings_.host_keys = Settings::HostKeys::strict;
  EXPECT_FALSE(try_connect()) << "the stored key beside an authority";
}

TEST_F(HostKeyTest, AcceptNewStoresTheKeyOnce) {
  settings_.host_keys = Settings::HostKeys::accept_new;
  write_file(file_, "other.example ssh-ed25519 AAAA");  // without a newline at its end
  {
    const auto transport = make_transport({.threads = 2});
    for (int i = 0; i < 3; ++i) {
      const auto connection = transport->make(settings_);
      const auto error = connect(*connection);
      ASSERT_FALSE(error) << error->what;
    }
  }
  const std::string public_key = sshd_->host_public_key();
  const std::string two_words = public_key.substr(0, public_key.rfind(' '));
  EXPECT_EQ(read_file(file_), "other.example ssh-ed25519 AAAA\n" + name() + " " + two_words + "\n");
  settings_.host_keys = Settings::HostKeys::strict;
  EXPECT_FALSE(try_connect());
}

TEST_F(HostKeyTest, HashedEntriesAsSshKeygenWritesThem) {
  write_file(file_, name() + " " + sshd_->host_public_key());
  run("ssh-keygen -q -H -f " + file_ + " 2>&1");
  ASSERT_THAT(read_file(file_), HasSubstr("|1|"));
  const auto error = try_connect();
  EXPECT_FALSE(error) << error->what;
}

TEST_F(HostKeyTest, AHostWithoutTheStoredTypeIsAChangedHost) {
  run("ssh-keygen -q -t ecdsa -N '' -C x -f " + dir_.path("ec"));
  write_file(file_, name() + " " + read_file(dir_.path("ec.pub")));
  const auto error = try_connect();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Failure::host_key_changed);
  EXPECT_THAT(error->what, HasSubstr("ecdsa-sha2-nistp256"));
}

TEST(KnownHosts, NamesPortsPatternsAndNegation) {
  const TempDir dir;
  const std::string path = dir.path("kh");
  write_file(path,
             "Web1.Example,10.0.0.1 ssh-ed25519 AAA1\r\n"
             "[web1.example]:2222 ssh-ed25519 AAA2\n"
             "*.example,!secret.example ssh-rsa AAA3 comment here\n"
             "   # indented comment\n"
             "@cert-authority * ssh-rsa AAA4\n"
             "@revoked web?.example ssh-ed25519 AAA5\n"
             "broken line\n"
             "|1|broken ssh-rsa AAA6\n"
             "[*]:2200 ssh-rsa AAA7");
  KnownHosts hosts;
  const auto blobs = [&](const std::string& address, std::uint16_t port = 22) {
    std::string out;
    for (const auto& key : hosts.find({path, "/nonexistent"}, address, port)) {
      out += key.blob + (key.revoked ? "! " : " ");
    }
    return out;
  };
  EXPECT_EQ(blobs("web1.example"), "AAA1 AAA3 AAA5! ");
  EXPECT_EQ(blobs("WEB1.EXAMPLE"), "AAA1 AAA3 AAA5! ");
  EXPECT_EQ(blobs("10.0.0.1"), "AAA1 ");
  EXPECT_EQ(blobs("web1.example", 2222), "AAA2 ");
  EXPECT_EQ(blobs("secret.example"), "");
  EXPECT_EQ(blobs("x.example"), "AAA3 ");
  EXPECT_EQ(blobs("any", 2200), "AAA7 ");
  EXPECT_EQ(blobs("any"), "");
}

// Each run has an index of its own of the same file.
TEST(KnownHosts, AKeyThatAnotherRunHasAddedIsNotAddedAgain) {
  const TempDir dir;
  const std::string file = dir.path("known_hosts");
  KnownHosts first;
  KnownHosts second;
  EXPECT_TRUE(first.find({file}, "a", 22).empty());
  EXPECT_TRUE(second.find({file}, "a", 22).empty());
  ASSERT_TRUE(first.add(file, "a", 22, "ssh-ed25519", "AAAA"));
  ASSERT_TRUE(second.add(file, "a", 22, "ssh-ed25519", "AAAA"));
  ASSERT_TRUE(second.add(file, "b", 22, "ssh-ed25519", "BBBB"));
  ASSERT_TRUE(first.add(file, "b", 22, "ssh-ed25519", "BBBB"));
  EXPECT_EQ(read_file(file), "a ssh-ed25519 AAAA\nb ssh-ed25519 BBBB\n");
}

TEST(KnownHosts, AnotherKeyThatCameMeanwhileIsAnError) {
  const TempDir dir;
  const std::string file = dir.path("known_hosts");
  KnownHosts first;
  KnownHosts second;
  EXPECT_TRUE(first.find({file}, "a", 22).empty());
  ASSERT_TRUE(second.add(file, "a", 22, "ssh-ed25519", "AAAA"));
  const Status status = first.add(file, "a", 22, "ssh-ed25519", "CCCC");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().what, HasSubstr("another key of a"));
  EXPECT_EQ(read_file(file), "a ssh-ed25519 AAAA\n");
}

TEST_F(HostKeyTest, AKeyOfOursThatOthersCanReadIsRefused) {
  const std::string path = dir_.path("mine");
  run("ssh-keygen -q -t ed25519 -N '' -C x -f " + path);
  for (const char* mode : {"644", "640", "604", "620"}) {
    run(std::string("chmod ") + mode + " " + path);
    const auto key = KeyCache({}).load(path);
    ASSERT_FALSE(key) << mode;
    EXPECT_THAT(key.error().help, HasSubstr("chmod 600 " + path));
  }
  run("chmod 400 " + path);
  EXPECT_TRUE(KeyCache({}).load(path));
}

TEST(KnownHosts, Globs) {
  EXPECT_TRUE(match_pattern_list("a*c*e", "abcde"));
  EXPECT_TRUE(match_pattern_list("*", ""));
  EXPECT_FALSE(match_pattern_list("a?", "a"));
  EXPECT_FALSE(match_pattern_list("!a,*", "a"));
  EXPECT_FALSE(match_pattern_list("!a", "b"));
  EXPECT_FALSE(match_pattern_list("", "b"));
}

TEST(KnownHosts, ARevokedKeyIsNotAdded) {
  const TempDir dir;
  const std::string path = dir.path("kh");
  const std::string text = "@revoked * ssh-ed25519 AAA1\n";
  write_file(path, text);
  KnownHosts hosts;
  const Status refused = hosts.add(path, "web1.example", 22, "ssh-ed25519", "AAA1");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("kh:1: the key is marked @revoked"));
  EXPECT_EQ(read_file(path), text);
  // Another key of the same host is.
  EXPECT_TRUE(hosts.add(path, "web1.example", 22, "ssh-ed25519", "AAA2"));
  EXPECT_EQ(read_file(path), text + "web1.example ssh-ed25519 AAA2\n");
  EXPECT_FALSE(hosts.add(path, "web1.example", 22, "ssh-ed25519", "AAA1"));
}

// libssh itself takes 135 ms for this, for every connection.
TEST(KnownHosts, TenThousandHashedEntries) {
  const TempDir dir;
  std::string text;
  for (int i = 0; i < 10000; ++i) {
    text += "host" + std::to_string(i) + ".example ssh-ed25519 AAAA" + std::to_string(i) + "\n";
  }
  write_file(dir.path("kh"), text);
  run("ssh-keygen -q -H -f " + dir.path("kh") + " >/dev/null 2>&1");
  KnownHosts hosts;
  hosts.find({dir.path("kh")}, "warm", 22);
  const auto began = std::chrono::steady_clock::now();
  const auto found = hosts.find({dir.path("kh")}, "host9999.example", 22);
  const auto took = std::chrono::steady_clock::now() - began;
  std::printf("look-up among 10,000 hashed entries: %.1f ms\n",
              std::chrono::duration<double, std::milli>(took).count());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].line, 10000U);
}

}  // namespace
}  // namespace cnplay::ssh::test
