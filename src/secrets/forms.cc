#include "secrets/forms.h"

#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "secrets/reading.h"

namespace cnplay::secrets {
namespace {

// A line as short as `{` of a secret document says nothing, and stands everywhere.
constexpr std::size_t kShortestLine = 8;

// The characters of base64(prefix + value + suffix) that depend on the value alone, for a prefix of
// `offset` bytes.
std::string base64_middle(std::string_view value, std::size_t offset) {
  std::string padded(offset, '\0');
  padded += value;
  std::string encoded = base64_encode(padded);
  const std::size_t first = offset == 0 ? 0 : offset + 1;  // 1 byte spoils 2 characters, 2 spoil 3
  const std::size_t whole = padded.size() / 3 * 4;         // of complete groups
  const std::size_t rest = padded.size() % 3;              // 1 more byte: 1 sure character, 2: 2
  const std::size_t end = whole + rest;
  return end > first ? encoded.substr(first, end - first) : "";
}

std::string hex(std::string_view value, std::string_view between) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (!out.empty()) out += between;
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

// By characters, as rev(1) does it; broken UTF-8 by bytes.
std::string backwards(std::string_view value, bool by_bytes) {
  std::string out(value.rbegin(), value.rend());
  if (by_bytes) return out;
  for (std::size_t i = 0; i < out.size();) {
    std::size_t end = i;
    while (end + 1 < out.size() && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) ++end;
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(i),
                 out.begin() + static_cast<std::ptrdiff_t>(end) + 1);
    i = end + 1;
  }
  return out;
}

void add(std::vector<Form>& out, const std::string& text) {
  for (const Reading reading : {Reading::shown, Reading::all}) {
    out.push_back({read_bytes(reading, text), on_screen(text)});
    if (text.find('\x1b') == std::string::npos) return;  // both are the same
  }
}

void add_forms(std::vector<Form>& out, const std::string& value) {
  add(out, value);
  add(out, backwards(value, false));
  add(out, backwards(value, true));
  for (std::size_t offset = 0; offset < 3; ++offset) {
    std::string form = base64_middle(value, offset);
    add(out, form);
    std::replace(form.begin(), form.end(), '+', '-');
    std::replace(form.begin(), form.end(), '/', '_');
    add(out, form);
  }
  add(out, hex(value, ""));
  add(out, hex(value, ":"));
  if (value.find(' ') != std::string::npos) {  // a query of a URL
    std::string form = value;
    std::replace(form.begin(), form.end(), ' ', '+');
    add(out, form);
  }
  if (const auto quoted = quote(value); quoted && value.find('\'') != std::string::npos) {
    const std::string& text = quoted->str();
    add(out, text.substr(1, text.size() - 2));  // without the outer quotes
  }
}

}  // namespace

std::vector<Form> forms_of(std::string_view value) {
  std::vector<Form> out;
  add_forms(out, std::string(value));
  if (value.find('\n') == std::string_view::npos) return out;
  for (std::size_t begin = 0; begin < value.size();) {
    const std::size_t end = std::min(value.find('\n', begin), value.size());
    if (end - begin >= kShortestLine) add_forms(out, std::string(value.substr(begin, end - begin)));
    begin = end + 1;
  }
  return out;
}

}  // namespace cnplay::secrets
