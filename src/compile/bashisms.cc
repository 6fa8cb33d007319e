#include "compile/bashisms.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace cnplay::compile {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
// What ends an unquoted word.
bool ends_word(char c) {
  return is_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|' || c == '<' || c == '>' ||
         c == '(' || c == ')';
}

struct Command {
  std::string_view name;
  std::string_view help;
  std::string_view instead;
};
constexpr std::array kCommands{
    Command{"[[", "write `[ ... ]`, with each value in double quotes", ""},
    Command{"source", "write `. ./FILE`, with a `/` in the path", "."},
    Command{"function", "write `NAME() { ... }`", ""},
    Command{"declare", "assign the variable: `NAME=value`", ""},
    Command{"typeset", "assign the variable: `NAME=value`", ""},
    Command{"shopt", "there is no such option in sh", ""},
    Command{"pushd", "write `cd DIR` in a subshell: `( cd DIR && ... )`", ""},
    Command{"popd", "write `cd DIR` in a subshell: `( cd DIR && ... )`", ""},
    Command{"mapfile", "read lines: `while IFS= read -r line; do ... done < FILE`", ""},
    Command{"readarray", "read lines: `while IFS= read -r line; do ... done < FILE`", ""},
    Command{"let", "write `x=$((x + 1))`", ""},
    Command{"select", "scripts have no terminal to ask on", ""},
};
constexpr std::array<std::string_view, 9> kBefore{"if",    "then", "elif", "else", "while",
                                                  "until", "do",   "!",    "{"};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::vector<Bashism> run() {
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }

  void say(std::string_view form, std::string_view help, std::string_view instead = {}) {
    const bool known = std::ranges::any_of(out_, [&](const Bashism& b) { return b.form == form; });
    if (!known) out_.push_back({at_, std::string(form), std::string(help), std::string(instead)});
  }

  void step() {
    const char c = text_[at_];
    if (c == '\n') {
      ++at_;
      skip_heredocs();
      command_ = true;
    } else if (is_blank(c)) {
      ++at_;
    } else if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (rest().starts_with("<<<")) {
      say("<<<", "write `printf '%s\\n' TEXT | COMMAND`");
      at_ += 3;
    } else if (rest().starts_with("<<")) {
      heredoc();
    } else if (rest().starts_with("&>")) {
      say("&>", "write `> FILE 2>&1`");
      at_ += 2;
    } else if (rest().starts_with("|&")) {
      say("|&", "write `2>&1 |`", "2>&1 |");
      at_ += 2;
      command_ = true;
    } else if (rest().starts_with("<(") || rest().starts_with(">(")) {
      say(rest().substr(0, 2), "write the output to a file first: `x=$(mktemp)`");
      at_ += 2;
      command_ = true;
    } else if (rest().starts_with("((") && command_) {
      say("((", "write `[ $((EXPRESSION)) -ne 0 ]`, or `x=$((EXPRESSION))`");
      at_ += 2;
    } else if (c == ';' || c == '&' || c == '|' || c == '(' || c == ')') {
      ++at_;
      command_ = true;
      test_ = false;
    } else if (c == '<' || c == '>') {
      ++at_;
    } else {
      word();
    }
  }

  void word() {
    const std::size_t begin = at_;
    bool plain = true;  // no quotes, no expansions
    while (at_ < text_.size() && !ends_word(text_[at_])) {
      const char c = text_[at_];
      if (c == '\\') {
        at_ = std::min(at_ + 2, text_.size());
        plain = false;
      } else if (c == '\'') {
        at_ = std::min(text_.find('\'', at_ + 1), text_.size() - 1) + 1;
        plain = false;
      } else if (c == '"') {
        quoted();
        plain = false;
      } else if (c == '$' || c == '`') {
        expansion();
        plain = false;
      } else {
        ++at_;
      }
    }
    const std::string_view written = text_.substr(begin, at_ - begin);
    const std::size_t end = std::exchange(at_, begin);
    judge(written, plain, end);
    at_ = end;
  }

  void judge(std::string_view written, bool plain, std::size_t end) {
    const bool first = std::exchange(command_, false);
    if (test_ && written == "==") say("==", "write `=`", "=");
    if (first) {
      test_ = written == "[" || written == "test";
      const auto known = std::ranges::find(kCommands, written, &Command::name);
      if (plain && known != kCommands.end()) say(known->name, known->help, known->instead);
      if (std::ranges::find(kBefore, written) != kBefore.end()) command_ = true;
      // `x=1 command`, and `x=(a b)`.
      const auto equals = written.find('=');
      const bool assigns = equals != std::string_view::npos && equals > 0 &&
                           std::ranges::all_of(written.substr(0, equals),
                                               [](char c) { return is_name(c) || c == '+'; });
      if (assigns) {
        command_ = true;
        if (equals + 1 == written.size() && end < text_.size() && text_[end] == '(') {
          say(text_.substr(at_, written.size() + 1),
              "there are no arrays: write `set -- A B`, and read `\"$@\"`");
        } else if (written[equals - 1] == '+') {
          say(written.substr(0, equals + 1), "write `x=\"${x}...\"`");
        }
      }
      setting_ = written == "set";
    } else if (setting_ && written == "pipefail") {
      say("pipefail", "not every `sh` has it: let each command write to a file, or use two steps");
    }
    const std::size_t dots = written.find("..");
    if (plain && written.starts_with("{") && written.ends_with("}") &&
        dots != std::string_view::npos) {
      say(written, "write `$(seq FIRST LAST)`");
    }
  }

  // Inside of double quotes: expansions alone.
  void quoted() {
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        at_ = std::min(at_ + 2, text_.size());
      } else if (text_[at_] == '$') {
        expansion();
      } else {
        ++at_;
      }
    }
    if (at_ < text_.size()) ++at_;
  }

  void expansion() {
    if (rest().starts_with("$'"))
      say("$'", "write the characters themselves, or `$(printf '\\t')`");
    if (rest().starts_with("$(")) {
      // Its commands are read as those around it.
      const bool arithmetic = rest().starts_with("$((");
      at_ += 2;
      const bool outer = std::exchange(command_, !arithmetic);
      std::size_t depth = 1;
      while (at_ < text_.size() && depth > 0) {
        if (text_[at_] == '(') ++depth;
        if (text_[at_] == ')' && --depth == 0) break;
        if (arithmetic) {
          ++at_;
        } else {
          step();
        }
      }
      if (at_ < text_.size()) ++at_;
      command_ = outer;
      return;
    }
    if (rest().starts_with("${")) {
      std::size_t end = at_ + 2;
      while (end < text_.size() && is_name(text_[end])) ++end;
      const std::string_view after = text_.substr(std::min(end, text_.size()));
      if (end > at_ + 2) {
        const auto form = text_.substr(at_, end - at_ + 1);
        if (after.starts_with("[")) say(form, "there are no arrays: `set -- A B`, and `\"$@\"`");
        if (after.starts_with("/")) say(form, "write `$(printf %s \"$x\" | sed 's/A/B/')`");
        if (after.starts_with("^") || after.starts_with(","))
          say(form, "write `$(printf %s \"$x\" | tr a-z A-Z)`");
        if (after.starts_with(":") && after.size() > 1 &&
            (std::isdigit(static_cast<unsigned char>(after[1])) != 0 || after[1] == ' ')) {
          say(form, "write `$(printf %s \"$x\" | cut -c1-5)`");
        }
      }
      std::size_t depth = 1;
      at_ += 2;
      while (at_ < text_.size() && depth > 0) {
        if (text_[at_] == '\\') ++at_;
        if (at_ < text_.size() && text_[at_] == '{') ++depth;
        if (at_ < text_.size() && text_[at_] == '}') --depth;
        ++at_;
      }
      at_ = std::min(at_, text_.size());
      return;
    }
    ++at_;
  }

  void heredoc() {
    at_ += 2;
    const bool strip = at_ < text_.size() && text_[at_] == '-';
    if (strip) ++at_;
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    std::string delimiter;
    while (at_ < text_.size() && !ends_word(text_[at_])) {
      const char c = text_[at_++];
      if (c != '\'' && c != '"' && c != '\\') delimiter += c;
    }
    heredocs_.push_back({std::move(delimiter), strip});
  }

  void skip_heredocs() {
    for (const auto& [delimiter, strip] : heredocs_) {
      while (at_ < text_.size()) {
        const std::size_t end = std::min(text_.find('\n', at_), text_.size());
        std::string_view line = text_.substr(at_, end - at_);
        while (strip && line.starts_with('\t')) line.remove_prefix(1);
        at_ = std::min(end + 1, text_.size());
        if (line == delimiter) break;
      }
    }
    heredocs_.clear();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool command_ = true;  // the next word is a command
  bool test_ = false;    // within `[ ... ]`
  bool setting_ = false;
  std::vector<std::pair<std::string, bool>> heredocs_;
  std::vector<Bashism> out_;
};

}  // namespace

std::vector<Bashism> bashisms_in(std::string_view script) { return Reader(script).run(); }

}  // namespace cnplay::compile
