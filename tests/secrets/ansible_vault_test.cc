// Files that ansible-vault 2.14 has made, of this plain text, with the password `ansible pass
// word`:
//
//   ---
//   # secrets
//   db_password: "p@ss: word"
//   api_key: abc123
//   number: 0123
//   key: |
//     line one
//     line two
#include "secrets/ansible_vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "secrets/vault.h"
#include "support/secrets/fault_disk.h"

namespace cnplay::secrets {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* k11 = R"($ANSIBLE_VAULT;1.1;AES256
35363236323264373333323632663535623061316162326536363439356333376436646465383861
3732303931663162363639353138616236373031613366360a336132643433366661633731313664
36626165356332386466623933363230643332323039303536373562653262363030383539323032
3165633162643466390a656636653936613761653936313434313163323865333162323635323265
37343963363564633563656430623437613761653764306334366261663734663833623230336664
39376132343065383032333066646138643234336130633965666464633032363632383962306535
64306535656562366363386134626166623734383232663931323136376161616432623564663264
34356330333964663466393766613763313966633330333439306362666366613730633264356335
65383432383836333935343534663965343137363733366636366233376162346364
)";
constexpr const char* k12 = R"($ANSIBLE_VAULT;1.2;AES256;prod
38623761323461623064393631353431356333363436636166333538626230356635363933326536
3031326530633936386139366236373162323633646165370a303638663137663461396666316330
36363630663331303162316263363632393735393965623331343036396262326334626164313162
6363303965653432610a393461323939656263653334366165363634343766646163313466656564
35383830626330393737623736336236643966316663323632316535616336343166376438626163
66333535336233326635633738663934646137333362646261333431346331383864623865333834
37393238643238386562306339616133383636626466333335666162326534306435383036366261
34343562613162313030633633346134396366656238613562313065316635356237373565333065
61613164383264336232343465373764326136653361613039623238363866353966
)";
const Secret kPassword("ansible pass word");

template <class T>
std::string error_of(const Result<T>& result) {
  return result ? "no error" : result.error().what;
}

TEST(AnsibleVault, IsRead) {
  for (const char* file : {k11, k12}) {
    const auto entries = read_ansible_vault("v", file, kPassword);
    ASSERT_TRUE(entries) << error_of(entries);
    EXPECT_EQ(entries->size(), 4u);
    EXPECT_EQ(entries->at("db_password").value.reveal(), "p@ss: word");
    EXPECT_EQ(entries->at("api_key").value.reveal(), "abc123");
    EXPECT_EQ(entries->at("number").value.reveal(), "0123");
    EXPECT_EQ(entries->at("key").value.reveal(), "line one\nline two\n");
  }
}

TEST(AnsibleVault, IsReadWithTheLineEndsOfAnEditor) {
  std::string file = k11;
  for (std::size_t at = 0; (at = file.find('\n', at)) != std::string::npos; at += 2) {
    file.insert(at, "\r");
  }
  EXPECT_TRUE(read_ansible_vault("v", file, kPassword));
}

TEST(AnsibleVault, AWrongPasswordIsSaid) {
  EXPECT_EQ(error_of(read_ansible_vault("v", k11, Secret("ansible pass wort"))),
            "wrong password for v, or the file is damaged");
}

TEST(AnsibleVault, EveryFlippedBitOfTheBodyIsFound) {
  const std::string good = k11;
  int closed = 0;
  for (std::size_t i = good.find('\n') + 1; i + 1 < good.size(); ++i) {
    if (good[i] == '\n') continue;
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1 << (i % 8));
    if (bad[i] == '\n' || bad[i] == '\r') continue;
    const auto parsed = parse_ansible_vault("v", bad);
    if (!parsed) {
      ASSERT_THAT(parsed.error().what, StartsWith("v is damaged: "));
      continue;
    }
    // The bodies that can be taken apart: each is PBKDF2 of some milliseconds.
    ++closed;
    ASSERT_THAT(error_of(read_ansible_vault("v", bad, kPassword)), StartsWith("wrong password"));
  }
  EXPECT_GT(closed, 50);
}

TEST(AnsibleVault, EveryCutIsFound) {
  const std::string good = k11;
  for (std::size_t n = good.find('\n'); n + 1 < good.size(); ++n) {
    ASSERT_THAT(error_of(read_ansible_vault("v", good.substr(0, n), kPassword)),
                AnyOf(StartsWith("v is damaged: "), StartsWith("wrong password")))
        << n;
  }
}

TEST(AnsibleVault, OtherFormatsAreNamed) {
  for (const std::string head :
       {"$ANSIBLE_VAULT;1.0;AES", "$ANSIBLE_VAULT;1.1;AES", "$ANSIBLE_VAULT;2.0;AES256",
        "$ANSIBLE_VAULT;", "$ANSIBLE_VAULT;1.1;AES256;x"}) {
    EXPECT_THAT(error_of(parse_ansible_vault("v", head + "\n3132\n")),
                HasSubstr("in a format that is not read here: $ANSIBLE_VAULT;"));
  }
}

TEST(AnsibleVault, IsAVaultThatIsNotWritten) {
  cnplay::testing::TemporaryDirectory directory;
  const std::string path = directory / "prod.vault";
  SystemDisk disk;
  ASSERT_TRUE(disk.replace(path, k11));
  EXPECT_TRUE(Vault::inspect(disk, path));
  auto vault = Vault::open(disk, path, kPassword);
  ASSERT_TRUE(vault) << error_of(vault);
  EXPECT_EQ(vault->find("api_key")->value.reveal(), "abc123");
  EXPECT_THAT(error_of(vault->change(disk, "test", [](VaultEntries&) -> Status { return {}; })),
              HasSubstr("is a file of ansible-vault: cnplay reads it, but does not write it"));
  EXPECT_THAT(error_of(vault->rekey(disk, "test", Secret("another one"))),
              HasSubstr("is a file of ansible-vault"));
  EXPECT_EQ(*disk.read(path, 1u << 20), k11);
}

}  // namespace
}  // namespace cnplay::secrets
