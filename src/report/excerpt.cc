#include "report/excerpt.h"

#include <algorithm>

namespace cnplay::report {
namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

void Excerpt::add(std::string_view bytes) {
  total_ += bytes.size();
  const std::size_t room = std::min(kHead - head_.size(), bytes.size());
  head_.append(bytes.substr(0, room));
  bytes.remove_prefix(room);
  if (bytes.size() > kTail) bytes.remove_prefix(bytes.size() - kTail);
  tail_.append(bytes);
  // Now and then, not each time: an append costs no copy of the whole.
  if (tail_.size() > 2 * kTail) tail_.erase(0, tail_.size() - kTail);
}

std::string_view Excerpt::head() const {
  std::string_view text = head_;
  if (whole()) return text;
  if (const std::size_t newline = text.rfind('\n'); newline != std::string_view::npos) {
    return text.substr(0, newline + 1);
  }
  while (!text.empty() && continues_character(text.back())) text.remove_suffix(1);
  if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.remove_suffix(1);
  return text;
}

std::string_view Excerpt::tail() const {
  std::string_view text = tail_;
  if (whole()) return text;
  if (text.size() > kTail) text.remove_prefix(text.size() - kTail);
  const std::size_t newline = text.find('\n');
  if (newline != std::string_view::npos && newline + 1 < text.size()) {
    return text.substr(newline + 1);
  }
  while (!text.empty() && continues_character(text.front())) text.remove_prefix(1);
  return text;
}

Excerpt excerpt(std::string_view text) {
  Excerpt out;
  out.add(text);
  return out;
}

}  // namespace cnplay::report
