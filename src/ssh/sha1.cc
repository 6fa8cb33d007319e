#include "ssh/sha1.h"

#include <bit>
#include <cstring>

namespace cnplay::ssh {
namespace {

using Block = std::array<std::uint8_t, 64>;

constexpr Sha1State kStart{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};

void compress(Sha1State& state, const Block& block) {
  std::array<std::uint32_t, 80> w;
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = std::uint32_t{block[4 * i]} << 24 | std::uint32_t{block[4 * i + 1]} << 16 |
           std::uint32_t{block[4 * i + 2]} << 8 | std::uint32_t{block[4 * i + 3]};
  }
  for (std::size_t i = 16; i < 80; ++i) {
    w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  }
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < 80; ++i) {
    std::uint32_t f = b ^ c ^ d;
    std::uint32_t k = i < 40 ? 0x6ED9EBA1 : 0xCA62C1D6;
    if (i < 20) {
      f = (b & c) | (~b & d);
      k = 0x5A827999;
    } else if (i >= 40 && i < 60) {
      f = (b & c) | (b & d) | (c & d);
      k = 0x8F1BBCDC;
    }
    const std::uint32_t next = std::rotl(a, 5) + f + e + k + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
}

// Goes on from a state that has taken `before` bytes (a multiple of 64) already.
Sha1State finish(Sha1State state, std::string_view message, std::uint64_t before) {
  const std::uint64_t bits = (before + message.size()) * 8;
  Block block;
  while (message.size() >= block.size()) {
    std::memcpy(block.data(), message.data(), block.size());
    compress(state, block);
    message.remove_prefix(block.size());
  }
  block.fill(0);
  if (!message.empty()) std::memcpy(block.data(), message.data(), message.size());
  block[message.size()] = 0x80;
  if (message.size() >= 56) {
    compress(state, block);
    block.fill(0);
  }
  for (std::size_t i = 0; i < 8; ++i) {
    block[63 - i] = static_cast<std::uint8_t>(bits >> (8 * i));
  }
  compress(state, block);
  return state;
}

}  // namespace

HmacSha1Key hmac_sha1_key(std::string_view key) {
  HmacSha1Key out{kStart, kStart};
  Block block;
  for (const bool inner : {true, false}) {
    block.fill(inner ? 0x36 : 0x5c);
    for (std::size_t i = 0; i < key.size() && i < block.size(); ++i) {
      block[i] ^= static_cast<std::uint8_t>(key[i]);
    }
    compress(inner ? out.inner : out.outer, block);
  }
  return out;
}

Sha1State hmac_sha1(const HmacSha1Key& key, std::string_view message) {
  const Sha1State digest = finish(key.inner, message, 64);
  std::array<char, 20> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(digest[i / 4] >> (24 - 8 * (i % 4)));
  }
  return finish(key.outer, std::string_view(bytes.data(), bytes.size()), 64);
}

Sha1State sha1(std::string_view message) { return finish(kStart, message, 0); }

}  // namespace cnplay::ssh
