// SHA-256 (FIPS 180-4), of bytes at hand or as they come.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace cnplay {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void add(std::string_view bytes);
  // In lower-case hex. The end: nothing may be added after it.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Of the bytes, in lower-case hex.
std::string sha256_hex(std::string_view bytes);

}  // namespace cnplay
