#include "secrets/redactor.h"

#include <algorithm>
#include <deque>

#include "base/base64.h"

namespace cnplay::secrets {
namespace {

std::string url_encoded(std::string_view text, bool lower) {
  const char* digits = lower ? "0123456789abcdef" : "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
        c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string json_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
    }
  }
  return out;
}

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

}  // namespace

bool Redactor::add(const std::string& name, const Secret& value) {
  const std::string& raw = value.reveal();
  if (raw.size() < kShortest) return false;
  add_pattern(raw, name);
  for (std::size_t begin = 0; begin < raw.size();) {
    const std::size_t end = std::min(raw.find('\n', begin), raw.size());
    // A line as short as `{` of a secret document says nothing, and stands everywhere.
    if (end - begin >= 8) add_pattern(raw.substr(begin, end - begin), name);
    begin = end + 1;
  }
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const std::string form = base64_middle(raw, offset);
    if (form.size() >= kShortest) {
      add_pattern(form, name);
      std::string url_safe = form;
      std::replace(url_safe.begin(), url_safe.end(), '+', '-');
      std::replace(url_safe.begin(), url_safe.end(), '/', '_');
      add_pattern(url_safe, name);
    }
  }
  add_pattern(url_encoded(raw, false), name);
  add_pattern(url_encoded(raw, true), name);
  add_pattern(json_escaped(raw), name);
  if (const auto quoted = quote(raw)) {
    const std::string& text = quoted->str();
    add_pattern(text.substr(1, text.size() - 2), name);  // without the outer quotes
  }
  return true;
}

void Redactor::add_pattern(const std::string& text, const std::string& name) {
  for (const Pattern& p : patterns_) {
    if (p.text == text) return;
  }
  patterns_.push_back({text, name});
  built_ = false;
}

void Redactor::build() const {
  nodes_.assign(1, Node{});
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    std::uint32_t at = 0;
    for (const char c : patterns_[i].text) {
      const auto byte = static_cast<unsigned char>(c);
      if (nodes_[at].next[byte] == 0) {
        const auto depth = nodes_[at].depth + 1;
        nodes_[at].next[byte] = static_cast<std::uint32_t>(nodes_.size());
        nodes_.emplace_back();
        nodes_.back().depth = depth;
      }
      at = nodes_[at].next[byte];
    }
    if (nodes_[at].pattern < 0) nodes_[at].pattern = static_cast<std::int32_t>(i);
  }
  std::deque<std::uint32_t> queue;
  for (const std::uint32_t child : nodes_[0].next) {
    if (child != 0) queue.push_back(child);
  }
  while (!queue.empty()) {
    const std::uint32_t at = queue.front();
    queue.pop_front();
    const std::uint32_t fallback = nodes_[at].fail;
    if (nodes_[at].pattern < 0) nodes_[at].pattern = nodes_[fallback].pattern;
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t child = nodes_[at].next[byte];
      if (child == 0) {
        nodes_[at].next[byte] = nodes_[fallback].next[byte];
      } else {
        nodes_[child].fail = nodes_[fallback].next[byte];
        queue.push_back(child);
      }
    }
  }
  built_ = true;
}

std::size_t Redactor::scan(std::string_view text, bool last, std::string& out) const {
  if (!built_) build();
  struct Range {
    std::size_t begin, end;
    std::int32_t pattern;
  };
  std::vector<Range> found;
  std::uint32_t state = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    state = nodes_[state].next[static_cast<unsigned char>(text[i])];
    if (const auto pattern = nodes_[state].pattern; pattern >= 0) {
      const std::size_t length = patterns_[static_cast<std::size_t>(pattern)].text.size();
      Range range{i + 1 - length, i + 1, pattern};
      // Overlapping finds are one: what begins first and ends last is blanked.
      while (!found.empty() && found.back().end > range.begin) {
        range.begin = std::min(range.begin, found.back().begin);
        if (found.back().begin <= range.begin) range.pattern = found.back().pattern;
        found.pop_back();
      }
      found.push_back(range);
    }
  }
  const std::size_t open = last ? 0 : nodes_[state].depth;
  std::size_t usable = text.size() - open;
  // A find that reaches into the open end is settled once more has come.
  while (!found.empty() && found.back().end > usable) {
    usable = std::min(usable, found.back().begin);
    found.pop_back();
  }
  std::size_t at = 0;
  for (const Range& range : found) {
    out.append(text, at, range.begin - at);
    out += "[secret " + patterns_[static_cast<std::size_t>(range.pattern)].name + "]";
    at = range.end;
  }
  out.append(text, at, usable - at);
  return usable;
}

std::string Redactor::apply(std::string_view text) const {
  if (patterns_.empty()) return std::string(text);
  std::string out;
  scan(text, true, out);
  return out;
}

std::string Redactor::Stream::feed(std::string_view bytes) {
  if (redactor_->empty()) return std::string(bytes);
  held_ += bytes;
  std::string out;
  held_.erase(0, redactor_->scan(held_, false, out));
  return out;
}

std::string Redactor::Stream::finish() {
  std::string out = redactor_->apply(held_);
  held_.clear();
  return out;
}

}  // namespace cnplay::secrets
