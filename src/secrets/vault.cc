#include "secrets/vault.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "secrets/ansible_vault.h"
#include "secrets/generate.h"

namespace cnplay::secrets {
namespace {

constexpr std::size_t kMaxFile = 16u << 20;

std::string directory_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// Not the file itself: that is another one after each writing.
std::string lock_path(const std::string& path) {
  return directory_of(path) + "/." + name_of(path) + ".lock";
}

bool exists(const Disk& disk, const std::string& path) {
  const auto names = disk.list(directory_of(path));
  return std::ranges::binary_search(names, name_of(path));
}

Result<std::string> bytes_of(const Disk& disk, const std::string& path) {
  if (!exists(disk, path)) {
    return fail("there is no vault " + path, "make one: cnplay vault init -i INVENTORY");
  }
  return disk.read(path, kMaxFile);
}

}  // namespace

Result<std::unique_ptr<FileLock>> Vault::lock(Disk& disk, const std::string& owner,
                                              Duration wait) const {
  const std::string path = lock_path(path_);
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (true) {
    auto lock = disk.lock(path, owner);
    if (!lock || *lock) return lock;
    if (std::chrono::steady_clock::now() >= deadline) break;
    ::poll(nullptr, 0, 20);
  }
  const auto holder = disk.read(path, 4096);
  return fail(path_ + " is being written by " +
                  (holder && !holder->empty() ? Untrusted(*holder).display(200) : "another cnplay"),
              "wait until that is done (`cnplay vault edit` keeps it until the editor ends)");
}

Vault::Vault(std::string path, Secret password)
    : path_(std::move(path)), password_(std::move(password)) {}

Status Vault::write(Disk& disk, const VaultEntries& entries, const VaultKey& key) {
  if (auto status = disk.replace(path_, seal_vault(entries, key)); !status) {
    return fail(status.error().what + "; " + path_ + " is as it was", status.error().help);
  }
  if (auto status = disk.sync_directory(directory_of(path_)); !status) {
    return fail(status.error().what + "; " + path_ +
                    " is written, but it may be the former one after a loss of power",
                status.error().help);
  }
  return {};
}

Result<Vault> Vault::create(Disk& disk, const std::string& path, const Secret& password,
                            const VaultCost& cost) {
  Vault vault(path, password);
  const auto lock = vault.lock(disk, "cnplay vault init", kVaultLockWait);
  if (!lock) return lock.error();
  if (exists(disk, path)) {
    return fail(path + " exists",
                "`cnplay vault rekey` changes its password; move it away to begin a new one");
  }
  auto key = VaultKey::make(password, cost);
  if (!key) return key.error();
  if (auto status = vault.write(disk, {}, *key); !status) return status.error();
  vault.key_ = *key;
  return vault;
}

Status Vault::inspect(const Disk& disk, const std::string& path) {
  const auto bytes = bytes_of(disk, path);
  if (!bytes) return bytes.error();
  if (looks_like_ansible_vault(*bytes)) {
    const auto parsed = parse_ansible_vault(path, *bytes);
    return parsed ? Status() : Status(parsed.error());
  }
  const auto parsed = parse_vault(path, *bytes);
  return parsed ? Status() : Status(parsed.error());
}

Status Vault::read(const Disk& disk) {
  const auto bytes = bytes_of(disk, path_);
  if (!bytes) return bytes.error();
  if (looks_like_ansible_vault(*bytes)) {
    auto entries = read_ansible_vault(path_, *bytes, password_);
    if (!entries) return entries.error();
    key_.reset();
    entries_ = *std::move(entries);
    return {};
  }
  const auto sealed = parse_vault(path_, *bytes);
  if (!sealed) return sealed.error();
  if (!key_ || key_->cost() != sealed->cost || key_->salt() != sealed->salt) {
    auto key = VaultKey::make(password_, sealed->cost, sealed->salt);
    if (!key) return key.error();
    key_ = *key;
  }
  auto entries = open_vault(path_, *sealed, *key_);
  if (!entries) return entries.error();
  entries_ = *std::move(entries);
  return {};
}

Result<Vault> Vault::open(const Disk& disk, const std::string& path, const Secret& password) {
  Vault vault(path, password);
  if (auto status = vault.read(disk); !status) return status.error();
  return vault;
}

const VaultEntry* Vault::find(const std::string& path) const {
  const auto it = entries_.find(path);
  return it == entries_.end() ? nullptr : &it->second;
}

std::vector<std::string> Vault::paths() const {
  std::vector<std::string> out;
  for (const auto& [path, entry] : entries_) out.push_back(path);
  return out;
}

Status Vault::change(Disk& disk, const std::string& owner, const Edit& edit, Duration wait) {
  const auto held = lock(disk, owner, wait);
  if (!held) return held.error();
  if (auto status = read(disk); !status) return status;
  if (!key_) {
    return fail(
        path_ + " is a file of ansible-vault: cnplay reads it, but does not write it",
        "change it with `ansible-vault edit`, or move it away and begin a vault with `cnplay "
        "vault init`");
  }
  VaultEntries entries = entries_;
  if (auto status = edit(entries); !status) return status;
  for (const auto& [path, entry] : entries) {
    if (auto status = valid_vault_path(path); !status) return status;
    if (auto status = valid_vault_value(entry.value); !status) {
      return fail("`" + path + "`: " + status.error().what, status.error().help);
    }
  }
  if (auto status = write(disk, entries, *key_); !status) return status;
  entries_ = std::move(entries);
  return {};
}

Status Vault::rekey(Disk& disk, const std::string& owner, const Secret& password,
                    const VaultCost& cost, Duration wait) {
  const auto held = lock(disk, owner, wait);
  if (!held) return held.error();
  if (auto status = read(disk); !status) return status;
  if (!key_) {
    return fail(path_ + " is a file of ansible-vault: cnplay reads it, but does not write it",
                "`ansible-vault rekey` changes its password");
  }
  auto key = VaultKey::make(password, cost);
  if (!key) return key.error();
  if (auto status = write(disk, entries_, *key); !status) return status;
  key_ = *key;
  password_ = password;
  return {};
}

void begin_rotation(VaultEntries& entries, const std::string& path, Secret value,
                    const std::string& run) {
  const auto [at, fresh] = entries.try_emplace(path);
  VaultEntry& entry = at->second;
  if (!fresh) entry.former = std::move(entry.value);
  entry.value = std::move(value);
  entry.run = run;
}

void continue_rotation(VaultEntry& entry, const std::string& run) { entry.run = run; }

bool settle_generated(VaultEntries& entries, const std::string& path, std::size_t length,
                      bool rotate, const std::string& run) {
  const auto at = entries.find(path);
  if (at != entries.end() && !at->second.run.empty()) {
    const bool changes = at->second.run != run;
    continue_rotation(at->second, run);
    return changes;
  }
  if (at != entries.end() && !rotate) return false;
  begin_rotation(entries, path, generate_secret(length), run);
  return true;
}

void commit_rotations(VaultEntries& entries, const std::string& run) {
  for (auto& [path, entry] : entries) {
    if (entry.run != run) continue;
    entry.former.reset();
    entry.run.clear();
  }
}

}  // namespace cnplay::secrets
