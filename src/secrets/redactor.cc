#include "secrets/redactor.h"

#include <algorithm>

#include "base/cut_mark.h"
#include "secrets/forms.h"

namespace cnplay::secrets {
namespace {

constexpr std::uint64_t kNone = ~std::uint64_t{0};

bool may_be_escape(std::uint8_t byte) { return byte == '\\' || byte == '&' || byte == '%'; }

}  // namespace

bool Redactor::is_short(const Secret& value) {
  return read_bytes(Reading::all, value.reveal()).size() < kShort;
}

bool Redactor::add(const std::string& name, const Secret& value) {
  if (read_bytes(Reading::all, value.reveal()).size() < kShortest) return false;
  for (Form& form : forms_of(value.reveal())) {
    const std::size_t size = form.symbols.size();
    if (size < kShortest || !known_.insert(form.symbols).second) continue;
    longest_ = std::max(longest_, size);
    forms_.emplace_back(std::move(form.symbols), static_cast<std::int32_t>(patterns_.size()));
    patterns_.push_back({name, size < kShort ? std::move(form.exact) : std::string()});
    built_ = false;
  }
  return true;
}

void Redactor::build() const {
  if (built_) return;
  matcher_ = {};
  backwards_ = {};
  for (const auto& [symbols, id] : forms_) {
    matcher_.add(symbols, id);
    backwards_.add(std::string(symbols.rbegin(), symbols.rend()), id);
  }
  matcher_.build();
  backwards_.build();
  built_ = true;
  ++version_;
}

std::string Redactor::apply(std::string_view text) const {
  if (patterns_.empty()) return std::string(text);
  std::string out;
  bool front_cut = false;
  for (;;) {
    const CutMark mark = find_cut_mark(text);
    const bool is_cut = mark.size != 0;
    out += piece(text.substr(0, mark.at), front_cut, is_cut);
    if (!is_cut) return out;
    out += text.substr(mark.at, mark.size);
    text.remove_prefix(mark.at + mark.size);
    front_cut = true;
  }
}

std::string Redactor::piece(std::string_view text, bool front_cut, bool back_cut) const {
  Stream stream(*this);
  stream.scan(text, 0);
  if (front_cut) {
    if (const std::size_t part = cut_part(text); part != 0) stream.found({0, part, -1});
  }
  if (back_cut) {
    if (const std::uint64_t at = stream.open(); at < text.size()) {
      stream.found({at, text.size(), -1});
    }
  }
  return stream.finish();
}

// How much of the beginning of a text may be the end of a secret.
std::size_t Redactor::cut_part(std::string_view text) const {
  // Escapes have up to 12 bytes for one.
  const std::string_view head = text.substr(0, std::min(text.size(), 12 * longest_ + 64));
  std::size_t part = 0;
  for (int i = 0; i < kReadings; ++i) {
    const std::vector<Symbol> symbols = read(static_cast<Reading>(i), head);
    Matcher::State state = Matcher::kRoot;
    for (std::size_t k = std::min(symbols.size(), longest_); k-- > 0;) {
      state = backwards_.step(state, symbols[k].byte);
    }
    if (const std::size_t depth = backwards_.depth(state); depth != 0) {
      part = std::max(part, static_cast<std::size_t>(symbols[depth - 1].end));
    }
  }
  return part;
}

Redactor::Stream::Stream(const Redactor& redactor)
    : redactor_(&redactor),
      tracks_{Track(Reading::shown), Track(Reading::all), Track(Reading::backslash),
              Track(Reading::entity), Track(Reading::percent)} {}

// The patterns are others than before: what is held is looked at once more.
void Redactor::Stream::restart() {
  redactor_->build();
  version_ = redactor_->version_;
  screen_ = {};
  found_.clear();
  for (Track& track : tracks_) {
    track.reader.clear();
    track.state = Matcher::kRoot;
    track.begins.clear();
    track.apart = false;
  }
  const std::string again = std::exchange(held_, {});
  if (!again.empty()) scan(again, base_);
}

std::string Redactor::Stream::feed(std::string_view bytes) {
  if (redactor_->empty()) return std::string(bytes);
  scan(bytes, base_ + held_.size());
  const std::uint64_t settled = std::min(open(), base_ + held_.size());
  std::string out = emit(settled);
  // Whatever a host sends between the characters of a secret, what is held stays within bounds.
  if (held_.size() > 16 * redactor_->longest_ + 64 * 1024) {
    give_up();
    out += emit(base_ + held_.size());
  }
  return out;
}

std::string Redactor::Stream::finish() {
  end_of_text();
  return emit(base_ + held_.size());
}

void Redactor::Stream::end_of_text() {
  if (redactor_->empty()) return;
  seen_.clear();
  screen_.finish(seen_);
  const std::vector<Symbol> rest = seen_;
  for (const Symbol& symbol : rest) take(symbol);
  for (Track& track : tracks_) {
    read_.clear();
    track.reader.finish(read_);
    const std::vector<Symbol> symbols = read_;
    for (const Symbol& symbol : symbols) advance(track, symbol);
  }
}

void Redactor::Stream::scan(std::string_view bytes, std::uint64_t from) {
  if (!redactor_->built_ || version_ != redactor_->version_) restart();
  held_ += bytes;
  Track& shown = tracks_[0];
  int apart = 0;
  for (const Track& track : tracks_) apart += track.apart ? 1 : 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    const std::uint64_t at = from + i;
    if (apart == 0 && screen_.plain(byte) && !may_be_escape(byte)) {
      const auto folded =
          byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte + 0x20) : byte;
      advance(shown, {.byte = folded, .begin = at, .end = at + 1});
      continue;
    }
    seen_.clear();
    screen_.take(byte, at, seen_);
    for (const Symbol& symbol : seen_) take(symbol);
    apart = 0;
    for (const Track& track : tracks_) apart += track.apart ? 1 : 0;
  }
}

void Redactor::Stream::take(const Symbol& symbol) {
  Track& shown = tracks_[0];
  for (std::size_t i = 1; i < tracks_.size(); ++i) {
    Track& track = tracks_[i];
    if (!track.apart) {
      if (!track.reader.begins_escape(symbol)) continue;
      track.apart = true;
      track.state = shown.state;
      const auto depth = static_cast<std::ptrdiff_t>(redactor_->matcher_.depth(shown.state));
      track.begins.assign(shown.begins.end() - depth, shown.begins.end());
    }
    read_.clear();
    track.reader.take(symbol, read_);
    for (const Symbol& one : read_) advance(track, one);
  }
  read_.clear();
  shown.reader.take(symbol, read_);
  for (const Symbol& one : read_) advance(shown, one);
  for (std::size_t i = 1; i < tracks_.size(); ++i) {
    Track& track = tracks_[i];
    const bool inside = i == static_cast<std::size_t>(Reading::all) && screen_.in_escape();
    if (track.apart && !inside && track.reader.idle() && track.state == shown.state) {
      track.apart = false;
    }
  }
}

void Redactor::Stream::advance(Track& track, const Symbol& symbol) {
  const Matcher& matcher = redactor_->matcher_;
  track.state = matcher.step(track.state, symbol.byte);
  if (track.state == Matcher::kRoot) {
    track.begins.clear();
    return;
  }
  const std::size_t depth = matcher.depth(track.state);
  if (track.begins.size() > 2 * depth + 64) {
    track.begins.erase(track.begins.begin(),
                       track.begins.end() - static_cast<std::ptrdiff_t>(depth));
  }
  track.begins.push_back(symbol.begin);
  for (auto end = matcher.ends(track.state); end != Matcher::kRoot; end = matcher.shorter(end)) {
    const Range range{track.begins[track.begins.size() - matcher.depth(end)], symbol.end,
                      matcher.pattern(end)};
    if (accepts(range)) return found(range);
  }
}

// A short form counts only as it is.
bool Redactor::Stream::accepts(const Range& range) const {
  const std::string& exact = redactor_->patterns_[static_cast<std::size_t>(range.pattern)].exact;
  if (exact.empty()) return true;
  const std::string_view text =
      std::string_view(held_).substr(range.begin - base_, range.end - range.begin);
  return on_screen(text) == exact;
}

// Overlapping finds are one: what begins first and ends last is left out.
void Redactor::Stream::found(Range range) {
  auto first = std::partition_point(found_.begin(), found_.end(),
                                    [&](const Range& other) { return other.end <= range.begin; });
  auto last = first;
  for (; last != found_.end() && last->begin < range.end; ++last) {
    if (range.pattern < 0 || (last->pattern >= 0 && last->begin <= range.begin)) {
      range.pattern = last->pattern;
    }
    range.begin = std::min(range.begin, last->begin);
    range.end = std::max(range.end, last->end);
  }
  first = found_.erase(first, last);
  found_.insert(first, range);
}

std::uint64_t Redactor::Stream::open_of(const Track& track) const {
  std::uint64_t at = track.reader.open(kNone);
  if (const std::size_t depth = redactor_->matcher_.depth(track.state); depth != 0) {
    at = std::min(at, track.begins[track.begins.size() - depth]);
  }
  return at;
}

// Where what may be the beginning of a secret begins.
std::uint64_t Redactor::Stream::open() const {
  std::uint64_t at = screen_.open(kNone);
  for (const Track& track : tracks_) {
    if (&track == &tracks_[0] || track.apart) at = std::min(at, open_of(track));
  }
  return at;
}

// What is held is taken for a secret.
void Redactor::Stream::give_up() {
  std::int32_t pattern = -1;
  seen_.clear();
  screen_.finish(seen_);
  for (Track& track : tracks_) {
    if (pattern < 0) pattern = redactor_->matcher_.some_pattern(track.state);
    track.reader.clear();
    track.state = Matcher::kRoot;
    track.begins.clear();
    track.apart = false;
  }
  found({base_, base_ + held_.size(), pattern});
}

std::string Redactor::Stream::emit(std::uint64_t until) {
  // A find that reaches into the open end is settled once more has come.
  for (const Range& range : found_) {
    if (range.end > until) until = std::min(until, range.begin);
  }
  std::string out;
  std::uint64_t at = base_;
  auto range = found_.begin();
  for (; range != found_.end() && range->end <= until; ++range) {
    out.append(held_, at - base_, range->begin - at);
    if (range->pattern >= 0) {
      const auto pattern = static_cast<std::size_t>(range->pattern);
      out += "[secret " + redactor_->patterns_[pattern].name + "]";
    }
    at = range->end;
  }
  found_.erase(found_.begin(), range);
  out.append(held_, at - base_, until - at);
  held_.erase(0, until - base_);
  base_ = until;
  return out;
}

}  // namespace cnplay::secrets
