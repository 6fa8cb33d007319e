#include "secrets/vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>

#include <random>
#include <set>

#include "base/base64.h"
#include "secrets/generate.h"
#include "secrets/vault_password.h"
#include "secrets/vault_yaml.h"
#include "support/secrets/fault_disk.h"

namespace cnplay::secrets {
namespace {

using cnplay::testing::FaultDisk;
using cnplay::testing::TemporaryDirectory;
using cnplay::testing::TypedAnswers;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

constexpr VaultCost kCheap{1, 8192};
const Secret kPassword("correct horse battery");

Vault::Edit put(const std::string& path, const std::string& value) {
  return [=](VaultEntries& entries) -> Status {
    entries[path].value = Secret(value);
    return {};
  };
}

// What stands before the last line of a vault, with a last line that fits.
std::string with_sum(const std::string& body) {
  std::array<unsigned char, 16> sum{};
  crypto_generichash(sum.data(), sum.size(), reinterpret_cast<const unsigned char*>(body.data()),
                     body.size(), nullptr, 0);
  return body + "sum " + base64_encode({reinterpret_cast<const char*>(sum.data()), sum.size()}) +
         "\n";
}

template <class T>
std::string error_of(const Result<T>& result) {
  return result ? "no error" : result.error().what;
}

class VaultFile : public ::testing::Test {
 protected:
  Vault made() {
    auto vault = Vault::create(disk, path, kPassword, kCheap);
    if (!vault) throw std::runtime_error(vault.error().what);
    if (auto status = vault->change(disk, "test", put("prod/key", "s3cret")); !status) {
      throw std::runtime_error(status.error().what);
    }
    return *vault;
  }
  // Opened a second time, as by another process.
  Vault made_again() { return *Vault::open(disk, path, kPassword); }
  std::string bytes() const { return *disk.read(path, 1u << 20); }

  TemporaryDirectory directory;
  std::string path = directory / "prod.vault";
  SystemDisk disk;
};

TEST_F(VaultFile, GivesBackWhatWasPut) {
  made();
  const auto vault = Vault::open(disk, path, kPassword);
  ASSERT_TRUE(vault) << error_of(vault);
  EXPECT_THAT(vault->paths(), ElementsAre("prod/key"));
  EXPECT_EQ(vault->find("prod/key")->value.reveal(), "s3cret");
  EXPECT_EQ(vault->find("prod/other"), nullptr);
  struct stat st {};
  ASSERT_EQ(::stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0600u);
}

TEST_F(VaultFile, ShowsNeitherNamesNorValuesNorThePassword) {
  made();
  for (const char* word : {"prod/key", "s3cret", "correct"}) {
    EXPECT_THAT(bytes(), Not(HasSubstr(word)));
  }
}

TEST_F(VaultFile, NoNonceAndNoSaltComesTwice) {
  Vault vault = made();
  const std::string before = bytes();
  ASSERT_TRUE(vault.change(disk, "test", [](VaultEntries&) -> Status { return {}; }));
  const std::string after = bytes();
  EXPECT_NE(parse_vault(path, before)->nonce, parse_vault(path, after)->nonce);
  const auto other = Vault::create(disk, directory / "other.vault", kPassword, kCheap);
  ASSERT_TRUE(other);
  EXPECT_NE(parse_vault("other", *disk.read(other->path(), 1u << 20))->salt,
            parse_vault(path, after)->salt);
}

TEST_F(VaultFile, ATemporaryFileThatACrashLeftOpenToAllIsMadePrivate) {
  ASSERT_TRUE(disk.create(path + ".new"));
  ASSERT_EQ(::chmod((path + ".new").c_str(), 0666), 0);
  made();
  struct stat st {};
  ASSERT_EQ(::stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0600u);
}

TEST_F(VaultFile, AWrongPasswordIsSaidAndChangesNothing) {
  made();
  const std::string before = bytes();
  const auto vault = Vault::open(disk, path, Secret("correct horse batterz"));
  EXPECT_EQ(error_of(vault), "wrong password for " + path);
  EXPECT_EQ(bytes(), before);
}

// Whoever opened it before it got another password cannot write it with the old one.
TEST_F(VaultFile, AnotherPasswordMeanwhileIsNoticed) {
  Vault first = made();
  Vault second = made_again();
  ASSERT_TRUE(second.rekey(disk, "test", Secret("quite another one"), kCheap));
  const std::string before = bytes();
  EXPECT_EQ(error_of(first.change(disk, "test", put("x", "y"))), "wrong password for " + path);
  EXPECT_EQ(bytes(), before);
  EXPECT_EQ(error_of(Vault::open(disk, path, kPassword)), "wrong password for " + path);
  EXPECT_EQ(Vault::open(disk, path, Secret("quite another one"))->find("prod/key")->value.reveal(),
            "s3cret");
}

TEST_F(VaultFile, EveryFlippedBitIsFoundWithoutAPassword) {
  made();
  const std::string good = bytes();
  ASSERT_TRUE(parse_vault(path, good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 1 << bit);
      const auto parsed = parse_vault(path, bad);
      ASSERT_FALSE(parsed) << "byte " << i << ", bit " << bit;
      ASSERT_THAT(parsed.error().what, AnyOf(StartsWith(path + " is damaged: "),
                                             StartsWith(path + " is not a vault: ")));
      ASSERT_FALSE(parsed.error().help.empty());
    }
  }
}

// The same by somebody who means it, and mends the checksum.
TEST_F(VaultFile, EveryFlippedByteIsRefusedEvenWithTheChecksumMended) {
  made();
  const std::string good = bytes();
  const auto key = VaultKey::make(kPassword, kCheap, parse_vault(path, good)->salt);
  const std::string body = good.substr(0, good.rfind("\nsum ") + 1);
  int authentic = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    std::string bad = body;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    const auto parsed = parse_vault(path, with_sum(bad));
    if (!parsed) continue;
    // What can still be taken apart must fail its authentication: never with its own key.
    const auto made = VaultKey::make(kPassword, parsed->cost, parsed->salt);
    ASSERT_TRUE(made);
    const auto opened = open_vault(path, *parsed, *made);
    ASSERT_FALSE(opened) << "byte " << i;
    authentic += opened.error().what == path +
                                            " was changed by somebody who does not know its "
                                            "password";
  }
  EXPECT_GT(authentic, 500);  // the ciphertext and the nonce
  EXPECT_TRUE(open_vault(path, *parse_vault(path, with_sum(body)), *key));
}

// Whoever can write the file could else make every reader work for minutes.
TEST_F(VaultFile, ACostBeyondTwiceThatOfThisVersionIsRefused) {
  made();
  const std::string body = bytes().substr(0, bytes().rfind("\nsum ") + 1);
  const auto with_cost = [&](std::uint64_t operations, std::uint64_t memory) {
    const std::string before = "argon2id 1 8192";
    std::string changed = body;
    changed.replace(changed.find(before), before.size(),
                    "argon2id " + std::to_string(operations) + " " + std::to_string(memory));
    return parse_vault(path, with_sum(changed)).has_value();
  };
  const VaultCost written;
  EXPECT_TRUE(with_cost(written.operations, written.memory));
  EXPECT_TRUE(with_cost(2 * written.operations, 2 * written.memory));
  EXPECT_FALSE(with_cost(2 * written.operations + 1, written.memory));
  EXPECT_FALSE(with_cost(written.operations, 2 * written.memory + 1));
}

TEST_F(VaultFile, EveryCutIsFound) {
  made();
  const std::string good = bytes();
  for (std::size_t n = 0; n < good.size(); ++n) {
    const auto parsed = parse_vault(path, good.substr(0, n));
    ASSERT_FALSE(parsed) << n << " bytes";
    ASSERT_THAT(parsed.error().what,
                AnyOf(StartsWith(path + " is damaged: "), StartsWith(path + " is not a vault: ")));
  }
  EXPECT_EQ(error_of(parse_vault(path, "")), path + " is damaged: it is empty");
  EXPECT_EQ(error_of(parse_vault(path, good.substr(0, good.size() / 2))),
            path + " is damaged: its end is missing");
}

TEST_F(VaultFile, ADamagedFileIsNeverWrittenOver) {
  Vault vault = made();
  const std::string good = bytes();
  for (const std::string& bad :
       {good.substr(0, 200), std::string(), std::string("not a vault\n"), good + "x"}) {
    ASSERT_TRUE(disk.replace(path, bad));
    EXPECT_FALSE(vault.change(disk, "test", put("x", "y")));
    EXPECT_FALSE(vault.rekey(disk, "test", Secret("another password"), kCheap));
    EXPECT_EQ(error_of(Vault::create(disk, path, kPassword, kCheap)), path + " exists");
    EXPECT_EQ(bytes(), bad);
  }
}

TEST_F(VaultFile, AnotherVersionIsNamed) {
  made();
  std::string newer = bytes();
  newer = newer.substr(0, newer.rfind("\nsum ") + 1);
  newer.replace(newer.find(" 1\n"), 3, " 12\n");
  EXPECT_EQ(error_of(parse_vault(path, with_sum(newer))),
            path + " is a vault of version 12; this cnplay reads version 1");
}

TEST_F(VaultFile, WorkWithoutBoundsIsNotDone) {
  made();
  std::string greedy = bytes();
  greedy = greedy.substr(0, greedy.rfind("\nsum ") + 1);
  greedy.replace(greedy.find(" 8192 "), 6, " 99999999999 ");
  EXPECT_THAT(error_of(parse_vault(path, with_sum(greedy))), HasSubstr("more work or memory"));
}

TEST_F(VaultFile, NoVaultIsSaid) {
  EXPECT_EQ(error_of(Vault::open(disk, path, kPassword)), "there is no vault " + path);
  EXPECT_EQ(error_of(Vault::inspect(disk, path)), "there is no vault " + path);
  made();
  EXPECT_TRUE(Vault::inspect(disk, path));
}

TEST_F(VaultFile, WhatNoScriptCanTakeIsNotStored) {
  Vault vault = made();
  const std::string before = bytes();
  EXPECT_EQ(error_of(vault.change(disk, "test", put("k", ""))), "`k`: the value is empty");
  EXPECT_THAT(error_of(vault.change(disk, "test", put("k", std::string("a\0b", 3)))),
              HasSubstr("NUL"));
  EXPECT_THAT(error_of(vault.change(disk, "test", put("k", std::string(65537, 'x')))),
              HasSubstr("64 KiB"));
  for (const std::string bad : {"", " a", "a ", "a\nb", "\xff"}) {
    EXPECT_THAT(error_of(vault.change(disk, "test", put(bad, "v"))),
                HasSubstr("cannot be a path in a vault"));
  }
  EXPECT_EQ(bytes(), before);
  EXPECT_TRUE(vault.change(disk, "test", put(std::string(255, 'x'), std::string(65536, 'x'))));
}

TEST_F(VaultFile, AnEditThatFailsWritesNothing) {
  Vault vault = made();
  const std::string before = bytes();
  EXPECT_EQ(error_of(vault.change(disk, "test",
                                  [](VaultEntries& entries) -> Status {
                                    entries.clear();
                                    return fail("changed my mind");
                                  })),
            "changed my mind");
  EXPECT_EQ(bytes(), before);
  EXPECT_NE(vault.find("prod/key"), nullptr);
}

TEST_F(VaultFile, TheSecondWriterIsToldWhoTheFirstIs) {
  Vault vault = made();
  const auto held = disk.lock(directory / ".prod.vault.lock", "ann, process 7");
  ASSERT_TRUE(held && *held);
  EXPECT_EQ(error_of(vault.change(disk, "ben", put("x", "y"), Duration{0})),
            path + " is being written by ann, process 7");
  EXPECT_EQ(error_of(vault.rekey(disk, "ben", kPassword, kCheap, Duration{0})),
            path + " is being written by ann, process 7");
}

TEST_F(VaultFile, AWriterSeesWhatAnotherHasWrittenMeanwhile) {
  Vault first = made();
  Vault second = made_again();
  ASSERT_TRUE(first.change(disk, "one", put("a", "1")));
  ASSERT_TRUE(second.change(disk, "two", put("b", "2")));
  EXPECT_THAT(Vault::open(disk, path, kPassword)->paths(), ElementsAre("a", "b", "prod/key"));
}

TEST_F(VaultFile, EveryFailureOfTheDiskIsToldAndLeavesAWholeVault) {
  made();
  int failures = 0;
  for (int n = 1;; ++n) {
    FaultDisk faulty;
    Vault vault = made_again();
    const std::string before = bytes();
    const std::string value = "value " + std::to_string(n);
    faulty.fail_at = n;
    const auto status = vault.change(faulty, "test", put("new", value));
    const auto after = Vault::open(disk, path, kPassword);
    ASSERT_TRUE(after) << n << ": " << error_of(after);
    if (faulty.operations < n) {
      EXPECT_TRUE(status);
      EXPECT_EQ(after->find("new")->value.reveal(), value);
      break;
    }
    ++failures;
    EXPECT_THAT(error_of(status), HasSubstr("no space left")) << n;
    if (error_of(status).find("as it was") != std::string::npos) {
      EXPECT_EQ(bytes(), before) << n;
      EXPECT_EQ(vault.find("new"), nullptr) << n;
    }
  }
  EXPECT_EQ(failures, 3);  // the lock, the file, the directory
}

// ---- rotation

TEST_F(VaultFile, ARotationKeepsTheFormerValueUntilItsRunCommits) {
  Vault vault = made();
  ASSERT_TRUE(vault.change(disk, "run", [](VaultEntries& e) -> Status {
    begin_rotation(e, "prod/key", Secret("fresh"), "run-1");
    begin_rotation(e, "prod/first", Secret("never was"), "run-1");
    return {};
  }));
  Vault again = made_again();
  EXPECT_EQ(again.find("prod/key")->value.reveal(), "fresh");
  EXPECT_EQ(again.find("prod/key")->former->reveal(), "s3cret");
  EXPECT_EQ(again.find("prod/key")->run, "run-1");
  EXPECT_FALSE(again.find("prod/first")->former);
  ASSERT_TRUE(again.change(disk, "run", [](VaultEntries& e) -> Status {
    commit_rotations(e, "run-1");
    return {};
  }));
  const auto last = Vault::open(disk, path, kPassword);
  EXPECT_EQ(last->find("prod/key")->value.reveal(), "fresh");
  EXPECT_FALSE(last->find("prod/key")->former);
  EXPECT_EQ(last->find("prod/key")->run, "");
}

TEST(Rotation, OnlyTheRunThatHasItNowCommits) {
  VaultEntries entries;
  entries["k"].value = Secret("old");
  begin_rotation(entries, "k", Secret("new"), "run-1");
  continue_rotation(entries["k"], "run-2");
  commit_rotations(entries, "run-1");
  EXPECT_EQ(entries["k"].former->reveal(), "old");
  commit_rotations(entries, "run-2");
  EXPECT_FALSE(entries["k"].former);
}

TEST(Rotation, AValueIsMadeOnceAndThenKept) {
  VaultEntries entries;
  EXPECT_TRUE(settle_generated(entries, "k", 20, false, "run-1"));
  const std::string first = entries["k"].value.reveal();
  EXPECT_EQ(first.size(), 20u);
  EXPECT_FALSE(entries["k"].former);
  EXPECT_FALSE(settle_generated(entries, "k", 20, false, "run-1"));  // resumed
  commit_rotations(entries, "run-1");
  EXPECT_FALSE(settle_generated(entries, "k", 30, false, "run-2"));
  EXPECT_EQ(entries["k"].value.reveal(), first);
  EXPECT_EQ(entries["k"].run, "");
}

TEST(Rotation, IsGoneOnWithUntilARunSucceeds) {
  VaultEntries entries;
  entries["k"].value = Secret("of before");
  EXPECT_TRUE(settle_generated(entries, "k", 20, true, "run-1"));
  const std::string first = entries["k"].value.reveal();
  EXPECT_EQ(entries["k"].former->reveal(), "of before");
  // run-1 failed half way: some hosts have the first new value. A third one would lose one of two.
  EXPECT_TRUE(settle_generated(entries, "k", 20, true, "run-2"));
  EXPECT_EQ(entries["k"].value.reveal(), first);
  EXPECT_EQ(entries["k"].former->reveal(), "of before");
  EXPECT_EQ(entries["k"].run, "run-2");
  commit_rotations(entries, "run-2");
  EXPECT_TRUE(settle_generated(entries, "k", 20, true, "run-3"));
  EXPECT_NE(entries["k"].value.reveal(), first);
  EXPECT_EQ(entries["k"].former->reveal(), first);
}

// ---- generated values

TEST(Generate, HasTheLengthAndTheLettersAndIsNeverTheSame) {
  std::set<std::string> seen;
  std::set<char> letters;
  for (int i = 0; i < 200; ++i) {
    const Secret secret = generate_secret(40);
    EXPECT_EQ(secret.reveal().size(), 40u);
    for (const char c : secret.reveal()) {
      EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) != 0);
      letters.insert(c);
    }
    seen.insert(secret.reveal());
  }
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_EQ(letters.size(), 62u);
}

// ---- YAML

TEST(VaultYaml, GivesBackWhatItWrote) {
  std::mt19937 random(7);  // NOLINT: the same in each run
  const std::string alphabet = "ab \n\t:#'\"\\-?!&*{}[]|>%@`~,\x01\x1b\x7f";
  for (int round = 0; round < 3000; ++round) {
    SecretTexts texts;
    for (int i = 0; i < 4; ++i) {
      std::string value;
      const std::size_t size = random() % 20;
      while (value.size() < size) value += alphabet[random() % alphabet.size()];
      if (random() % 3 == 0) value = "first\n" + value + "\n";
      if (random() % 5 == 0) value += "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91";
      texts["path/" + std::string(1, alphabet[random() % 25]) + std::to_string(i)] = Secret(value);
    }
    const Secret written = write_yaml(texts);
    const auto read = read_yaml("x", written);
    ASSERT_TRUE(read) << error_of(read) << "\n" << written.reveal();
    ASSERT_EQ(read->size(), texts.size());
    for (const auto& [path, value] : texts) {
      ASSERT_EQ(read->at(path).reveal(), value.reveal()) << written.reveal();
    }
  }
  EXPECT_TRUE(read_yaml("x", write_yaml({}))->empty());
}

TEST(VaultYaml, NamesTheLineAndNeverTheText) {
  const auto error = [](const std::string& text) { return error_of(read_yaml("x", Secret(text))); };
  EXPECT_EQ(error("a: one\nb:\n  c: hush\n"),
            "x, line 2: the value of a secret is a text, not a map, a list, nothing, or something "
            "with a tag");
  EXPECT_THAT(error("a: one\nb: [hush]\n"), StartsWith("x, line 2: "));
  EXPECT_THAT(error("b: !vault hush\n"), StartsWith("x, line 1: "));
  EXPECT_THAT(error("b:\n"), StartsWith("x, line 1: "));
  EXPECT_EQ(error("a: one\na: two\n"), "x, line 2: this name is there twice");
  for (const char* open :
       {"a: one\nb: \"hush\n", "a: one\nb: 'hush", "a: one\nb: \"hush\nc: \"x\"\n"}) {
    EXPECT_THAT(error(open), MatchesRegex("x, line [234]: not valid YAML"));
  }
  for (const char* ended :
       {"pin: 1", "pin: 1\n...", "---\npin: 1\n...\n", "\xEF\xBB\xBFpin: 1\n"}) {
    EXPECT_EQ(error(ended), "no error");
  }
  EXPECT_EQ(error(""), "no error");
  EXPECT_EQ(error("- hush\n"), "x, line 1: a map of texts is expected");
  EXPECT_EQ(error("a: 1\n---\nb: 2\n"), "x holds several YAML documents");
  EXPECT_EQ(read_yaml("x", Secret("pin: 0123\n"))->at("pin").reveal(), "0123");
}

// ---- passwords

TEST(VaultPassword, IsAskedForOnceAndANewOneTwice) {
  TypedAnswers person(
      {"one password", "another one", "another one", "typed well", "typed wel1", "short", "short"});
  EXPECT_EQ(vault_password({}, person, "v")->reveal(), "one password");
  EXPECT_EQ(new_vault_password({}, person, "v")->reveal(), "another one");
  EXPECT_THAT(person.asked, ElementsAre("password of v", "new password of v", "once more"));
  EXPECT_THAT(error_of(new_vault_password({}, person, "v")),
              StartsWith("the two passwords differ"));
  EXPECT_THAT(error_of(new_vault_password({}, person, "v")), HasSubstr("too short"));
}

TEST(VaultPassword, NobodyThereIsToldTheOtherWays) {
  TypedAnswers nobody({});
  const auto password = vault_password({}, nobody, "v");
  ASSERT_FALSE(password);
  EXPECT_THAT(password.error().help, HasSubstr("--vault-key-file"));
}

TEST(VaultPassword, OfAKeyFileThatIsPrivate) {
  TypedAnswers nobody({});
  TemporaryDirectory directory;
  SystemDisk disk;
  const std::string path = directory / "key";
  EXPECT_THAT(error_of(vault_password({path, {}}, nobody, "v")), HasSubstr("cannot be read"));
  ASSERT_TRUE(disk.replace(path, "of a file\n"));
  EXPECT_EQ(vault_password({path, {}}, nobody, "v")->reveal(), "of a file");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const auto open_to_group = vault_password({path, {}}, nobody, "v");
  EXPECT_THAT(error_of(open_to_group), HasSubstr("can be read or written by others"));
  EXPECT_EQ(open_to_group.error().help, "chmod 600 " + path);
  ASSERT_TRUE(disk.replace(path, "\n"));
  EXPECT_THAT(error_of(vault_password({path, {}}, nobody, "v")), HasSubstr("is empty"));
}

TEST(VaultPassword, OfACommand) {
  TypedAnswers nobody({});
  EXPECT_EQ(vault_password({"", {"printf", "of a command\\n"}}, nobody, "v")->reveal(),
            "of a command");
  EXPECT_THAT(error_of(vault_password({"", {"false"}}, nobody, "v")),
              StartsWith("the password of v: the secret's command `false`"));
}

}  // namespace
}  // namespace cnplay::secrets
