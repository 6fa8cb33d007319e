// Takes secrets out of text, in every form in which they are likely to show (secrets/forms.h), and
// however the text is read (secrets/reading.h): what a screen does not show, blanks, and upper or
// lower case make no difference. What is not found is listed in docs/vault.md.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "secrets/matcher.h"
#include "secrets/reading.h"

namespace cnplay::secrets {

// Knows the secrets of a run. Filled first (add), then used; finding is one pass over the text
// whatever the number of secrets.
class Redactor {
 public:
  // Shorter values would blank out innocent text; they are not looked for.
  static constexpr std::size_t kShortest = 4;
  // Forms that are shorter are found exactly as they are alone: no blanks between, no other case.
  static constexpr std::size_t kShort = 6;

  // Whether a value has fewer characters than that. Who uses one is warned.
  static bool is_short(const Secret& value);

  // False if the value is too short to be looked for.
  bool add(const std::string& name, const Secret& value);
  bool empty() const { return patterns_.empty(); }

  // `text` with each secret replaced by `[secret NAME]`. At a cut (cut_mark()) what may be a part
  // of a secret is left out.
  std::string apply(std::string_view text) const;

  // For text that comes in pieces: a secret that is split over pieces is found as well. What may
  // be the beginning of a secret is held back until more comes or finish() is called.
  class Stream {
   public:
    explicit Stream(const Redactor& redactor);
    std::string feed(std::string_view bytes);
    std::string finish();

   private:
    friend class Redactor;
    // One reading of the text, and how far into which pattern it is.
    struct Track {
      explicit Track(Reading reading) : reader(reading) {}
      Reader reader;
      Matcher::State state = Matcher::kRoot;
      std::vector<std::uint64_t>
          begins;          // of the last symbols: as many as `state` is deep, or more
      bool apart = false;  // from what the screen shows; else it is where that is
    };
    struct Range {
      std::uint64_t begin, end;
      std::int32_t pattern;  // negative: to be left out without a word
    };

    void restart();
    void scan(std::string_view bytes, std::uint64_t from);
    void take(const Symbol& symbol);
    void advance(Track& track, const Symbol& symbol);
    bool accepts(const Range& range) const;
    void found(Range range);
    std::uint64_t open_of(const Track& track) const;
    std::uint64_t open() const;
    void give_up();
    void end_of_text();
    std::string emit(std::uint64_t until);

    const Redactor* redactor_;
    std::uint64_t version_ = 0;  // of the redactor's patterns
    std::string held_;           // what was not handed out yet
    std::uint64_t base_ = 0;     // where it begins
    Screen screen_;
    std::array<Track, kReadings> tracks_;
    std::vector<Symbol> seen_;
    std::vector<Symbol> read_;
    std::vector<Range> found_;  // sorted, apart from each other
  };

 private:
  struct Pattern {
    std::string name;
    std::string exact;  // of a short form; else empty
  };

  void build() const;
  std::string piece(std::string_view text, bool front_cut, bool back_cut) const;
  std::size_t cut_part(std::string_view text) const;

  std::set<std::string> known_;  // all forms
  std::vector<std::pair<std::string, std::int32_t>> forms_;
  std::vector<Pattern> patterns_;
  std::size_t longest_ = 0;
  mutable Matcher matcher_;
  mutable Matcher backwards_;  // for what a cut has left of a pattern
  mutable bool built_ = false;
  mutable std::uint64_t version_ = 0;
};

}  // namespace cnplay::secrets
