// The check of the bytes, before any lexing.
#include <cstdio>
#include <string_view>

#include "syntax/tokens.h"

namespace cnplay::syntax {
namespace {

// The length of the well-formed UTF-8 sequence at the beginning of `s`, 0 if there is none.
std::size_t sequence_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || s.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

}  // namespace

std::string clean(const diag::SourceMap::Source& source, diag::Diagnostics& diags) {
  std::string text = source.text;
  if (text.starts_with("\xEF\xBB\xBF")) text.replace(0, 3, "   ");
  std::size_t broken = 0, nuls = 0, first_broken = 0, first_nul = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(std::string_view(text).substr(i));
    if (length == 0) {
      if (broken++ == 0) first_broken = i;
      text[i++] = '?';
    } else if (text[i] == '\0') {
      if (nuls++ == 0) first_nul = i;
      text[i++] = '?';
    } else {
      i += length;
    }
  }
  const auto say = [&](std::string code, std::string what, std::size_t at, std::size_t count,
                       std::string help) {
    const auto begin = source.base + static_cast<std::uint32_t>(at);
    std::string label = "byte " + std::to_string(at) + " of the file";
    if (count > 1) label += ", the first of " + std::to_string(count);
    diags.error(std::move(code), std::move(what), {{begin, begin + 1}, std::move(label)},
                std::move(help));
  };
  if (broken != 0) {
    char byte[8];
    std::snprintf(byte, sizeof byte, "0x%02X",
                  static_cast<unsigned char>(source.text[first_broken]));
    say("E0001", std::string("byte ") + byte + " is not valid UTF-8", first_broken, broken,
        "save the file as UTF-8, for example: iconv -f latin1 -t utf-8 FILE");
  }
  if (nuls != 0) {
    say("E0002", "the text has a NUL byte", first_nul, nuls,
        "remove it; is this a text file, and is it UTF-8 rather than UTF-16?");
  }
  return text;
}

}  // namespace cnplay::syntax
