#include "journal/chain.h"

#include <boost/crc.hpp>

namespace cnplay::journal {
namespace {

constexpr std::string_view kChain = R"(,"chain":")";
constexpr std::string_view kFormer = R"(,"crc":")";
constexpr std::size_t kDigits = 8;

std::string checksum(std::string_view before, std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(before.data(), before.size());
  crc.process_bytes(bytes.data(), bytes.size());
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += kHex[(crc.checksum() >> shift) & 0xF];
  return text;
}

// Whether the line ends in a checksum of this name, which is right.
bool ends_in(std::string_view line, std::string_view name, std::string_view before) {
  const std::size_t length = name.size() + kDigits + 2;  // quote, brace
  if (line.size() < length) return false;
  const std::string_view body = line.substr(0, line.size() - length);
  const std::string_view seal = line.substr(body.size());
  return seal.starts_with(name) && seal.ends_with("\"}") &&
         seal.substr(name.size(), kDigits) == checksum(before, body);
}

}  // namespace

std::string Chain::seal(std::string object) {
  object.pop_back();
  last_ = checksum(last_, object);
  chained_ = true;
  return object.append(kChain).append(last_).append("\"}");
}

bool Chain::follow(std::string_view line) {
  if (ends_in(line, kChain, last_)) {
    chained_ = true;
  } else if (chained_ || !ends_in(line, kFormer, "")) {
    return false;
  }
  last_ = line.substr(line.size() - kDigits - 2, kDigits);
  return true;
}

}  // namespace cnplay::journal
