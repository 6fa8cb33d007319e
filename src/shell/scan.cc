#include "shell/scan.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <deque>

namespace cnplay::shell {
namespace {

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_name_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// After these words comes a command again.
constexpr std::array<std::string_view, 10> kLeaders = {"if",    "then", "elif", "else", "while",
                                                       "until", "do",   "!",    "{",    "exec"};
// Their arguments may be assignments.
constexpr std::array<std::string_view, 3> kDeclarers = {"export", "readonly", "local"};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  ShellScan run() {
    commands('\0');
    // A `)` too many ended it early: go on behind it.
    while (at_ < text_.size()) {
      ++at_;
      commands('\0');
    }
    return std::move(out_);
  }

 private:
  struct Heredoc {
    std::string delimiter;
    bool strip = false;
    bool raw = false;
  };

  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  // What the words of one simple command mean as they come.
  struct Command {
    bool expects_name = true;  // the next word is a command, or an assignment before one
    bool declares = false;     // export, readonly, local
    bool is_for = false;
    bool is_read = false;
    bool is_getopts = false;
    bool is_fact = false;
    std::size_t words = 0;  // behind the command's name
  };

  // Commands up to the closing character (')' or '`'; 0: the end of the text), which is left.
  void commands(char closer) {
    if (++depth_ > 200) {  // nobody writes this: read no further
      at_ = text_.size();
      --depth_;
      return;
    }
    Command command;
    int cases = 0;
    while (at_ < text_.size()) {
      const char c = peek();
      if (c == closer && (c != ')' || cases == 0)) break;
      if (c == ' ' || c == '\t') {
        ++at_;
      } else if (c == '\\' && peek(1) == '\n') {
        at_ += 2;
      } else if (c == '\n') {
        ++at_;
        heredoc_bodies();
        command = {};
      } else if (c == ';' || c == '&' || c == '|' || c == ')') {
        ++at_;  // a `)`: the end of a case's pattern, or one too many
        command = {};
      } else if (c == '(') {
        ++at_;
        commands(')');
        if (peek() == ')') ++at_;
        command = {};
        command.expects_name = true;
      } else if (c == '#') {
        while (at_ < text_.size() && peek() != '\n') ++at_;
      } else if (c == '<' || c == '>') {
        redirection();
      } else {
        word(command, cases, closer);
      }
    }
    --depth_;
  }

  void redirection() {
    if (peek() == '<' && peek(1) == '<') {
      at_ += 2;
      Heredoc doc;
      if (peek() == '-') {
        doc.strip = true;
        ++at_;
      }
      while (peek() == ' ' || peek() == '\t') ++at_;
      while (at_ < text_.size() && !std::isspace(static_cast<unsigned char>(peek())) &&
             std::string_view(";&|()<>").find(peek()) == std::string_view::npos) {
        const char c = text_[at_++];
        if (c == '\\' || c == '\'' || c == '"') {
          doc.raw = true;
          if (c == '\\' && at_ < text_.size()) doc.delimiter += text_[at_++];
          continue;
        }
        doc.delimiter += c;
      }
      heredocs_.push_back(std::move(doc));
      return;
    }
    while (peek() == '<' || peek() == '>' || peek() == '&' || peek() == '|') ++at_;
    while (peek() == ' ' || peek() == '\t') ++at_;
    // The target is a word that is no argument.
    Command target;
    target.expects_name = false;
    int cases = 0;
    if (at_ < text_.size() && std::string_view("\n;()").find(peek()) == std::string_view::npos) {
      word(target, cases, '\0');
    }
  }

  void heredoc_bodies() {
    while (!heredocs_.empty() && at_ < text_.size()) {
      const Heredoc doc = std::move(heredocs_.front());
      heredocs_.pop_front();
      while (at_ < text_.size()) {
        std::size_t end = text_.find('\n', at_);
        if (end == std::string_view::npos) end = text_.size();
        std::string_view line = text_.substr(at_, end - at_);
        if (doc.strip) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
        const bool last = line == doc.delimiter;
        if (!doc.raw && !last) {
          while (at_ < end) expanded_char();
        }
        at_ = std::max(at_, std::min(end + 1, text_.size()));
        if (last) break;
      }
    }
  }

  // One character of a text in which `$`, "`" and `\` have their meaning.
  void expanded_char() {
    if (peek() == '\\') {
      at_ = std::min(at_ + 2, text_.size());
    } else if (peek() == '$') {
      dollar();
    } else if (peek() == '`') {
      backticks();
    } else {
      ++at_;
    }
  }

  void backticks() {
    ++at_;
    commands('`');
    if (peek() == '`') ++at_;
  }

  void single_quotes() {
    const std::size_t end = text_.find('\'', at_ + 1);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
  }

  void double_quotes() {
    ++at_;
    while (at_ < text_.size() && peek() != '"') expanded_char();
    if (at_ < text_.size()) ++at_;
  }

  // One word, of quoted and unquoted pieces. `literal` is its text while it is without expansions.
  void word(Command& command, int& cases, char closer) {
    const std::size_t begin = at_;
    std::string literal;
    bool is_literal = true;
    bool is_quoted = false;
    bool assignment = false;
    while (at_ < text_.size()) {
      const char c = peek();
      if (std::isspace(static_cast<unsigned char>(c)) ||
          std::string_view(";&|()<>").find(c) != std::string_view::npos ||
          (c == '`' && closer == '`')) {
        break;
      }
      if (c == '\'') {
        const std::size_t from = at_ + 1;
        single_quotes();
        literal += text_.substr(from, at_ > from ? at_ - from - 1 : 0);
        is_quoted = true;
      } else if (c == '"') {
        const std::size_t from = at_ + 1;
        double_quotes();
        const std::string_view inside = text_.substr(from, at_ > from ? at_ - from - 1 : 0);
        if (inside.find_first_of("$`\\") != std::string_view::npos) is_literal = false;
        literal += inside;
        is_quoted = true;
      } else if (c == '\\' || c == '$' || c == '`') {
        is_literal = false;
        expanded_char();
      } else {
        if (c == '=' && !assignment && is_literal && !is_quoted && !literal.empty() &&
            is_name_start(literal[0]) && std::ranges::all_of(literal, is_name_char) &&
            (command.expects_name || command.declares)) {
          assignment = true;
          out_.assigned.push_back({literal, begin});
        }
        literal += c;
        ++at_;
      }
    }
    if (at_ == begin) ++at_;  // never stand still
    if (!assignment) finish_word(command, cases, {literal, begin}, is_literal, is_quoted);
  }

  void finish_word(Command& command, int& cases, ShellWord word, bool is_literal, bool is_quoted) {
    if (command.expects_name) {
      if (is_literal && !is_quoted && is_one_of(word.name, kLeaders)) return;
      command.expects_name = false;
      if (!is_literal) return;
      if (word.name == "case" && !is_quoted) ++cases;
      if (word.name == "esac" && !is_quoted && cases > 0) --cases;
      command.declares = is_one_of(word.name, kDeclarers);
      command.is_for = word.name == "for" && !is_quoted;
      command.is_read = word.name == "read";
      command.is_getopts = word.name == "getopts";
      command.is_fact = word.name == "fact";
      out_.commands.push_back(std::move(word));
      return;
    }
    ++command.words;
    const bool is_name = is_literal && !word.name.empty() && is_name_start(word.name[0]) &&
                         std::ranges::all_of(word.name, is_name_char);
    if (command.is_fact && command.words == 1) {
      if (is_name) {
        out_.facts.push_back(std::move(word));
      } else {
        out_.computed_fact = true;
      }
      return;
    }
    if (!is_name) return;
    if ((command.is_for && command.words == 1) || command.is_read ||
        (command.is_getopts && command.words == 2)) {
      out_.assigned.push_back(std::move(word));
    }
  }

  // `$x`, `${...}`, `$(...)`, `$((...))`, `$1`, `$@`.
  void dollar() {
    ++at_;
    const char c = peek();
    if (c == '(' && peek(1) == '(') {
      at_ += 2;
      arithmetic();
    } else if (c == '(') {
      ++at_;
      commands(')');
      if (peek() == ')') ++at_;
    } else if (c == '{') {
      ++at_;
      braces();
    } else if (is_name_start(c)) {
      const std::size_t begin = at_;
      while (is_name_char(peek())) ++at_;
      out_.reads.push_back({std::string(text_.substr(begin, at_ - begin)), begin - 1});
    } else if (c != '\0' &&
               std::string_view("@*#?-$!0123456789").find(c) != std::string_view::npos) {
      ++at_;
    }
  }

  void braces() {
    const std::size_t open = at_ - 2;
    if (peek() == '#' && is_name_start(peek(1))) ++at_;  // ${#x}
    const std::size_t begin = at_;
    while (is_name_char(peek())) ++at_;
    std::string name(text_.substr(begin, at_ - begin));
    if (!name.empty() && is_name_start(name[0])) {
      std::size_t op = at_;
      if (peek() == ':') ++op;
      const char c = op < text_.size() ? text_[op] : '\0';
      if (c == '=') out_.assigned.push_back({name, open});
      if (c == '-' || c == '+' || c == '=') {
        out_.guarded.push_back({std::move(name), open});
      } else {
        out_.reads.push_back({std::move(name), open});
      }
    }
    while (at_ < text_.size() && peek() != '}') {
      if (peek() == '\'') {
        single_quotes();
      } else if (peek() == '"') {
        double_quotes();
      } else {
        expanded_char();
      }
    }
    if (at_ < text_.size()) ++at_;
  }

  void arithmetic() {
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = peek();
      if (c == ')' && depth == 0) {
        at_ = std::min(at_ + (peek(1) == ')' ? 2 : 1), text_.size());
        return;
      }
      if (c == '(') ++depth;
      if (c == ')') --depth;
      if (is_name_start(c)) {
        const std::size_t begin = at_;
        while (is_name_char(peek())) ++at_;
        ShellWord word{std::string(text_.substr(begin, at_ - begin)), begin};
        std::size_t after = at_;
        while (after < text_.size() && text_[after] == ' ') ++after;
        const bool sets = after < text_.size() && text_[after] == '=' &&
                          (after + 1 >= text_.size() || text_[after + 1] != '=');
        (sets ? out_.assigned : out_.reads).push_back(std::move(word));
      } else if (std::isdigit(static_cast<unsigned char>(c))) {
        while (is_name_char(peek())) ++at_;  // 0x1f
      } else if (c == '$' || c == '`' || c == '\\') {
        expanded_char();
      } else {
        ++at_;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::deque<Heredoc> heredocs_;
  ShellScan out_;
};

constexpr std::array<std::string_view, 11> kGranted = {
    "HOME", "PATH", "PWD", "OLDPWD", "IFS", "PPID", "OPTARG", "OPTIND", "LC_ALL", "nl", "preview"};

}  // namespace

ShellScan scan_shell(std::string_view text) { return Scanner(text).run(); }

std::vector<ShellName> free_names(std::string_view script) {
  const ShellScan scan = scan_shell(script);
  std::vector<ShellName> out;
  for (const auto& read : scan.reads) {
    const bool own = std::ranges::any_of(
        scan.assigned, [&](const ShellWord& word) { return word.name == read.name; });
    if (!own && !is_one_of(read.name, kGranted)) out.push_back({read.name, read.offset});
  }
  std::ranges::sort(out, {}, &ShellName::offset);
  return out;
}

std::vector<std::string> assigned_names(std::string_view script) {
  std::vector<std::string> out;
  for (auto& word : scan_shell(script).assigned) out.push_back(std::move(word.name));
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace cnplay::shell
