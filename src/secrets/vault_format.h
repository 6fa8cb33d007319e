// The bytes of a vault file: sealing and opening them. No files here.
//
//   cnplay-vault 1
//   kdf argon2id OPS BYTES SALT           salt: 16 bytes
//   check KEY-CHECK                       16 bytes: tells a wrong password from a changed file
//   nonce NONCE                           24 bytes, new at every writing
//   BASE64...                             the entries, XChaCha20-Poly1305; lines of 76
//   sum SUM                               BLAKE2b-128 of all bytes before this line
//
// The sum finds damage before a password is asked for; it proves nothing against a person who
// means harm. That is what Poly1305 is for, which covers the first four lines as well.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/memory_lock.h"
#include "base/result.h"
#include "base/text.h"

namespace cnplay::secrets {

struct VaultEntry {
  Secret value;
  // The value before a run replaced it, until that run has succeeded.
  std::optional<Secret> former;
  // The run that made the value and has not committed it; "": none.
  std::string run;
};
using VaultEntries = std::map<std::string, VaultEntry>;

// What a guess at the password costs (Argon2id): libsodium's "moderate", 256 MiB and about a
// second.
struct VaultCost {
  std::uint64_t operations = 3;
  std::uint64_t memory = 256u << 20;  // bytes
  friend bool operator==(const VaultCost&, const VaultCost&) = default;
};

// A key made of a password, with what it takes to make it again. Kept from swap as far as
// RLIMIT_MEMLOCK allows, overwritten when destroyed.
class VaultKey {
 public:
  using Salt = std::array<unsigned char, 16>;

  // With a fresh salt. An Error if there is not enough memory.
  static Result<VaultKey> make(const Secret& password, const VaultCost& cost);
  static Result<VaultKey> make(const Secret& password, const VaultCost& cost, const Salt& salt);

  VaultKey(const VaultKey& other);
  VaultKey& operator=(const VaultKey& other);
  ~VaultKey();

  const VaultCost& cost() const { return cost_; }
  const Salt& salt() const { return salt_; }
  // The part of the key that encrypts, and the one that is written for comparison.
  std::array<unsigned char, 32> cipher_key() const;
  std::array<unsigned char, 16> check() const;

 private:
  VaultKey();
  VaultCost cost_;
  Salt salt_{};
  std::array<unsigned char, 32> bytes_{};
  MemoryLock locked_;
};

// A vault file taken apart, still closed.
struct SealedVault {
  VaultCost cost;
  VaultKey::Salt salt{};
  std::array<unsigned char, 16> check{};
  std::array<unsigned char, 24> nonce{};
  std::string header;      // authenticated with the entries
  std::string ciphertext;  // with its tag
};

// Whether the bytes begin as a vault file of any version does.
bool looks_like_vault(std::string_view bytes);

// `name` is the file, for the errors: damaged, cut, another version.
Result<SealedVault> parse_vault(const std::string& name, std::string_view bytes);
// Errors: a wrong password; a file that was changed by somebody without it.
Result<VaultEntries> open_vault(const std::string& name, const SealedVault& sealed,
                                const VaultKey& key);
std::string seal_vault(const VaultEntries& entries, const VaultKey& key);

// Whether an entry may have this path: 1 to 255 bytes, no control characters, no space at its ends.
Status valid_vault_path(std::string_view path);
// Whether an entry may have this value: 1 byte to 64 KiB, no NUL (no script could have it).
Status valid_vault_value(const Secret& value);

}  // namespace cnplay::secrets
