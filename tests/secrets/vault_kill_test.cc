// A process that dies at any call in the middle of writing a vault leaves a whole one: the former
// or the new. The real disk code runs; the calls it makes are counted here, in its way to the C
// library.
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdarg>

#include "secrets/vault.h"
#include "support/secrets/fault_disk.h"

namespace {

// In the child alone: the call that kills it, and how.
int die_at = 0;
enum class How { before, torn, after } how = How::before;
int calls = 0;

template <class Call, class Half>
auto counted(const Call& call, const Half& half) {
  if (die_at == 0 || ++calls != die_at) return call();
  if (how == How::torn) half();
  if (how == How::after) call();
  ::raise(SIGKILL);
  return call();
}

template <class F>
F real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  return counted([&] { return next(fd, bytes, size); }, [&] { (void)next(fd, bytes, size / 2); });
}

extern "C" int fsync(int fd) {
  static const auto next = real<int (*)(int)>("fsync");
  return counted([&] { return next(fd); }, [] {});
}

extern "C" int rename(const char* from, const char* to) noexcept {
  static const auto next = real<int (*)(const char*, const char*)>("rename");
  return counted([&] { return next(from, to); }, [] {});
}

extern "C" int fchmod(int fd, mode_t mode) noexcept {
  static const auto next = real<int (*)(int, mode_t)>("fchmod");
  return counted([&] { return next(fd, mode); }, [] {});
}

extern "C" int flock(int fd, int operation) noexcept {
  static const auto next = real<int (*)(int, int)>("flock");
  return counted([&] { return next(fd, operation); }, [] {});
}

namespace cnplay::secrets {
namespace {

constexpr VaultCost kCheap{1, 8192};
const Secret kPassword("correct horse battery");

Vault::Edit put(const std::string& path, const std::string& value) {
  return [=](VaultEntries& entries) -> Status {
    entries[path].value = Secret(value);
    return {};
  };
}

// How a child ended that changed the vault, and died at call `n` (0: at none).
int changed_by_child(const std::string& path, const std::string& value, int n, How in_which_way) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    SystemDisk disk;
    auto vault = Vault::open(disk, path, kPassword);
    die_at = n;
    how = in_which_way;
    const bool good = vault && vault->change(disk, "child", put("key", value));
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
  }
  return status;
}

TEST(KilledWhileWriting, AWholeVaultIsThereAndTheNextOneWrites) {
  testing::TemporaryDirectory directory;
  const std::string path = directory / "prod.vault";
  SystemDisk disk;
  auto vault = Vault::create(disk, path, kPassword, kCheap);
  ASSERT_TRUE(vault);
  ASSERT_TRUE(vault->change(disk, "test", put("key", "value 0")));
  std::string now = "value 0";
  for (const How way : {How::before, How::torn, How::after}) {
    int killed = 0;
    bool was_new = false;
    for (int n = 1;; ++n) {
      const std::string value = "value " + std::to_string(static_cast<int>(way) * 100 + n);
      const int status = changed_by_child(path, value, n, way);
      const auto after = Vault::open(disk, path, kPassword);
      ASSERT_TRUE(after) << after.error().what << ", killed at call " << n;
      const std::string& found = after->find("key")->value.reveal();
      struct stat st {};
      ASSERT_EQ(::stat(path.c_str(), &st), 0);
      EXPECT_EQ(st.st_mode & 07777, 0600u);
      if (WIFEXITED(status)) {
        EXPECT_EQ(WEXITSTATUS(status), 0);
        EXPECT_EQ(found, value);
        now = value;
        break;
      }
      ASSERT_EQ(WTERMSIG(status), SIGKILL);
      ++killed;
      EXPECT_TRUE(found == now || found == value) << n << ": " << found;
      // Once a later call is reached, the rename is behind it: never back.
      if (was_new) {
        EXPECT_EQ(found, value) << n;
      }
      was_new = found == value;
      now = found;
    }
    EXPECT_GE(killed, 7);  // flock, owner, fchmod, write, fsync, rename, fsync of the directory
    EXPECT_TRUE(was_new);
  }
}

TEST(KilledWhileWriting, WritersAtOnceLoseNothing) {
  testing::TemporaryDirectory directory;
  const std::string path = directory / "prod.vault";
  SystemDisk disk;
  ASSERT_TRUE(Vault::create(disk, path, kPassword, kCheap));
  constexpr int kWriters = 4;
  constexpr int kEach = 10;
  std::vector<pid_t> children;
  for (int w = 0; w < kWriters; ++w) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      auto vault = Vault::open(disk, path, kPassword);
      bool good = static_cast<bool>(vault);
      for (int i = 0; good && i < kEach; ++i) {
        const std::string name = std::to_string(w) + "/" + std::to_string(i);
        good = static_cast<bool>(vault->change(disk, "child", put(name, name), Duration{60'000}));
      }
      ::_exit(good ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(Vault::open(disk, path, kPassword)->paths().size(), std::size_t{kWriters * kEach});
}

}  // namespace
}  // namespace cnplay::secrets
