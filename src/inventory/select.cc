// What `-l` selects.
#include <algorithm>

#include "inventory/inventory.h"

namespace cnplay::inventory {
namespace {

using Mask = std::vector<bool>;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-' ||
         c == '*' || c == '?';
}

bool matches(std::string_view glob, std::string_view text) {
  // Iterative, with one point to go back to: linear in practice, quadratic at worst.
  std::size_t g = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t from = 0;
  while (t < text.size()) {
    if (g < glob.size() && (glob[g] == '?' || (glob[g] == text[t] && glob[g] != '*'))) {
      ++g, ++t;
    } else if (g < glob.size() && glob[g] == '*') {
      star = g++;
      from = t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

class Selector {
 public:
  Selector(const Inventory& inventory, const diag::SourceMap::Source& pattern,
           diag::Diagnostics& diags)
      : inventory_(inventory), pattern_(pattern), diags_(diags) {}

  std::vector<HostIndex> run() {
    Mask mask = any();
    skip_blanks();
    if (!failed_ && at_ < text().size()) malformed(at_, "expected the end of the limit");
    if (failed_) return {};
    std::vector<HostIndex> out;
    for (HostIndex h = 0; h < mask.size(); ++h) {
      if (mask[h]) out.push_back(h);
    }
    if (out.empty()) {
      diags_.error("E0613", "the limit leaves no host", {span(0, text().size()), "matches nothing"},
                   "each part matches something, but not together: `&` means and, `,` means or");
    }
    return out;
  }

 private:
  const std::string& text() const { return pattern_.text; }

  Span span(std::size_t begin, std::size_t end) const {
    return {pattern_.base + static_cast<std::uint32_t>(begin),
            pattern_.base + static_cast<std::uint32_t>(std::max(end, begin))};
  }

  void skip_blanks() {
    while (at_ < text().size() && (text()[at_] == ' ' || text()[at_] == '\t')) ++at_;
  }

  bool take(char c) {
    skip_blanks();
    if (at_ >= text().size() || text()[at_] != c) return false;
    ++at_;
    return true;
  }

  void malformed(std::size_t at, std::string what) {
    if (failed_) return;
    failed_ = true;
    diags_.error("E0614", "the limit cannot be read",
                 {span(at, std::min(at + 1, text().size())), std::move(what)},
                 "names of groups and hosts, `web*`, joined by `,` (or) and `&` (and), with `!` "
                 "(not) and parentheses: `web & !web3`");
  }

  // a , b
  Mask any() {
    Mask mask(inventory_.hosts().size());
    std::size_t count = 0;
    std::size_t negated_begin = 0;
    std::size_t negated_end = 0;
    bool negated = false;
    do {
      skip_blanks();
      const std::size_t begin = at_;
      bool only_not = true;
      const Mask part = all(only_not);
      if (failed_) return mask;
      ++count;
      if (only_not) {
        negated = true;
        negated_begin = begin;
        negated_end = at_;
      }
      for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mask[i] || part[i];
    } while (take(','));
    if (negated && count > 1) {
      // Elsewhere `web,!web1` takes web1 away; here it would be nearly every host. Ask.
      failed_ = true;
      diags_.error("E0614", "this limit would add every other host",
                   {span(negated_begin, negated_end), "`,` means or: all hosts but this are added"},
                   "to take hosts away write `&`: `web & !web1`");
    }
    return mask;
  }

  // a & b
  Mask all(bool& only_not) {
    Mask mask = one(only_not);
    while (!failed_ && take('&')) {
      const Mask part = one(only_not);
      if (failed_) break;
      for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mask[i] && part[i];
    }
    return mask;
  }

  Mask one(bool& only_not) {
    bool negate = false;
    while (take('!')) negate = !negate;
    if (!negate) only_not = false;
    Mask mask;
    if (take('(')) {
      const std::size_t open = at_ - 1;
      if (++depth_ > 100) malformed(open, "nested too deeply");
      mask = failed_ ? Mask(inventory_.hosts().size()) : any();
      --depth_;
      if (!failed_ && !take(')')) malformed(open, "this parenthesis is not closed");
    } else {
      mask = term();
    }
    if (negate) mask.flip();
    return mask;
  }

  Mask term() {
    Mask mask(inventory_.hosts().size());
    skip_blanks();
    const std::size_t begin = at_;
    while (at_ < text().size() && is_word(text()[at_])) ++at_;
    const std::string word = text().substr(begin, at_ - begin);
    if (word.empty()) {
      malformed(begin, "a group, a host or a glob is missing here");
      return mask;
    }
    bool found = false;
    const auto add_group = [&](const Group& group) {
      found = true;
      for (const HostIndex h : group.hosts) mask[h] = true;
    };
    if (word.find_first_of("*?") == std::string::npos) {
      if (const auto g = inventory_.find_group(word)) add_group(inventory_.groups()[*g]);
      if (const auto h = inventory_.find_host(word)) found = mask[*h] = true;
    } else {
      for (const auto& group : inventory_.groups()) {
        if (matches(word, group.name)) add_group(group);
      }
      for (HostIndex h = 0; h < mask.size(); ++h) {
        if (matches(word, inventory_.hosts()[h].name)) found = mask[h] = true;
      }
    }
    if (!found) unknown(word, begin);
    return mask;
  }

  void unknown(const std::string& word, std::size_t begin) {
    failed_ = true;
    std::vector<std::string> names;
    for (const auto& group : inventory_.groups()) names.push_back(group.name);
    for (const auto& host : inventory_.hosts()) {
      if (names.size() < 2000) names.push_back(host.name);
    }
    const std::string near = diag::did_you_mean(word, names);
    if (word == "local") {
      diags_.error("E0612", "`local` is the controller, which no limit names",
                   {span(begin, begin + word.size()), "no host of the inventory"},
                   "leave it out: steps on `local` are done whatever the limit");
      return;
    }
    diags_.error("E0612", "the limit names nothing of inventory `" + inventory_.name() + "`",
                 {span(begin, begin + word.size()), "no group or host has this name"},
                 near.empty() ? "`cnplay plan` without a limit shows the hosts of the play"
                              : "did you mean `" + near + "`?");
  }

  const Inventory& inventory_;
  const diag::SourceMap::Source& pattern_;
  diag::Diagnostics& diags_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool failed_ = false;
};

}  // namespace

std::vector<HostIndex> select(const Inventory& inventory, const diag::SourceMap::Source& pattern,
                              diag::Diagnostics& diags) {
  return Selector(inventory, pattern, diags).run();
}

}  // namespace cnplay::inventory
