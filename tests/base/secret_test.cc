// Secrets are kept from swap while they live, and leave nothing behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "support/locked_memory.h"

namespace cnplay {
namespace {

using cnplay::testing::locked_kib;
using cnplay::testing::may_lock;

// Never in one piece in the program or in its memory, but where it was made.
std::string made(std::size_t size) {
  std::string text;
  text.reserve(size);
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + (i * 7 + i / 9) % 26);
  return text;
}

// How often the letters of made(size) from the second on lie in memory. The first ones are those
// that free() writes over.
int traces(std::size_t size) {
  const auto letter = [](std::size_t i) { return static_cast<char>('a' + (i * 7 + i / 9) % 26); };
  const std::size_t from = size > 64 ? 32 : 1;
  std::ifstream maps("/proc/self/maps");
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> areas;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::string rights;
    words >> std::hex >> begin >> dash >> end >> rights;
    if (rights.starts_with("rw") && end - begin < (std::uintptr_t{1} << 30)) {
      areas.emplace_back(begin, end);
    }
  }
  int found = 0;
  static std::array<char, 1 << 20> piece;
  const auto here = reinterpret_cast<std::uintptr_t>(piece.data());
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  for (const auto& [begin, end] : areas) {
    for (std::uintptr_t at = begin; at < end; at += piece.size() - size) {
      const std::size_t want = std::min<std::size_t>(piece.size(), end - at);
      const ssize_t got = ::pread(memory, piece.data(), want, static_cast<off_t>(at));
      for (ssize_t k = 0; k + static_cast<ssize_t>(size) <= got; ++k) {
        std::size_t i = from;
        while (i < size && piece[static_cast<std::size_t>(k) + i] == letter(i)) ++i;
        const std::uintptr_t place = at + static_cast<std::uintptr_t>(k);
        const bool of_this_test = place + size > here && place < here + piece.size();
        if (i == size && !of_this_test) ++found;
      }
    }
  }
  ::close(memory);
  return found;
}

TEST(Secret, IsLockedWhileItLives) {
  if (!may_lock()) {
    GTEST_SKIP() << "RLIMIT_MEMLOCK is too small here, or AddressSanitizer locks nothing";
  }
  const long before = locked_kib();
  ASSERT_GE(before, 0);
  {
    const Secret secret(std::string(1024 * 1024, 'x'));
    const Secret copy = secret;
    EXPECT_GE(locked_kib(), before + 1024);
    EXPECT_LT(locked_kib(), before + 1100) << "copies share it";
  }
  EXPECT_EQ(locked_kib(), before);
  std::vector<Secret> short_ones;
  for (int i = 0; i < 100; ++i) short_ones.emplace_back("s" + std::to_string(i));
  EXPECT_GT(locked_kib(), before);
  short_ones.erase(short_ones.begin(), short_ones.begin() + 99);
  EXPECT_GT(locked_kib(), before) << "the last one of a page keeps it locked";
  short_ones.clear();
  EXPECT_EQ(locked_kib(), before);
}

TEST(Secret, LeavesNothingInMemory) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps what was freed";
#endif
  for (const std::size_t size : {std::size_t{12}, std::size_t{100}, std::size_t{5000}}) {
    SCOPED_TRACE(size);
    {
      std::string value = made(size);
      Secret secret(std::move(value));
      const Secret copy = secret;
      const Secret moved = std::move(secret);
      EXPECT_EQ(moved.reveal().size(), size);
      EXPECT_EQ(traces(size), 1) << "copies share one place, and what it was made of is gone";
    }
    EXPECT_EQ(traces(size), 0);
  }
}

TEST(Secret, EmptyOnesHoldNothing) {
  EXPECT_TRUE(Secret().empty());
  EXPECT_TRUE(Secret("").empty());
  EXPECT_EQ(Secret().reveal(), "");
  EXPECT_EQ(Secret("abc").reveal(), "abc");
}

}  // namespace
}  // namespace cnplay
