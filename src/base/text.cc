#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/cut_mark.h"
#include "base/memory_lock.h"

namespace cnplay {
namespace {

// Length of the valid UTF-8 sequence at text[i], 0 if there is none (RFC 3629).
std::size_t utf8_length(std::string_view text, std::size_t i) {
  auto byte = [&](std::size_t k) { return static_cast<std::uint8_t>(text[k]); };
  const std::uint8_t lead = byte(i);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  if (i + length > text.size()) return 0;
  if (byte(i + 1) < low || byte(i + 1) > high) return 0;
  for (std::size_t k = 2; k < length; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// Index just past the terminal escape that begins at text[i] == ESC.
std::size_t skip_escape(std::string_view text, std::size_t i) {
  ++i;
  if (i >= text.size()) return i;
  const char kind = text[i];
  if (kind == '[') {  // CSI: parameters, then one final byte @ to ~
    for (++i; i < text.size(); ++i) {
      if (text[i] >= '@' && text[i] <= '~') return i + 1;
      if (text[i] == '\n' || text[i] == '\x1b') return i;
    }
    return i;
  }
  if (kind == ']' || kind == 'P' || kind == '_' || kind == '^' || kind == 'X') {
    // OSC, DCS and the like: up to BEL or ESC \. A newline ends an unterminated one, so
    // that a hostile host cannot swallow what follows.
    for (++i; i < text.size(); ++i) {
      if (text[i] == '\a') return i + 1;
      if (text[i] == '\n') return i;
      if (text[i] == '\x1b') return i + 1 < text.size() && text[i + 1] == '\\' ? i + 2 : i;
    }
    return i;
  }
  // ESC, intermediates SP to /, then one final byte.
  while (i < text.size() && text[i] >= ' ' && text[i] <= '/') ++i;
  return i < text.size() && text[i] > ' ' ? i + 1 : i;
}

}  // namespace

bool is_shell_reserved(std::string_view name) {
  static constexpr std::array<std::string_view, 35> kReserved = {
      "BASHOPTS",  "BASHPID",    "BASH_ENV", "BASH_VERSINFO", "CDPATH", "ENV",     "EPOCHREALTIME",
      "EUID",      "FUNCNAME",   "GROUPS",   "HOME",          "IFS",    "KSHEGID", "KSHUID",
      "LANG",      "LC_ALL",     "LINENO",   "OLDPWD",        "OPTARG", "OPTIND",  "PATH",
      "PGRP",      "PIPESTATUS", "PPID",     "PS4",           "PWD",    "RANDOM",  "SECONDS",
      "SHELLOPTS", "TMOUT",      "UID",      "USER_ID",       "_",      "nl",      "preview"};
  return name.starts_with("_cn_") ||
         std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

std::string to_valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t n = utf8_length(bytes, i);
    if (n == 0) {
      out += "\xEF\xBF\xBD";
      ++i;
    } else {
      out.append(bytes, i, n);
      i += n;
    }
  }
  return out;
}

std::string Untrusted::display(std::size_t max_bytes) const {
  std::string_view text = bytes_;
  std::size_t left_out = 0;
  if (max_bytes != 0 && text.size() > max_bytes) {
    left_out = text.size() - max_bytes;
    text = text.substr(0, max_bytes);
  }
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '\x1b') {
      i = skip_escape(text, i);
    } else if (c == '\r' &&
               (i + 1 == text.size() ||
                text[i + 1] != '\n')) {  // a progress bar going back to the line's start
      out += '\n';
      ++i;
    } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == '\x7f') {
      ++i;
    } else if (const std::size_t n = utf8_length(text, i); n == 0) {
      out += "\xEF\xBF\xBD";
      ++i;
    } else if (n == 2 && c == '\xC2' && static_cast<std::uint8_t>(text[i + 1]) < 0xA0) {
      i += 2;  // the C1 controls, U+0080 to U+009F
    } else if (n == 3 && text.substr(i, 2) == "\xE2\x80" &&
               (text[i + 2] == '\xA8' || text[i + 2] == '\xA9')) {
      out += '\n';  // the separators of lines and paragraphs
      i += 3;
    } else if (n == 3 && c == '\xE2' && (text[i + 1] == '\x80' || text[i + 1] == '\x81') &&
               ((text[i + 1] == '\x80' && text[i + 2] >= '\xAA' && text[i + 2] <= '\xAE') ||
                (text[i + 1] == '\x81' && text[i + 2] >= '\xA6' && text[i + 2] <= '\xA9'))) {
      i += 3;  // bidirectional overrides: text that reads otherwise than it is
    } else {
      out.append(text, i, n);
      i += n;
    }
  }
  if (left_out != 0) out += cut_mark(left_out);
  return out;
}

// A short text lies in the string itself: both are locked.
struct Secret::Held {
  explicit Held(std::string&& value)
      : text(std::move(value)), here(this, sizeof(Held)), bytes(text) {
    wipe(value);
  }
  ~Held() { wipe(text); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  std::string text;
  const MemoryLock here;
  const MemoryLock bytes;
};

Secret::Secret(std::string&& value) {
  if (!value.empty()) held_ = std::make_shared<const Held>(std::move(value));
}

Secret::Secret(const std::string& value) : Secret(std::string(value)) {}

const std::string& Secret::reveal() const {
  static const std::string kNone;
  return held_ ? held_->text : kNone;
}

Result<Quoted> quote(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\0') return fail("a value for the shell holds a NUL byte", "take the NUL byte out");
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  out += '\'';
  return Quoted(std::move(out));
}

}  // namespace cnplay
