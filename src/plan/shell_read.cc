// Reading a shell text: recursive descent, as the grammar of POSIX has it.
#include <algorithm>
#include <array>
#include <utility>

#include "plan/shell_tree.h"

namespace cnplay::plan {
namespace {

constexpr int kDeepestCommand = 60;  // of commands inside of commands

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name(char c) { return is_name_start(c) || (c >= '0' && c <= '9'); }
bool ends_word(char c) {
  return is_blank(c) || std::string_view("\n;&|<>()").find(c) != std::string_view::npos;
}

class ShellReader {
 public:
  explicit ShellReader(std::string_view text) : text_(text) {}

  std::optional<ShellList> read() {
    ShellList list = commands();
    if (at_ < text_.size() || !pending_.empty()) broken_ = true;
    if (broken_) return std::nullopt;
    take_bodies(list);
    return list;
  }

 private:
  // --- characters
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool at_text(std::string_view what) const { return text_.substr(at_, what.size()) == what; }
  void advance(std::size_t n) { at_ = std::min(at_ + n, text_.size()); }
  // Nothing is read any more: every loop ends at the end of the text.
  void give_up() {
    broken_ = true;
    at_ = text_.size();
  }

  void blanks() {
    for (;;) {
      if (is_blank(peek())) {
        advance(1);
      } else if (at_text("\\\n")) {
        advance(2);
      } else if (peek() == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') advance(1);
      } else {
        return;
      }
    }
  }
  void line_end() {
    advance(1);
    for (const auto& [delimiter, strip] : std::exchange(pending_, {})) {
      std::string body;
      for (bool closed = false; !closed;) {
        if (at_ >= text_.size()) return give_up();
        const std::size_t end = std::min(text_.find('\n', at_), text_.size());
        std::string line(text_.substr(at_, end - at_));
        at_ = std::min(end + 1, text_.size());
        std::string bare = line;
        if (strip) bare.erase(0, std::min(bare.find_first_not_of('\t'), bare.size()));
        closed = bare == delimiter;
        body += line + "\n";
      }
      bodies_.push_back(std::move(body));
    }
  }
  void blank_lines() {
    for (blanks(); peek() == '\n' && at_ < text_.size(); blanks()) line_end();
  }

  // --- words
  // The position behind what begins at at_, in the given quoting.
  void skip_quoted() {
    const char quote = text_[at_];
    advance(1);
    while (at_ < text_.size() && text_[at_] != quote) {
      if (quote == '"') {
        step(true);
      } else {
        advance(1);
      }
    }
    if (at_ >= text_.size()) return give_up();
    advance(1);
  }
  // One character, escape, quote or expansion.
  void step(bool in_double) {
    const char c = peek();
    if (c == '\\') {
      advance(2);
    } else if (c == '"' || (c == '\'' && !in_double)) {
      skip_quoted();
    } else if (c == '`') {
      give_up();  // the old form of $( ): quoted by rules of its own
    } else if (at_text("$((")) {
      advance(3);
      for (int depth = 0; depth > 0 || !at_text("))");) {
        if (at_ >= text_.size()) return give_up();
        if (peek() == '(') ++depth;
        if (peek() == ')') --depth;
        at_text("$") ? expansion() : advance(1);
      }
      advance(2);
    } else if (c == '$') {
      expansion();
    } else {
      advance(1);
    }
  }
  void expansion() {
    if (at_text("$(") && !at_text("$((")) {
      advance(2);
      nested();
    } else if (at_text("${")) {
      if (++depth_ > kDeepestCommand) return give_up();
      advance(2);
      while (peek() != '}') {
        if (at_ >= text_.size()) return give_up();
        step(false);
      }
      advance(1);
      --depth_;
    } else {
      advance(1);
    }
  }
  // Behind `$(`: commands up to their `)`.
  void nested() {
    if (++depth_ > kDeepestCommand) return give_up();
    const auto before = bodies_.size();
    commands();
    --depth_;
    if (peek() != ')' || bodies_.size() != before) return give_up();
    advance(1);
  }
  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !ends_word(text_[at_])) step(false);
    return std::string(text_.substr(begin, at_ - begin));
  }
  // A word that comes next, without taking it.
  std::string_view next_word() {
    blanks();
    std::size_t end = at_;
    while (end < text_.size() && !ends_word(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  bool take_word(std::string_view wanted) {
    if (next_word() != wanted) return false;
    advance(wanted.size());
    return true;
  }
  void expect_word(std::string_view wanted) {
    blank_lines();
    if (!take_word(wanted)) give_up();
  }

  // --- commands
  bool ends_list() {
    static constexpr std::array<std::string_view, 8> kEnds{"then", "elif", "else", "fi",
                                                           "do",   "done", "esac", "}"};
    if (at_ >= text_.size() || peek() == ')' || at_text(";;")) return true;
    const auto next = next_word();
    return std::find(kEnds.begin(), kEnds.end(), next) != kEnds.end();
  }
  ShellList commands() {
    ShellList list;
    if (++depth_ > kDeepestCommand) give_up();
    for (blank_lines(); !broken_ && !ends_list(); blank_lines()) {
      list.push_back(and_or());
      blanks();
      if (at_text(";;")) break;
      if (peek() == '&') give_up();
      if (peek() == ';') advance(1);
    }
    --depth_;
    return list;
  }
  ShellCommand and_or() {
    ShellCommand first = pipeline();
    blanks();
    if (!at_text("&&") && !at_text("||")) return first;
    ShellCommand out;
    out.kind = ShellKind::and_or;
    out.lists.push_back({std::move(first)});
    while (!broken_ && (at_text("&&") || at_text("||"))) {
      out.labels.emplace_back(text_.substr(at_, 2));
      advance(2);
      blank_lines();
      out.lists.push_back({pipeline()});
      blanks();
    }
    return out;
  }
  ShellCommand pipeline() {
    ShellCommand out;
    out.kind = ShellKind::pipeline;
    out.negated = take_word("!");
    blanks();
    out.lists.push_back({command()});
    for (blanks(); !broken_ && peek() == '|' && peek(1) != '|'; blanks()) {
      advance(1);
      blank_lines();
      out.lists.push_back({command()});
    }
    if (out.lists.size() > 1 || out.negated) return out;
    ShellCommand single = std::move(out.lists[0][0]);
    return single;
  }
  ShellCommand command() {
    ShellCommand out;
    blanks();
    if (peek() == '(') {
      out.kind = ShellKind::subshell;
      advance(1);
      out.lists.push_back(commands());
      if (peek() != ')') give_up();
      advance(1);
    } else if (take_word("{")) {
      out.kind = ShellKind::group;
      out.lists.push_back(commands());
      expect_word("}");
    } else if (take_word("if")) {
      out.kind = ShellKind::if_;
      do {
        out.lists.push_back(commands());
        expect_word("then");
        out.lists.push_back(commands());
      } while (!broken_ && take_word("elif"));
      if (take_word("else")) out.lists.push_back(commands());
      expect_word("fi");
    } else if (next_word() == "while" || next_word() == "until") {
      out.kind = ShellKind::while_;
      out.words.push_back(word());
      out.lists.push_back(commands());
      expect_word("do");
      out.lists.push_back(commands());
      expect_word("done");
    } else if (take_word("for")) {
      for_loop(out);
    } else if (take_word("case")) {
      case_of(out);
    } else {
      simple(out);
      return out;
    }
    for (blanks(); redirect(out); blanks()) {
    }
    return out;
  }
  void for_loop(ShellCommand& out) {
    out.kind = ShellKind::for_;
    blanks();
    out.words.push_back(word());
    if (!take_word("in")) return give_up();
    for (blanks(); !broken_ && peek() != ';' && peek() != '\n'; blanks()) {
      if (ends_word(peek())) return give_up();
      out.words.push_back(word());
    }
    if (peek() == ';') advance(1);
    expect_word("do");
    out.lists.push_back(commands());
    expect_word("done");
  }
  void case_of(ShellCommand& out) {
    out.kind = ShellKind::case_;
    blanks();
    out.words.push_back(word());
    expect_word("in");
    for (blank_lines(); !broken_ && !take_word("esac"); blank_lines()) {
      if (peek() == '(') advance(1);
      std::string patterns;
      for (blanks(); !broken_ && peek() != ')'; blanks()) {
        if (peek() == '|') {
          advance(1);
          patterns += " | ";
        } else if (at_ >= text_.size() || ends_word(peek())) {
          return give_up();
        } else {
          patterns += word();
        }
      }
      advance(1);
      out.labels.push_back(std::move(patterns));
      out.lists.push_back(commands());
      blank_lines();
      if (at_text(";;")) {
        advance(2);
      } else if (next_word() != "esac") {
        return give_up();
      }
    }
  }
  void simple(ShellCommand& out) {
    for (blanks(); !broken_; blanks()) {
      if (redirect(out)) continue;
      if (at_ >= text_.size() || (ends_word(peek()) && peek() != '(')) break;
      if (peek() == '(') {
        if (out.words.size() != 1 || peek(1) != ')') return give_up();
        advance(2);
        blank_lines();
        if (++depth_ > kDeepestCommand) return give_up();
        out.kind = ShellKind::function;
        out.lists.push_back({command()});
        --depth_;
        return;
      }
      out.words.push_back(word());
    }
    if (out.words.empty() && out.redirects.empty()) give_up();
  }
  bool redirect(ShellCommand& out) {
    std::size_t digits = 0;
    while (peek(digits) >= '0' && peek(digits) <= '9') ++digits;
    if (peek(digits) != '<' && peek(digits) != '>') return false;
    ShellRedirect r;
    for (const std::string_view op : {"<<-", "<<", ">>", "<&", ">&", "<>", ">|", "<", ">"}) {
      if (text_.substr(at_ + digits, op.size()) != op) continue;
      r.op = std::string(text_.substr(at_, digits + op.size()));
      advance(digits + op.size());
      break;
    }
    blanks();
    r.target = word();
    if (r.target.empty()) give_up();
    if (r.op.find("<<") != std::string::npos) {
      std::string delimiter;
      for (const char c : r.target) {
        if (c != '\'' && c != '"' && c != '\\') delimiter += c;
      }
      pending_.push_back({delimiter, r.op.back() == '-'});
    }
    out.redirects.push_back(std::move(r));
    return true;
  }

  // The bodies of here-documents were met in the order of their redirections.
  void take_bodies(ShellList& list) {
    for (ShellCommand& c : list) {
      for (ShellList& inner : c.lists) take_bodies(inner);
      for (ShellRedirect& r : c.redirects) {
        if (r.op.find("<<") != std::string::npos && next_body_ < bodies_.size()) {
          r.body = bodies_[next_body_++];
        }
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool broken_ = false;
  std::vector<std::pair<std::string, bool>> pending_;  // here-documents: delimiter, `<<-`
  std::vector<std::string> bodies_;
  std::size_t next_body_ = 0;
};

}  // namespace

std::optional<ShellList> read_shell(std::string_view text) {
  std::string whole(text);
  if (whole.empty() || whole.back() != '\n') whole += '\n';
  return ShellReader(whole).read();
}

std::size_t assignment_length(std::string_view word) {
  if (word.empty() || !is_name_start(word[0])) return 0;
  std::size_t n = 1;
  while (n < word.size() && is_name(word[n])) ++n;
  return n < word.size() && word[n] == '=' ? n : 0;
}

}  // namespace cnplay::plan
