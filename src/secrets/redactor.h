// Takes secrets out of text, in every form in which they are likely to show: raw, each line of a
// secret of several, base64 (at all three alignments), URL-encoded, shell-quoted, JSON-escaped.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace cnplay::secrets {

// Knows the secrets of a run. Filled first (add), then used; finding is one pass over the text
// whatever the number of secrets (Aho and Corasick, "Efficient string matching", CACM 1975).
class Redactor {
 public:
  // Shorter values would blank out innocent text; they are not looked for.
  static constexpr std::size_t kShortest = 4;

  // False if the value is too short to be looked for.
  bool add(const std::string& name, const Secret& value);
  bool empty() const { return patterns_.empty(); }

  // `text` with each secret replaced by `[secret NAME]`.
  std::string apply(std::string_view text) const;

  // For text that comes in pieces: a secret that is split over pieces is found as well. What may
  // be the beginning of a secret is held back until more comes or finish() is called.
  class Stream {
   public:
    explicit Stream(const Redactor& redactor) : redactor_(&redactor) {}
    std::string feed(std::string_view bytes);
    std::string finish();

   private:
    const Redactor* redactor_;
    std::string held_;
  };

 private:
  struct Pattern {
    std::string text;
    std::string name;
  };
  struct Node {
    std::array<std::uint32_t, 256> next{};
    std::uint32_t fail = 0;
    std::uint32_t depth = 0;
    std::int32_t pattern = -1;  // the longest pattern that ends here
  };

  void add_pattern(const std::string& text, const std::string& name);
  void build() const;
  // Appends the redacted text to `out`; unless `last`, leaves off before what may be the beginning
  // of a secret and returns the number of bytes used.
  std::size_t scan(std::string_view text, bool last, std::string& out) const;

  std::vector<Pattern> patterns_;
  mutable std::vector<Node> nodes_;
  mutable bool built_ = false;
};

}  // namespace cnplay::secrets
