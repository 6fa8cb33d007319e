// A vault: a file of named secrets under one password, beside the inventory that it is for.
//
// It is only ever replaced whole (a temporary file, fsync, rename, fsync of the directory), by one
// writer at a time (a lock beside it); whatever goes wrong, the former file is there. A file that
// cannot be opened is never written to.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "base/text.h"
#include "base/units.h"
#include "secrets/vault_format.h"

namespace cnplay::secrets {

// How long a writer waits for another one.
inline constexpr Duration kVaultLockWait{5'000};

class Vault {
 public:
  // A new, empty vault. An Error if the file exists, whatever is in it.
  static Result<Vault> create(Disk& disk, const std::string& path, const Secret& password,
                              const VaultCost& cost = {});
  // What can be said without a password: the file is there, whole, and of a kind that is read
  // here.
  static Status inspect(const Disk& disk, const std::string& path);
  // Reads it. Takes about a second, and 256 MiB. Files of ansible-vault (1.1 and 1.2, AES256) are
  // read, too.
  static Result<Vault> open(const Disk& disk, const std::string& path, const Secret& password);

  const std::string& path() const { return path_; }
  const VaultEntries& entries() const { return entries_; }
  const VaultEntry* find(const std::string& path) const;
  std::vector<std::string> paths() const;

  // Reads the file once more under the lock, has `edit` change the entries, and writes them. If
  // `edit` fails, or anything before the rename, the file is as it was. `owner` is who holds
  // the lock, for those who wait. Files of ansible-vault are refused.
  using Edit = std::function<Status(VaultEntries&)>;
  Status change(Disk& disk, const std::string& owner, const Edit& edit,
                Duration wait = kVaultLockWait);
  // The same entries under another password (and a new salt).
  Status rekey(Disk& disk, const std::string& owner, const Secret& password,
               const VaultCost& cost = {}, Duration wait = kVaultLockWait);

 private:
  Vault(std::string path, Secret password);
  Status read(const Disk& disk);
  Status write(Disk& disk, const VaultEntries& entries, const VaultKey& key);
  Result<std::unique_ptr<FileLock>> lock(Disk& disk, const std::string& owner, Duration wait) const;

  std::string path_;
  Secret password_;
  std::optional<VaultKey> key_;  // none: a file of ansible-vault
  VaultEntries entries_;
};

// The three moments of a generated secret.
// Puts a new value of the run in place; what was there is kept as the former one.
void begin_rotation(VaultEntries& entries, const std::string& path, Secret value,
                    const std::string& run);
// The value of a rotation that no run has committed is taken over by `run`: no third value begins
// while hosts may still have the first.
void continue_rotation(VaultEntry& entry, const std::string& run);
// What a run that wants a generated value at `path` does with it: the one that is there, unless
// `rotate` and it is committed; one that is not committed goes on; else a new one of `length`
// characters. Afterwards entries[path] is there. Whether anything changed.
bool settle_generated(VaultEntries& entries, const std::string& path, std::size_t length,
                      bool rotate, const std::string& run);
// The run has succeeded: former values are forgotten, unless another run has taken over since.
void commit_rotations(VaultEntries& entries, const std::string& run);

}  // namespace cnplay::secrets
