#include "plan/shell_eval.h"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "plan/by_hand.h"

namespace cnplay::plan {
namespace {

constexpr std::size_t kLongestInPlace = 80;  // a longer value stays in its variable

bool in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

// Reads a word piece by piece. `pattern`: what was quoted is escaped for fnmatch.
class WordReader {
 public:
  WordReader(std::string_view word, const ShellKnown& known, bool split, bool pattern)
      : word_(word), known_(known), split_(split), pattern_(pattern) {}

  std::optional<std::string> read() {
    while (at_ < word_.size()) {
      if (!piece(false)) return std::nullopt;
    }
    return std::move(out_);
  }

 private:
  void add(std::string_view text, bool quoted) {
    for (const char c : text) {
      if (pattern_ && quoted && std::string_view("*?[]\\").find(c) != std::string_view::npos) {
        out_ += '\\';
      }
      out_ += c;
    }
  }

  bool piece(bool quoted) {
    const char c = word_[at_];
    if (c == '\\') {
      if (at_ + 1 >= word_.size()) return false;
      const char next = word_[at_ + 1];
      at_ += 2;
      if (quoted && std::string_view("$`\"\\\n").find(next) == std::string_view::npos) {
        add("\\", true);
      }
      if (next != '\n') add(std::string_view(&next, 1), true);
      return true;
    }
    if (c == '\'' && !quoted) {
      const auto end = word_.find('\'', at_ + 1);
      if (end == std::string_view::npos) return false;
      add(word_.substr(at_ + 1, end - at_ - 1), true);
      at_ = end + 1;
      return true;
    }
    if (c == '"' && !quoted) {
      for (++at_; at_ < word_.size() && word_[at_] != '"';) {
        if (!piece(true)) return false;
      }
      ++at_;
      return true;
    }
    if (c == '`') return false;
    if (c == '$') return expansion(quoted);
    // A glob or a tilde of an unquoted word is for the shell.
    if (!quoted && !pattern_ && split_ &&
        std::string_view("*?[~").find(c) != std::string_view::npos) {
      return false;
    }
    add(word_.substr(at_, 1), quoted);
    ++at_;
    return true;
  }

  bool expansion(bool quoted) {
    ++at_;
    const bool braced = at_ < word_.size() && word_[at_] == '{';
    if (braced) ++at_;
    const std::size_t begin = at_;
    while (at_ < word_.size() && in_name(word_[at_])) ++at_;
    const std::string name(word_.substr(begin, at_ - begin));
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    const auto found = known_.values.find(name);
    if (found == known_.values.end()) return false;
    std::string value = found->second;
    if (braced) {
      const std::size_t end = word_.find('}', at_);
      if (end == std::string_view::npos) return false;
      std::string_view rest = word_.substr(at_, end - at_);
      // A `}` inside of these is another one's.
      if (rest.find_first_of("$\"'\\`{") != std::string_view::npos) return false;
      at_ = end + 1;
      if (!rest.empty()) {
        const bool colon = rest[0] == ':';
        if (colon) rest.remove_prefix(1);
        if (rest.empty() || (rest[0] != '-' && rest[0] != '+')) return false;
        const bool set = !colon || !value.empty();
        const bool take = (rest[0] == '+') == set;
        if (take) {
          // Only plain text: `${x:-default}`.
          if (rest.find_first_of("$\"'\\` ") != std::string_view::npos) return false;
          value = rest.substr(1);
        } else if (rest[0] == '+') {
          value.clear();
        }
      }
    }
    if (!quoted && split_ && value.find_first_of(" \t\n*?[\\") != std::string::npos) return false;
    add(value, quoted);
    return true;
  }

  std::string_view word_;
  const ShellKnown& known_;
  bool split_;
  bool pattern_;
  std::size_t at_ = 0;
  std::string out_;
};

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<bool> compare(const std::string& a, const std::string& op, const std::string& b) {
  if (op == "=") return a == b;
  if (op == "!=") return a != b;
  const auto x = number(a);
  const auto y = number(b);
  if (!x || !y) return std::nullopt;
  if (op == "-eq") return *x == *y;
  if (op == "-ne") return *x != *y;
  if (op == "-lt") return *x < *y;
  if (op == "-le") return *x <= *y;
  if (op == "-gt") return *x > *y;
  if (op == "-ge") return *x >= *y;
  return std::nullopt;
}

std::optional<bool> test(const ShellCommand& c, const ShellKnown& known) {
  std::vector<std::string> words(c.words.begin() + 1, c.words.end());
  if (c.words[0] == "[") {
    if (words.empty() || words.back() != "]") return std::nullopt;
    words.pop_back();
  }
  bool wanted = true;
  if (!words.empty() && words[0] == "!") {
    wanted = false;
    words.erase(words.begin());
  }
  std::optional<bool> result;
  if (words.size() == 2 && (words[0] == "-n" || words[0] == "-z")) {
    if (const auto value = value_of_word(words[1], known))
      result = value->empty() == (words[0] == "-z");
  } else if (words.size() == 3) {
    const auto a = value_of_word(words[0], known);
    const auto b = value_of_word(words[2], known);
    if (a && b) result = compare(*a, words[1], *b);
  }
  if (result && !wanted) result = !*result;
  return result;
}

// The words inside of `${x:+ ... }`, if that is the whole word and x is known.
std::optional<std::vector<std::string>> alternative(const std::string& word,
                                                    const ShellKnown& known) {
  if (word.compare(0, 2, "${") != 0 || word.back() != '}') return std::nullopt;
  const auto plus = word.find(":+");
  if (plus == std::string::npos) return std::nullopt;
  const auto found = known.values.find(word.substr(2, plus - 2));
  if (found == known.values.end()) return std::nullopt;
  if (found->second.empty()) return std::vector<std::string>{};
  // Its words are read as those of a command.
  const auto inner = read_shell(word.substr(plus + 2, word.size() - plus - 3));
  if (!inner || inner->size() != 1 || (*inner)[0].kind != ShellKind::simple) return std::nullopt;
  return (*inner)[0].words;
}

}  // namespace

void ShellKnown::forget(const std::set<std::string>& names) {
  for (const auto& name : names) {
    if (name == "@") args.reset();
    if (name == "IFS") split_lines = false;
    values.erase(name);
  }
}

std::optional<std::string> value_of_word(std::string_view word, const ShellKnown& known,
                                         bool split) {
  return WordReader(word, known, split, false).read();
}

std::string shell_word(std::string_view value) {
  bool bare = !value.empty() && value[0] != '~';
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if ((u < 0x20 && c != '\n' && c != '\t') || u == 0x7F) return "";
    const bool plain = in_name(c) || std::string_view("-./:@%+,").find(c) != std::string_view::npos;
    bare = bare && (plain || c == '=');
  }
  // `a=b` would be an assignment.
  if (bare && assignment_length(value) == 0) return std::string(value);
  const auto quoted = quote(value);
  return quoted ? quoted->str() : "";
}

std::vector<std::string> words_of_word(const std::string& word, const ShellKnown& known) {
  if (word == "\"$@\"" && known.args) return *known.args;
  if (word.find('$') == std::string::npos) return {word};
  if (const auto words = alternative(word, known)) {
    std::vector<std::string> out;
    for (const auto& w : *words) {
      for (auto& inner : words_of_word(w, known)) out.push_back(std::move(inner));
    }
    return out;
  }
  const std::size_t name = assignment_length(word);
  const auto head = name == 0 ? 0 : name + 1;
  const auto value = value_of_word(std::string_view(word).substr(head), known, name == 0);
  if (!value || value->size() > kLongestInPlace || value->find('\n') != std::string::npos ||
      (value->empty() && word.find('"') == std::string::npos && name == 0)) {
    return {word};
  }
  const std::string text = shell_word(*value);
  return {text.empty() ? word : word.substr(0, head) + text};
}

std::optional<bool> outcome_of(const ShellCommand& c, const ShellKnown& known) {
  if (c.kind == ShellKind::pipeline && c.negated && c.lists.size() == 1) {
    const auto inner = outcome_of(c.lists[0].at(0), known);
    return inner ? std::optional<bool>(!*inner) : std::nullopt;
  }
  if (c.kind == ShellKind::and_or) {
    std::optional<bool> result = outcome_of(c.lists[0].at(0), known);
    for (std::size_t i = 1; i < c.lists.size() && result; ++i) {
      if (*result == (c.labels[i - 1] == "&&")) result = outcome_of(c.lists[i].at(0), known);
    }
    return result;
  }
  if (c.kind != ShellKind::simple || c.words.empty() || !c.redirects.empty()) return std::nullopt;
  if (c.words[0] == ":" || c.words[0] == "true") return true;
  if (c.words[0] == "false") return false;
  if (c.words[0] == "[" || c.words[0] == "test") return test(c, known);
  return std::nullopt;
}

std::optional<bool> matches(const std::string& patterns, const std::string& value,
                            const ShellKnown& known) {
  for (std::size_t begin = 0; begin <= patterns.size();) {
    const std::size_t end = std::min(patterns.find(" | ", begin), patterns.size());
    const auto pattern =
        WordReader(std::string_view(patterns).substr(begin, end - begin), known, false, true)
            .read();
    if (!pattern) return std::nullopt;
    if (::fnmatch(pattern->c_str(), value.c_str(), 0) == 0) return true;
    begin = end + 3;
  }
  return false;
}

}  // namespace cnplay::plan
