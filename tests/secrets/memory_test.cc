// Secrets that stay are kept from swap.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "secrets/vault.h"

namespace cnplay::secrets {
namespace {

long locked_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "VmLck:" && status >> kib) return kib;
  }
  return -1;
}

bool may_lock() {
#ifdef __SANITIZE_ADDRESS__
  return false;  // its runtime makes mlock do nothing
#endif
  rlimit limit{};
  return ::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur >= 4 * 1024 * 1024;
}

TEST(Memory, WhatAnOpenVaultHoldsIsLocked) {
  if (!may_lock())
    GTEST_SKIP() << "RLIMIT_MEMLOCK is too small here, or AddressSanitizer locks nothing";
  const auto path = std::filesystem::temp_directory_path() /
                    ("cnplay-memory-" + std::to_string(::getpid()) + ".vault");
  std::filesystem::remove(path);
  SystemDisk disk;
  const Secret password("long enough a password");
  const VaultCost cost{1, 8 * 1024 * 1024};
  auto vault = Vault::create(disk, path.string(), password, cost);
  ASSERT_TRUE(vault) << vault.error().what;
  const auto filled = vault->change(disk, "test", [](VaultEntries& entries) -> Status {
    for (int i = 0; i < 10; ++i) {
      entries["large" + std::to_string(i)].value = Secret(std::string(60'000, 'x'));
    }
    return {};
  });
  ASSERT_TRUE(filled) << filled.error().what;
  const long before = locked_kib();
  const auto opened = Vault::open(disk, path.string(), password);
  ASSERT_TRUE(opened) << opened.error().what;
  EXPECT_GE(locked_kib(), before + 500);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace cnplay::secrets
