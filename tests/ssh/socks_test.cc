#include "ssh/socks.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace cnplay::ssh::test {
namespace {

using namespace std::string_literals;
using State = Socks::State;

const std::string kHello = "\x05\x01\x00"s;
std::string by_name(const std::string& name, const std::string& port = "\x1f\x40"s) {
  return "\x05\x01\x00\x03"s + static_cast<char>(name.size()) + name + port;
}

TEST(Socks, ANameIsReadAndWhatFollowsIsKept) {
  Socks socks;
  EXPECT_EQ(socks.take(kHello), "\x05\x00"s);
  EXPECT_EQ(socks.state(), State::request);
  EXPECT_EQ(socks.take(by_name("db.internal") + "GET /"), "");
  EXPECT_EQ(socks.state(), State::ready);
  EXPECT_EQ(socks.target().host, "db.internal");
  EXPECT_EQ(socks.target().port, 8000);
  EXPECT_EQ(socks.rest(), "GET /");
}

TEST(Socks, AddressesAreReadAsText) {
  Socks four;
  four.take(kHello + "\x05\x01\x00\x01\x0a\x4d\x00\x0b\x00\x50"s);
  EXPECT_EQ(four.target().host, "10.77.0.11");
  EXPECT_EQ(four.target().port, 80);
  Socks six;
  six.take(kHello + "\x05\x01\x00\x04"s + std::string(15, '\0') + "\x01\x01\xbb"s);
  EXPECT_EQ(six.target().host, "::1");
  EXPECT_EQ(six.target().port, 443);
}

TEST(Socks, BytesThatComeOneByOneAreTheSame) {
  Socks socks;
  std::string answers;
  for (const char c : kHello + by_name("web1")) answers += socks.take(std::string(1, c));
  EXPECT_EQ(answers, "\x05\x00"s);
  EXPECT_EQ(socks.state(), State::ready);
  EXPECT_EQ(socks.target().host, "web1");
  EXPECT_EQ(socks.rest(), "");
}

TEST(Socks, AnotherProtocolIsRefusedAtItsFirstByte) {
  for (const std::string& first : {"GET / HTTP/1.1\r\n"s, "\x04\x01"s, "\x00"s, "\x16\x03\x01"s}) {
    Socks socks;
    EXPECT_EQ(socks.take(first), "");
    EXPECT_EQ(socks.state(), State::refused) << first;
  }
  Socks late;
  late.take(kHello);
  EXPECT_EQ(late.take("\x04"), "");
  EXPECT_EQ(late.state(), State::refused);
}

TEST(Socks, AClientThatWantsAPasswordIsTold) {
  for (const std::string& methods : {"\x05\x01\x02"s, "\x05\x00"s}) {
    Socks socks;
    EXPECT_EQ(socks.take(methods), "\x05\xff"s);
    EXPECT_EQ(socks.state(), State::refused);
  }
}

struct Bad {
  std::string request;
  char answer;
};

TEST(Socks, WhatIsNotSupportedIsAnsweredWithItsCode) {
  const Bad bad[] = {
      {"\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50"s, 7},  // BIND
      {"\x05\x03\x00\x01\x7f\x00\x00\x01\x00\x50"s, 7},  // UDP
      {"\x05\x01\x00\x02\x7f\x00\x00\x01\x00\x50"s, 8},  // no such kind of address
      {by_name(""), 1},                                  // no name
      {by_name("a b"), 1},
      {by_name("x\0y"s), 1},  //
      {by_name("x\x1b[2J"), 1},
      {by_name("\xc3\xa4"), 1},       //
      {by_name("web1", "\0\0"s), 1},  // port 0
  };
  for (const Bad& one : bad) {
    Socks socks;
    socks.take(kHello);
    EXPECT_EQ(socks.take(one.request), "\x05"s + one.answer + "\0\x01\0\0\0\0\0\0"s);
    EXPECT_EQ(socks.state(), State::refused);
    EXPECT_EQ(socks.take(by_name("web1")), "") << "it is over";
  }
}

TEST(Socks, TheLongestNameFits) {
  Socks socks;
  socks.take(kHello + by_name(std::string(255, 'x')));
  EXPECT_EQ(socks.state(), State::ready);
  EXPECT_EQ(socks.target().host.size(), 255U);
}

// Whatever comes, nothing is read past the end (the sanitizers look), and what is accepted is
// something that may be asked of a host.
TEST(Socks, RandomBytesAreAcceptedOrRefused) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = i % 3 == 0 ? "" : kHello;
    if (i % 3 == 2) bytes += "\x05\x01\x00"s + static_cast<char>(1 + random() % 4);
    for (unsigned n = random() % 40; n > 0; --n) bytes += static_cast<char>(random());
    Socks socks;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t piece = 1 + random() % 7;
      socks.take(std::string_view(bytes).substr(at, piece));
      at += piece;
    }
    if (socks.state() != State::ready) continue;
    EXPECT_NE(socks.target().port, 0);
    EXPECT_EQ(socks.target().host.find('\0'), std::string::npos);
    EXPECT_FALSE(socks.target().host.empty());
  }
}

TEST(Socks, TheAnswerSaysWhetherTheTargetWasReached) {
  EXPECT_EQ(Socks::answer(true), "\x05\0\0\x01\0\0\0\0\0\0"s);
  EXPECT_EQ(Socks::answer(false)[1], 1);
}

}  // namespace
}  // namespace cnplay::ssh::test
