// What an agent says, and what is left of it.
#include <gtest/gtest.h>

#include "base/base64.h"
#include "ssh/agent_filter.h"

namespace cnplay::ssh::test {
namespace {

std::string number(unsigned n) {
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
          static_cast<char>(n)};
}
std::string text(const std::string& s) { return number(static_cast<unsigned>(s.size())) + s; }
std::string key(const std::string& blob) { return text(blob) + text("of " + blob); }

TEST(AgentFilter, OnlyTheKeysThatAreNamedAreLeft) {
  const std::string all = "\x0c" + number(3) + key("one") + key("two") + key("three");
  EXPECT_EQ(only_keys(all, {base64_encode("two")}), "\x0c" + number(1) + key("two"));
  EXPECT_EQ(only_keys(all, {base64_encode("three"), base64_encode("one")}),
            "\x0c" + number(2) + key("one") + key("three"));
  EXPECT_EQ(only_keys(all, {}), "\x0c" + number(0));
}

// Whoever answers on that socket: nothing but a list goes through, and no byte is read behind its
// end.
TEST(AgentFilter, WhatIsNoListIsRefused) {
  const std::string all = "\x0c" + number(2) + key("one") + key("two");
  for (std::size_t size = 0; size < all.size(); ++size) {
    EXPECT_EQ(only_keys(all.substr(0, size), {base64_encode("one")}), std::nullopt) << size;
  }
  EXPECT_EQ(only_keys("\x0e" + all.substr(1), {}), std::nullopt);
  EXPECT_EQ(only_keys("\x0c" + number(0xffffffff) + key("one"), {}), std::nullopt);
  EXPECT_EQ(only_keys("\x0c" + number(1) + number(0xffffffff) + "one", {}), std::nullopt);
}

}  // namespace
}  // namespace cnplay::ssh::test
