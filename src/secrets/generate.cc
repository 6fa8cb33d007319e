#include "secrets/generate.h"

#include <sodium.h>

#include <stdexcept>
#include <string_view>

namespace cnplay::secrets {

Secret generate_secret(std::size_t length) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used: no randomness");
  std::string text(length, '\0');
  for (char& c : text) c = kLetters[randombytes_uniform(kLetters.size())];
  return Secret(std::move(text));
}

}  // namespace cnplay::secrets
