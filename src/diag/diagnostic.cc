#include "diag/diagnostic.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace cnplay::diag {
namespace {

bool same(const Diagnostic& a, const Diagnostic& b) {
  const auto labels = [](const std::vector<Label>& x, const std::vector<Label>& y) {
    return std::ranges::equal(
        x, y, [](const Label& l, const Label& m) { return l.span == m.span && l.text == m.text; });
  };
  return a.severity == b.severity && a.code == b.code && a.summary == b.summary &&
         a.subject.span == b.subject.span && a.subject.text == b.subject.text && a.help == b.help &&
         labels(a.context, b.context) && labels(a.notes, b.notes);
}

// Edits to make `a` of `b`: insert, delete, replace, swap two neighbours (optimal string
// alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> older, old(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) old[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({old[j] + 1, now[j - 1] + 1, old[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], older[j - 2] + 1);
      }
    }
    older = old;
    old = now;
  }
  return old[b.size()];
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

std::vector<Edit> suggested_edits(const Diagnostic& d) {
  if (!d.subject.span.known()) return {};
  for (const std::string* text : {&d.help, &d.subject.text}) {
    static constexpr std::string_view kBefore = "did you mean ", kAfter = "?";
    if (!text->starts_with(kBefore) || !text->ends_with(kAfter)) continue;
    const std::string quoted =
        text->substr(kBefore.size(), text->size() - kBefore.size() - kAfter.size());
    // One word in its quotes, and nothing else.
    if (quoted.size() < 3 || quoted.front() != quoted.back()) continue;
    const std::string word = quoted.substr(1, quoted.size() - 2);
    if (word.find_first_of("`\" ") != std::string::npos) continue;
    return {{d.subject.span, word}};
  }
  // "write `X`", where X is the whole of what is to be written.
  for (const std::string_view before :
       {"write ", "write a list: ", "make it a text: ", "choose one: "}) {
    if (!d.help.starts_with(before)) continue;
    const std::string_view quoted = std::string_view(d.help).substr(before.size());
    if (quoted.size() < 3 || quoted.front() != '`' || quoted.back() != '`') continue;
    const std::string_view code = quoted.substr(1, quoted.size() - 2);
    const bool placeholder = code.find("...") != code.npos ||
                             std::ranges::any_of(code, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (code.find('`') == code.npos && !placeholder) return {{d.subject.span, std::string(code)}};
  }
  return {};
}

void Diagnostics::add(Diagnostic d) {
  if (d.edits.empty()) d.edits = suggested_edits(d);
  if (d.severity == Severity::error) ++errors_;
  all_.push_back(std::move(d));
}

void Diagnostics::error(std::string code, std::string summary, Label subject, std::string help) {
  add({Severity::error,
       std::move(code),
       std::move(summary),
       std::move(subject),
       {},
       {},
       std::move(help)});
}

void Diagnostics::warning(std::string code, std::string summary, Label subject, std::string help) {
  Diagnostic d;
  d.severity = Severity::warning;
  d.code = std::move(code);
  d.summary = std::move(summary);
  d.subject = std::move(subject);
  d.help = std::move(help);
  add(std::move(d));
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> out;
  out.reserve(all_.size());
  std::vector<const Diagnostic*> order;
  for (const auto& d : all_) order.push_back(&d);
  // What has no place of its own comes last.
  std::ranges::stable_sort(order, [](const Diagnostic* a, const Diagnostic* b) {
    const auto key = [](const Diagnostic* d) {
      const Span s = d->subject.span;
      return std::pair(s.known() ? s.begin : UINT32_MAX, s.end);
    };
    return key(a) < key(b);
  });
  for (const Diagnostic* d : order) {
    bool seen = false;  // duplicates have the same place: they stand beside each other
    for (auto it = out.rbegin(); it != out.rend() && it->subject.span == d->subject.span; ++it) {
      seen = seen || same(*d, *it);
    }
    if (!seen) out.push_back(*d);
  }
  return out;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string wanted = lower(word);
  // One edit in short words, two from five letters on, three in long ones.
  const std::size_t most =
      std::max<std::size_t>(1, std::min<std::size_t>(3, (word.size() + 1) / 3));
  std::string best;
  // The fewest edits; of equals, the one that begins most alike.
  std::pair<std::size_t, std::size_t> best_key{most + 1, 0};
  for (const auto& candidate : candidates) {
    const std::size_t gap = candidate.size() > wanted.size() ? candidate.size() - wanted.size()
                                                             : wanted.size() - candidate.size();
    if (gap > most || candidate == word) continue;
    const std::string other = lower(candidate);
    const std::size_t edits = distance(wanted, other);
    if (edits > most || edits >= candidate.size()) continue;
    const auto alike =
        static_cast<std::size_t>(std::ranges::mismatch(wanted, other).in1 - wanted.begin());
    const std::pair key{edits, wanted.size() - alike};
    if (key < best_key) {
      best_key = key;
      best = candidate;
    }
  }
  return best;
}

}  // namespace cnplay::diag
