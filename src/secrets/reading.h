// The ways in which a text can be read: as a screen shows it, and with the escapes of other formats
// undone. A secret is looked for in each of them, so that nothing that a reader, a browser or a
// program takes out or undoes can make it whole again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cnplay::secrets {

// One byte that is left of a text, and where it stood. Upper case letters are lower case.
struct Symbol {
  std::uint8_t byte = 0;
  std::uint64_t begin = 0;  // what stood for it, in bytes of the text
  std::uint64_t end = 0;
  bool hidden = false;  // inside of a terminal's escape sequence: no screen shows it
  bool blank = false;
};

// Takes control characters, and characters that have no width, out of a text. The same rules as
// those of Untrusted::display(). Blanks are told as such; of escape sequences the characters are
// told as hidden ones.
class Screen {
 public:
  // Adds to `out` what is settled by this byte: up to three symbols.
  void take(std::uint8_t byte, std::uint64_t at, std::vector<Symbol>& out);
  // Nothing more comes.
  void finish(std::vector<Symbol>& out);
  // Whether a byte like this one is itself, whatever comes next. True of most of a text.
  bool plain(std::uint8_t byte) const {
    return state_ == State::ground && held_.empty() && byte > 0x20 && byte < 0x7f;
  }
  // Where the bytes begin that are not told yet; `none` if all are.
  std::uint64_t open(std::uint64_t none) const { return held_.empty() ? none : held_at_; }
  bool in_escape() const { return state_ != State::ground; }

 private:
  enum class State { ground, escape, middle, csi, text, text_escape };

  void ground(std::uint8_t byte, std::uint64_t at, std::vector<Symbol>& out);
  bool escape(std::uint8_t byte);

  State state_ = State::ground;
  std::string held_;  // the beginning of a character of several bytes that may have no width
  std::uint64_t held_at_ = 0;
};

// Whose escapes are undone.
enum class Reading {
  shown,      // nobody's: what a screen shows
  all,        // the same, with what stands in a terminal's escape sequences
  backslash,  // of JSON, C and shells: \n \" \u0021 \x21 \041
  entity,     // of HTML and XML: &amp; &#33; &#x21;
  percent,    // of URLs: %21
};
inline constexpr int kReadings = 5;

// Undoes the escapes of one reading. Takes symbols as the screen tells them, adds those that are
// left to `out`: no blanks.
class Reader {
 public:
  explicit Reader(Reading reading) : reading_(reading) {}
  // Whether this symbol is another one than for the screen.
  bool begins_escape(const Symbol& symbol) const;
  void take(const Symbol& symbol, std::vector<Symbol>& out);
  void finish(std::vector<Symbol>& out);
  // Where an escape has begun that is not at its end; `none` if there is none.
  std::uint64_t open(std::uint64_t none) const {
    return pending_.empty() ? none : pending_.front().begin;
  }
  bool idle() const { return pending_.empty(); }
  void clear() { pending_.clear(); }

 private:
  void undo(bool last, std::vector<Symbol>& out);

  Reading reading_;
  std::vector<Symbol> pending_;
  std::string text_;  // the same as text
};

// All symbols of a text that are left in a reading.
std::vector<Symbol> read(Reading reading, std::string_view text);
// What a screen shows of it: upper case and blanks are left as they are.
std::string on_screen(std::string_view text);
// The bytes of read().
std::string read_bytes(Reading reading, std::string_view text);

}  // namespace cnplay::secrets
