#include "secrets/reading.h"

#include <array>
#include <optional>
#include <utility>

namespace cnplay::secrets {
namespace {

std::uint8_t lower(std::uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte + 0x20) : byte;
}

Symbol symbol(std::uint8_t byte, std::uint64_t at) {
  return {.byte = byte, .begin = at, .end = at + 1, .hidden = false, .blank = byte == ' '};
}

// Whether a character of several bytes has no width, or is a blank; nullopt: more bytes are needed.
std::optional<bool> is_invisible(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  if (bytes.size() == 1) return std::nullopt;
  if ((static_cast<unsigned>(at(bytes.size() - 1)) & 0xC0U) != 0x80U) return false;
  if (at(0) == 0xC2) return at(1) <= 0xA0 || at(1) == 0xAD;  // C1, no-break blank, soft hyphen
  if (bytes.size() == 2) {
    const bool may = (at(0) == 0xE2 && (at(1) == 0x80 || at(1) == 0x81)) ||
                     (at(0) == 0xEF && at(1) == 0xBB) || (at(0) == 0xE3 && at(1) == 0x80);
    return may ? std::nullopt : std::optional(false);
  }
  if (at(0) == 0xEF) return at(2) == 0xBF;  // byte order mark
  if (at(0) == 0xE3) return at(2) == 0x80;  // ideographic blank
  if (at(1) == 0x80) return at(2) <= 0x8F || (at(2) >= 0xA8 && at(2) <= 0xAF);
  return at(2) >= 0x9F && at(2) <= 0xAF;  // joiners and directions
}

std::optional<std::uint32_t> digits(std::string_view text, int base) {
  std::uint32_t value = 0;
  if (text.empty() || text.size() > 8) return std::nullopt;
  for (const char c : text) {
    int digit = base;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit >= base) return std::nullopt;
    value = value * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit);
  }
  return value;
}

std::string utf8(std::uint32_t code) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | (code >> 6)), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | ((code >> 18) & 7)), tail(12), tail(6), tail(0)};
}

// What an escape at the beginning of a text stands for.
struct Undone {
  std::size_t used = 0;  // 0: more is needed
  std::string bytes{};
};
using Undo = std::optional<Undone>;  // nullopt: it is no escape

// As many digits as there are, up to `most`.
Undo number(std::string_view text, std::size_t from, std::size_t least, std::size_t most, int base,
            bool last, bool is_character) {
  std::size_t end = from;
  while (end < text.size() && end - from < most && digits(text.substr(end, 1), base)) ++end;
  if (end == text.size() && end - from < most && !last) return Undone{};
  if (end - from < least) return std::nullopt;
  const std::uint32_t value = *digits(text.substr(from, end - from), base);
  return Undone{end, is_character ? utf8(value) : std::string(1, static_cast<char>(value))};
}

Undo undo_unicode(std::string_view text, bool last) {  // \u0021 \u{21} \ud83d\ude00
  if (text.size() > 2 && text[2] == '{') {
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) {
      return text.size() < 11 && !last ? Undo(Undone{}) : std::nullopt;
    }
    const auto code = digits(text.substr(3, end - 3), 16);
    if (!code) return std::nullopt;
    return Undone{end + 1, utf8(*code)};
  }
  Undo first = number(text, 2, 4, 4, 16, last, true);
  if (!first || first->used == 0) return first;
  const std::uint32_t high = *digits(text.substr(2, 4), 16);
  if (high < 0xD800 || high >= 0xDC00) return first;
  if (text.size() < 12 && !last && std::string_view("\\u").starts_with(text.substr(6, 2))) {
    return Undone{};
  }
  const auto low = text.size() >= 12 && text.substr(6, 2) == "\\u" ? digits(text.substr(8, 4), 16)
                                                                   : std::nullopt;
  if (!low || *low < 0xDC00 || *low >= 0xE000) return first;
  return Undone{12, utf8(0x10000 + ((high - 0xD800) << 10) + (*low - 0xDC00))};
}

Undo undo_backslash(std::string_view text, bool last) {
  if (text.size() < 2) return last ? std::nullopt : Undo(Undone{});
  switch (text[1]) {
    case 'u':
      return undo_unicode(text, last);
    case 'U':
      return number(text, 2, 8, 8, 16, last, true);
    case 'x':
      return number(text, 2, 1, 2, 16, last, false);
    case 'n':
    case 't':
    case 'r':
    case 'f':
    case 'v':
      return Undone{2, " "};
    case 'a':
    case 'b':
    case 'e':
      return Undone{2, ""};
    default:
      if (text[1] >= '0' && text[1] <= '7') return number(text, 1, 1, 3, 8, last, false);
      return Undone{2, std::string(1, text[1])};
  }
}

Undo undo_entity(std::string_view text, bool last) {
  static constexpr std::size_t kLongest = 12;
  const std::size_t end = text.find(';');
  if (end == std::string_view::npos) {
    if (last || text.size() > kLongest) return std::nullopt;
    for (const char c : text.substr(1)) {
      const auto byte = lower(static_cast<std::uint8_t>(c));
      if (c != '#' && !(byte >= 'a' && byte <= 'z') && !(c >= '0' && c <= '9')) return std::nullopt;
    }
    return Undone{};
  }
  const std::string_view name = text.substr(1, end - 1);
  if (name.starts_with("#")) {
    const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
    const auto code = digits(name.substr(hex ? 2 : 1), hex ? 16 : 10);
    return code ? Undo(Undone{end + 1, utf8(*code)}) : std::nullopt;
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kNames = {
      {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}}};
  for (const auto& [known, bytes] : kNames) {
    if (name == known) return Undone{end + 1, std::string(bytes)};
  }
  return std::nullopt;
}

Undo undo_percent(std::string_view text, bool last) {
  return number(text, 1, 2, 2, 16, last, false);
}

char introducer(Reading reading) {
  switch (reading) {
    case Reading::backslash:
      return '\\';
    case Reading::entity:
      return '&';
    case Reading::percent:
      return '%';
    case Reading::shown:
    case Reading::all:
      break;
  }
  return '\0';
}

}  // namespace

void Screen::take(std::uint8_t byte, std::uint64_t at, std::vector<Symbol>& out) {
  if (state_ == State::ground) {
    ground(byte, at, out);
  } else if (escape(byte)) {
    if (byte > 0x20 && byte != 0x7f) {
      out.push_back(symbol(byte, at));
      out.back().hidden = true;
    }
  } else {
    state_ = State::ground;
    ground(byte, at, out);
  }
}

void Screen::ground(std::uint8_t byte, std::uint64_t at, std::vector<Symbol>& out) {
  if (!held_.empty()) {
    held_ += static_cast<char>(byte);
    const auto invisible = is_invisible(held_);
    if (!invisible) return;
    const std::string whole = std::exchange(held_, {});
    if (*invisible) return;
    for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
      out.push_back(symbol(static_cast<std::uint8_t>(whole[i]), held_at_ + i));
    }
    return ground(byte, at, out);
  }
  if (byte == 0x1b) {
    state_ = State::escape;
  } else if (byte == ' ' || (byte >= '\t' && byte <= '\r')) {
    out.push_back(symbol(' ', at));
  } else if (byte == 0xC2 || byte == 0xE2 || byte == 0xE3 || byte == 0xEF) {
    held_ = static_cast<char>(byte);
    held_at_ = at;
  } else if (byte > 0x20 && byte != 0x7f) {
    out.push_back(symbol(byte, at));
  }
}

// Whether the byte is still of the escape sequence.
bool Screen::escape(std::uint8_t byte) {
  switch (state_) {
    case State::escape:
      if (byte == '[') {
        state_ = State::csi;
        return true;
      }
      if (byte == ']' || byte == 'P' || byte == '_' || byte == '^' || byte == 'X') {
        state_ = State::text;
        return true;
      }
      state_ = State::middle;
      [[fallthrough]];
    case State::middle:
      if (byte >= ' ' && byte <= '/') return true;
      state_ = State::ground;
      return byte > ' ' && byte <= 0x7f;
    case State::csi:
      if (byte >= '@' && byte <= '~') {
        state_ = State::ground;
        return true;
      }
      return byte != '\n' && byte != 0x1b;
    case State::text:
      if (byte == '\a') {
        state_ = State::ground;
        return true;
      }
      if (byte == 0x1b) {
        state_ = State::text_escape;
        return true;
      }
      return byte != '\n';
    case State::text_escape:
      if (byte == '\\') {
        state_ = State::ground;
        return true;
      }
      state_ = State::escape;  // another one begins
      return escape(byte);
    case State::ground:
      break;
  }
  return false;
}

void Screen::finish(std::vector<Symbol>& out) {
  for (std::size_t i = 0; i < held_.size(); ++i) {
    out.push_back(symbol(static_cast<std::uint8_t>(held_[i]), held_at_ + i));
  }
  held_.clear();
}

bool Reader::begins_escape(const Symbol& symbol) const {
  if (reading_ == Reading::all) return symbol.hidden;
  return !symbol.hidden && !symbol.blank && reading_ != Reading::shown &&
         symbol.byte == static_cast<std::uint8_t>(introducer(reading_));
}

void Reader::take(const Symbol& symbol, std::vector<Symbol>& out) {
  if (symbol.hidden && reading_ != Reading::all) return;
  if (pending_.empty() && (reading_ == Reading::all || !begins_escape(symbol))) {
    if (symbol.blank) return;
    out.push_back(symbol);
    out.back().byte = lower(symbol.byte);
    return;
  }
  pending_.push_back(symbol);
  undo(false, out);
}

void Reader::finish(std::vector<Symbol>& out) {
  while (!pending_.empty()) undo(true, out);
}

// Settles what is pending, unless more is needed.
void Reader::undo(bool last, std::vector<Symbol>& out) {
  text_.clear();
  for (const Symbol& s : pending_) text_ += static_cast<char>(s.byte);
  Undo undone;
  if (reading_ == Reading::backslash) undone = undo_backslash(text_, last);
  if (reading_ == Reading::entity) undone = undo_entity(text_, last);
  if (reading_ == Reading::percent) undone = undo_percent(text_, last);
  if (undone && undone->used == 0 && !last) return;
  std::size_t used = 1;
  if (undone && undone->used != 0) {
    used = undone->used;
    for (const char c : undone->bytes) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (byte <= 0x20 || byte == 0x7f) continue;
      out.push_back({.byte = lower(byte),
                     .begin = pending_.front().begin,
                     .end = pending_[used - 1].end,
                     .hidden = false,
                     .blank = false});
    }
  } else if (!pending_.front().blank) {
    out.push_back(pending_.front());
    out.back().byte = lower(out.back().byte);
  }
  const std::vector<Symbol> rest(pending_.begin() + static_cast<std::ptrdiff_t>(used),
                                 pending_.end());
  pending_.clear();
  for (const Symbol& s : rest) take(s, out);
}

std::vector<Symbol> read(Reading reading, std::string_view text) {
  Screen screen;
  Reader reader(reading);
  std::vector<Symbol> seen;
  std::vector<Symbol> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    screen.take(static_cast<std::uint8_t>(text[i]), i, seen);
  }
  screen.finish(seen);
  for (const Symbol& s : seen) reader.take(s, out);
  reader.finish(out);
  return out;
}

std::string on_screen(std::string_view text) {
  Screen screen;
  std::vector<Symbol> seen;
  for (std::size_t i = 0; i < text.size(); ++i) {
    screen.take(static_cast<std::uint8_t>(text[i]), i, seen);
  }
  screen.finish(seen);
  std::string out;
  for (const Symbol& s : seen) {
    if (!s.hidden) out += static_cast<char>(s.byte);
  }
  return out;
}

std::string read_bytes(Reading reading, std::string_view text) {
  std::string out;
  for (const Symbol& s : read(reading, text)) out += static_cast<char>(s.byte);
  return out;
}

}  // namespace cnplay::secrets
