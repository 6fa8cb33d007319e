#include "base/columns.h"

#include <array>
#include <cstdint>
#include <utility>

namespace cnplay {
namespace {

using Range = std::pair<std::uint32_t, std::uint32_t>;

// The blocks that matter in practice, from Unicode's EastAsianWidth (W, F) and category Mn.
constexpr std::array<Range, 17> kWide{{{0x1100, 0x115F},
                                       {0x231A, 0x231B},
                                       {0x23E9, 0x23EC},
                                       {0x25FD, 0x25FE},
                                       {0x2614, 0x2615},
                                       {0x2648, 0x2653},
                                       {0x26AA, 0x26AB},
                                       {0x2705, 0x2705},
                                       {0x270A, 0x270B},
                                       {0x274C, 0x274C},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0x1F300, 0x1FAFF}}};
constexpr Range kWidePlanes{0x20000, 0x3FFFD};
constexpr std::array<Range, 9> kZero{{{0x0300, 0x036F},
                                      {0x0483, 0x0489},
                                      {0x0591, 0x05BD},
                                      {0x0610, 0x061A},
                                      {0x064B, 0x065F},
                                      {0x1AB0, 0x1AFF},
                                      {0x200B, 0x200F},
                                      {0x20D0, 0x20FF},
                                      {0xFE00, 0xFE0F}}};

bool within(const Range& range, std::uint32_t c) { return c >= range.first && c <= range.second; }

std::size_t width_of(std::uint32_t c) {
  if (c < 0x20 || c == 0x7F) return 0;
  for (const Range& range : kZero) {
    if (within(range, c)) return 0;
  }
  for (const Range& range : kWide) {
    if (within(range, c)) return 2;
  }
  return within(kWidePlanes, c) ? 2 : 1;
}

struct Piece {
  std::size_t bytes;
  std::size_t columns;
  bool escape;
};

// The character or escape at text[at]. A broken byte counts as one column.
Piece piece_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text[at] == '\x1b' && at + 1 < text.size() && text[at + 1] == '[') {
    std::size_t end = at + 2;
    while (end < text.size() && (byte(end) < '@' || byte(end) > '~')) ++end;
    return {(end < text.size() ? end + 1 : end) - at, 0, true};
  }
  const std::uint8_t lead = byte(at);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length == 1) return {1, lead == '\n' || lead == '\t' ? 1 : width_of(lead), false};
  if (at + length > text.size()) return {text.size() - at, 1, false};
  std::uint32_t c = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) c = c << 6 | (byte(at + i) & 0x3FU);
  return {length, width_of(c), false};
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Piece piece = piece_at(text, at);
    columns += piece.columns;
    at += piece.bytes;
  }
  return columns;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  const bool fits = columns_of(text) <= columns;
  const std::size_t room = fits || columns == 0 ? columns : columns - 1;
  std::string out;
  std::size_t used = 0;
  bool cut = false;
  for (std::size_t at = 0; at < text.size();) {
    const Piece piece = piece_at(text, at);
    if (piece.escape) {
      out.append(text, at, piece.bytes);
    } else if (!cut && used + piece.columns <= room) {
      if (text[at] == '\n' || text[at] == '\t') {
        out += ' ';
      } else {
        out.append(text, at, piece.bytes);
      }
      used += piece.columns;
    } else if (!cut) {
      cut = true;
      if (columns > 0) out += "…";
    }
    at += piece.bytes;
  }
  return out;
}

std::string pad_right(std::string_view text, std::size_t columns) {
  const std::size_t used = columns_of(text);
  return std::string(text) + std::string(used < columns ? columns - used : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t columns) {
  const std::size_t used = columns_of(text);
  return std::string(used < columns ? columns - used : 0, ' ') + std::string(text);
}

}  // namespace cnplay
