// Secrets that stay are kept from swap.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "secrets/vault.h"
#include "support/locked_memory.h"

namespace cnplay::secrets {
namespace {

using cnplay::testing::locked_kib;
using cnplay::testing::may_lock;

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
