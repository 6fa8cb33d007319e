// The ways in which a secret may show in what a host says. Header-only.
#pragma once

#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "base/base64.h"

namespace cnplay::testing {

// Each way in which a value may show, by name.
inline std::vector<std::pair<std::string, std::string>> ways_to_show(const std::string& value) {
  const auto each = [&](auto form) {
    std::string out;
    for (const char c : value) out += form(static_cast<unsigned char>(c));
    return out;
  };
  const auto hex = [](unsigned char c, bool upper) {
    const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    return std::string{digits[c >> 4U], digits[c & 15U]};
  };
  const auto changed = [](std::string text, int (*how)(int)) {
    for (char& c : text) c = static_cast<char>(how(static_cast<unsigned char>(c)));
    return text;
  };
  const std::string half = value.substr(0, value.size() / 2);
  const std::string rest = value.substr(value.size() / 2);
  std::vector<std::pair<std::string, std::string>> ways = {
      {"plain", value},
      {"upper case", changed(value, ::toupper)},
      {"lower case", changed(value, ::tolower)},
      {"backwards", std::string(value.rbegin(), value.rend())},
      {"base64", base64_encode(value)},
      {"base64 behind one byte", base64_encode("x" + value + "yy")},
      {"base64 behind two bytes", base64_encode("xx" + value + "y")},
      {"base64 in upper case", changed(base64_encode(value), ::toupper)},
      {"base64 in lower case", changed(base64_encode(value), ::tolower)},
      {"hex", each([&](unsigned char c) { return hex(c, false); })},
      {"hex in upper case", each([&](unsigned char c) { return hex(c, true); })},
      {"hex with blanks", each([&](unsigned char c) { return " " + hex(c, false); })},
      {"hex with colons", each([&](unsigned char c) { return hex(c, true) + ":"; })},
      {"backslash u", each([&](unsigned char c) { return "\\u00" + hex(c, false); })},
      {"backslash U", each([&](unsigned char c) { return "\\U000000" + hex(c, true); })},
      {"backslash u in braces", each([&](unsigned char c) { return "\\u{" + hex(c, true) + "}"; })},
      {"backslash x", each([&](unsigned char c) { return "\\x" + hex(c, true); })},
      {"octal", each([&](unsigned char c) {
         return std::string("\\") + static_cast<char>('0' + (c >> 6U)) +
                static_cast<char>('0' + ((c >> 3U) & 7U)) + static_cast<char>('0' + (c & 7U));
       })},
      {"decimal entities", each([](unsigned char c) { return "&#" + std::to_string(c) + ";"; })},
      {"hex entities", each([&](unsigned char c) { return "&#x" + hex(c, true) + ";"; })},
      {"percent", each([&](unsigned char c) { return "%" + hex(c, true); })},
      {"percent in lower case", each([&](unsigned char c) { return "%" + hex(c, false); })},
      {"blanks between", each([](unsigned char c) { return std::string(1, char(c)) + "  "; })},
      {"a line each", each([](unsigned char c) { return std::string(1, char(c)) + "\r\n"; })},
      {"tabs between", each([](unsigned char c) { return std::string(1, char(c)) + "\t"; })},
      {"zero width", each([](unsigned char c) { return std::string(1, char(c)) + "\u200b"; })},
      {"an escape of colour", half + "\x1b[01;31m\x1b[K" + rest},
      {"an escape before each",
       each([](unsigned char c) { return "\x1b[0m" + std::string(1, char(c)); })},
      {"a title inside", half + "\x1b]0;title\a" + rest},
      {"inside a title", "\x1b]0;" + value + "\a"},
      {"a NUL inside", half + std::string(1, '\0') + rest},
      {"a backspace inside", half + "\b" + rest},
      {"a bell inside", half + "\a" + rest},
      {"C1 inside", half + "\u0085" + rest},
      {"an override inside", half + "\u202e" + rest},
  };
  const auto replaced = [&](char c, const std::string& by) {
    std::string text = value;
    if (const auto at = text.find(c); at != std::string::npos) text.replace(at, 1, by);
    return text;
  };
  ways.emplace_back("one escape of JSON", replaced('!', "\\u0021"));
  ways.emplace_back("one escape of HTML", replaced('!', "&#33;"));
  ways.emplace_back("one escape of a URL", replaced('!', "%21"));
  ways.emplace_back("one escape of a shell", replaced('!', "\\!"));
  return ways;
}

}  // namespace cnplay::testing
