// Finds the marks of the protocol in a stream of bytes, however it is cut into pieces.
//
// A mark is RS (0x1e), the shell's nonce (32 hex digits), a space, a word or more, a newline. All
// else is text. Without the nonce nobody can forge one; a look-alike passes as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cnplay::remote {

class FrameSink {
 public:
  virtual ~FrameSink() = default;
  virtual void text(std::string_view bytes) = 0;
  virtual void mark(std::string_view words) = 0;  // without RS, nonce and newline
};

// Of the words of a mark: takes the first off; "" at the end.
std::string_view next_word(std::string_view& words);
// A word that is a number, digits alone.
std::optional<std::uint64_t> number_of(std::string_view word);

class FrameParser {
 public:
  // The longest mark that is accepted; what is longer passes as text.
  static constexpr std::size_t kMaxMark = 256;

  explicit FrameParser(std::string_view nonce);
  void feed(std::string_view bytes, FrameSink& sink);
  // The end of the stream: what looked like the beginning of a mark was text.
  void flush(FrameSink& sink);

 private:
  std::string lead_;  // RS, nonce, space
  std::string held_;  // the beginning of what may become a mark; at most lead_ + kMaxMark bytes
};

}  // namespace cnplay::remote
