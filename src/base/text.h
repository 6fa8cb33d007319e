// Bytes from a host, secrets, and shell-quoted text: each a type of its own, so that the
// compiler refuses the mistakes that cost others a CVE.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cnplay {

// Bytes that came from a host. No template, quoting or expression API takes this type; to
// show it, ask for display(). May hold any byte, NUL and broken UTF-8 included.
class Untrusted {
 public:
  Untrusted() = default;
  explicit Untrusted(std::string bytes) : bytes_(std::move(bytes)) {}

  // The bytes as they came. Call it only to store, count or compare them.
  const std::string& raw() const { return bytes_; }
  std::string& raw() { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }

  // For a person's screen: valid UTF-8, terminal escapes and control characters taken out
  // (tab and newline kept, CR LF made LF), broken bytes shown as U+FFFD. At most
  // `max_bytes` of it (0: all), the rest replaced by "... (N bytes more)".
  std::string display(std::size_t max_bytes = 0) const;

  friend bool operator==(const Untrusted&, const Untrusted&) = default;

 private:
  std::string bytes_;
};

// A value that must not be seen. Not streamable, not convertible. Its bytes are kept from swap and
// from core files; copies share them, and they are overwritten when the last of these is destroyed.
class Secret {
 public:
  Secret() = default;
  // What was given is overwritten.
  explicit Secret(std::string&& value);
  explicit Secret(const std::string& value);

  // The value, for the one place that sends or uses it. Good as long as a copy of this lives.
  const std::string& reveal() const;
  bool empty() const { return reveal().empty(); }

 private:
  struct Held;
  std::shared_ptr<const Held> held_;
};

// Text that a POSIX shell reads back as exactly one word. Made by quote() alone.
class Quoted {
 public:
  const std::string& str() const { return text_; }

 private:
  explicit Quoted(std::string text) : text_(std::move(text)) {}
  friend Result<Quoted> quote(std::string_view value);
  std::string text_;
};

// The one quoting function: 'it'\''s'. Fails on NUL, which no shell word can hold.
Result<Quoted> quote(std::string_view value);

// Whether a script's variable cannot have this name: it is read-only or special in some shell
// (dash, bash, busybox, mksh), or what the scripts' own surroundings stand on.
bool is_shell_reserved(std::string_view name);

// Replaces each broken UTF-8 sequence by U+FFFD.
std::string to_valid_utf8(std::string_view bytes);

}  // namespace cnplay
