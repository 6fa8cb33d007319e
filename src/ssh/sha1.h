// Inside of ssh/: SHA-1's compression function (FIPS 180-4), for known_hosts that are hashed, and
// for %C. The format is HMAC-SHA1 with a salt of its own for every line, so a look-up costs one
// HMAC a line; with the states after the salt kept, that is two compressions instead of four and
// their set-up.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace cnplay::ssh {

using Sha1State = std::array<std::uint32_t, 5>;

// The states of HMAC-SHA1 after the blocks of the key, which has at most 64 bytes.
struct HmacSha1Key {
  Sha1State inner, outer;
};
HmacSha1Key hmac_sha1_key(std::string_view key);

// HMAC-SHA1 as five big-endian words.
Sha1State hmac_sha1(const HmacSha1Key& key, std::string_view message);

// Of a text, as five big-endian words.
Sha1State sha1(std::string_view message);

}  // namespace cnplay::ssh
