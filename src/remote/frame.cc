#include "remote/frame.h"

#include <algorithm>
#include <charconv>

namespace cnplay::remote {

std::string_view next_word(std::string_view& words) {
  const std::size_t space = words.find(' ');
  const std::string_view word = words.substr(0, space);
  words.remove_prefix(space == std::string_view::npos ? words.size() : space + 1);
  return word;
}

std::optional<std::uint64_t> number_of(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

FrameParser::FrameParser(std::string_view nonce) {
  lead_ = '\x1e';
  lead_ += nonce;
  lead_ += ' ';
}

void FrameParser::feed(std::string_view bytes, FrameSink& sink) {
  while (!bytes.empty()) {
    if (held_.empty()) {
      const std::size_t rs = bytes.find('\x1e');
      if (rs != 0) sink.text(bytes.substr(0, rs));
      if (rs == std::string_view::npos) return;
      held_ += '\x1e';
      bytes.remove_prefix(rs + 1);
      continue;
    }
    if (held_.size() < lead_.size()) {
      const std::size_t n = std::min(lead_.size() - held_.size(), bytes.size());
      const std::string_view want = std::string_view(lead_).substr(held_.size(), n);
      const auto differ = std::mismatch(want.begin(), want.end(), bytes.begin()).first;
      const auto same = static_cast<std::size_t>(differ - want.begin());
      held_.append(bytes.substr(0, same));
      bytes.remove_prefix(same);
      // RS stands at the beginning of a lead alone, so no other one can begin within held_.
      if (same < n) flush(sink);
      continue;
    }
    const std::size_t room = lead_.size() + kMaxMark - held_.size();
    const std::string_view head = bytes.substr(0, room);
    const std::size_t newline = head.find('\n');
    held_.append(head.substr(0, newline));
    if (newline == std::string_view::npos) {
      bytes.remove_prefix(head.size());
      if (held_.size() == lead_.size() + kMaxMark) flush(sink);
      continue;
    }
    bytes.remove_prefix(newline + 1);
    std::string mark = std::move(held_);
    held_.clear();
    sink.mark(std::string_view(mark).substr(lead_.size()));
  }
}

void FrameParser::flush(FrameSink& sink) {
  if (held_.empty()) return;
  std::string text = std::move(held_);
  held_.clear();
  sink.text(text);
}

}  // namespace cnplay::remote
