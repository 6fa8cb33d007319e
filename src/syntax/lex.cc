// Characters to raw tokens: drives the generated lexer through its modes and balances the
// brackets, so that neither the newline rules nor the parser ever meet an unbalanced one.
#include <CnplayLexer.h>
#include <antlr4-runtime.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "syntax/tokens.h"

namespace cnplay::syntax {
namespace {

using diag::Diagnostic;
using diag::Span;
using grammar::CnplayLexer;

struct Open {
  char kind;  // ( [ { or $ for an interpolation
  std::uint32_t at;
  std::uint32_t indent;   // of the line it stands on
  bool after_sh = false;  // `sh(`: the text after its `)` is raw
  bool excused = false;   // its closer may have been swallowed by an unclosed text
};
struct Text {
  std::uint32_t at;
  bool raw;
  bool block;
};

class Reader {
 public:
  Reader(const diag::SourceMap::Source& source, const std::string& text, bool by_indentation)
      : source_(source),
        text_(text),
        by_indentation_(by_indentation),
        input_(text),
        lexer_(&input_) {
    lexer_.removeErrorListeners();
    find_lines();
    if (input_.size() != text.size()) {  // not all ASCII: code points to bytes
      bytes_.reserve(input_.size() + 1);
      for (std::uint32_t i = 0; i < text.size(); ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) bytes_.push_back(i);
      }
      bytes_.push_back(static_cast<std::uint32_t>(text.size()));
    }
  }

  void run() {
    while (!too_deep_) {
      const auto t = lexer_.nextToken();
      if (t->getType() == antlr4::Token::EOF) break;
      if (t->getChannel() != antlr4::Token::DEFAULT_CHANNEL) continue;
      take({t->getType(), byte(t->getStartIndex()), byte(t->getStopIndex() + 1)});
    }
    if (too_deep_) {
      out.clear();
    } else {
      finish();
    }
  }

  std::vector<Token> out;
  std::vector<Diagnostic> diags;
  std::vector<std::uint32_t> said;
  bool block_left_open = false;

 private:
  std::uint32_t byte(std::size_t code_point) const {
    return bytes_.empty() ? static_cast<std::uint32_t>(code_point)
                          : bytes_[std::min(code_point, bytes_.size() - 1)];
  }
  Span span(std::uint32_t begin, std::uint32_t end) const {
    return {source_.base + begin, source_.base + end};
  }
  struct LineStart {
    std::uint32_t at;
    std::uint32_t indent;
  };
  // Looked up rather than searched for: a line may be as long as the file.
  const LineStart& line_of(std::uint32_t at) const {
    return *std::prev(std::ranges::upper_bound(lines_, at, {}, &LineStart::at));
  }
  void find_lines() {
    for (std::size_t begin = 0; begin <= text_.size();) {
      const auto first = std::min(text_.find_first_not_of(" \t", begin), text_.size());
      lines_.push_back(
          {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(first - begin)});
      const auto newline = text_.find('\n', first);
      if (newline == std::string::npos) break;
      begin = newline + 1;
    }
  }
  std::uint32_t line_begin(std::uint32_t at) const { return line_of(at).at; }
  std::uint32_t indent(std::uint32_t at) const { return line_of(at).indent; }
  bool first_on_line(std::uint32_t at) const { return indent(at) == at - line_begin(at); }

  Diagnostic& say(std::string code, std::string summary, Span subject, std::string label,
                  std::string help) {
    Diagnostic d;
    d.code = std::move(code);
    d.summary = std::move(summary);
    d.subject = {subject, std::move(label)};
    d.help = std::move(help);
    said.push_back(subject.begin - source_.base);
    diags.push_back(std::move(d));
    return diags.back();
  }

  void insert(std::size_t type, std::uint32_t at) { out.push_back({type, at, at}); }
  std::size_t last() const { return out.empty() ? 0 : out.back().type; }

  void take(Token t);
  void open_text(Token t);
  void single_quoted(Token t);
  void unclosed_text(const Text& text, std::uint32_t limit);
  std::uint32_t likely_end(const Text& text, std::uint32_t limit) const;
  void seek(std::uint32_t at);
  void close_text(Token t);
  void newline(Token t);
  void recover_swallowed(std::uint32_t line_end);
  void open(char kind, Token t);
  void close(char kind, Token t);
  void close_brace(Token t);
  void unclosed_bracket(const Open& open, std::uint32_t at, const char* why);
  void unclosed_block(const Open& open, Span seen, std::string note);
  void statement_inside_brackets();
  void unknown(Token t);
  void finish();
  bool in_interpolation() const {
    return std::ranges::any_of(open_, [](const Open& o) { return o.kind == '$'; });
  }
  static std::size_t closer(char kind) {
    return kind == '('   ? CnplayLexer::RPAREN
           : kind == '[' ? CnplayLexer::RBRACKET
           : kind == '{' ? CnplayLexer::RBRACE
                         : CnplayLexer::INTERP_CLOSE;
  }

  const diag::SourceMap::Source& source_;
  const std::string& text_;
  const bool by_indentation_;
  antlr4::ANTLRInputStream input_;
  CnplayLexer lexer_;
  std::vector<std::uint32_t> bytes_;
  std::vector<LineStart> lines_;
  std::vector<Open> open_;
  std::vector<Text> texts_;
  bool closed_sh_args_ = false;  // the last token is the `)` of `sh(...)`
  bool too_deep_ = false;
};

void Reader::take(Token t) {
  work += 1 + open_.size() / 16;
  const bool after_sh_args = std::exchange(closed_sh_args_, false);
  switch (t.type) {
    case CnplayLexer::QUOTE:
    case CnplayLexer::TRIPLE:
      closed_sh_args_ = after_sh_args;
      return open_text(t);
    case CnplayLexer::STRING_CLOSE:
    case CnplayLexer::SCRIPT_CLOSE:
      return close_text(t);
    case CnplayLexer::INTERP_OPEN:
      open('$', t);
      lexer_.pushMode(CnplayLexer::DEFAULT_MODE);
      return;
    case CnplayLexer::LPAREN:
      return open('(', t);
    case CnplayLexer::LBRACKET:
      return open('[', t);
    case CnplayLexer::LBRACE:
      return open('{', t);
    case CnplayLexer::RPAREN:
      return close('(', t);
    case CnplayLexer::RBRACKET:
      return close('[', t);
    case CnplayLexer::RBRACE:
      return close_brace(t);
    case CnplayLexer::NEWLINE:
      return newline(t);
    case CnplayLexer::UNKNOWN:
      return unknown(t);
    case CnplayLexer::SINGLE_QUOTED:
      single_quoted(t);
      break;
    default:
      break;
  }
  out.push_back(t);
  statement_inside_brackets();
}

void Reader::single_quoted(Token t) {
  const std::string inside = text_.substr(t.begin + 1, t.end - t.begin - 2);
  // `'''text'''` is three of them in a row.
  if (!diags.empty() && diags.back().code == "E0009" &&
      diags.back().subject.span.end == source_.base + t.begin) {
    Diagnostic& d = diags.back();
    d.subject.span.end = source_.base + t.end;
    d.help = "write \"\"\"...\"\"\" for a script or a text of several lines";
    d.edits.clear();
    return;
  }
  auto& d = say("E0009", "texts are written in double quotes", span(t.begin, t.end),
                "single quotes", "write \"" + inside + "\"");
  if (inside.find_first_of("\"\\$") == std::string::npos) {
    d.edits = {{d.subject.span, "\"" + inside + "\""}};
  }
}

void Reader::open_text(Token t) {
  const bool block = t.type == CnplayLexer::TRIPLE;
  const bool dotted = out.size() > 1 && out[out.size() - 2].type == CnplayLexer::DOT;
  const bool raw = closed_sh_args_ || (last() == CnplayLexer::SH && !dotted);
  closed_sh_args_ = false;
  texts_.push_back({t.begin, raw, block});
  t.type = raw ? CnplayLexer::SCRIPT_OPEN : CnplayLexer::STRING_OPEN;
  out.push_back(t);
  lexer_.pushMode(raw ? (block ? CnplayLexer::RAW_BLOCK : CnplayLexer::RAW)
                      : (block ? CnplayLexer::BLOCK : CnplayLexer::STRING));
}

void Reader::close_text(Token t) {
  const Text text = texts_.back();
  // A closing quote that is the first of three: the text before it was never closed.
  if (!text.block && !text.raw && !in_interpolation() && t.begin > text.at + 1 &&
      std::string_view(text_).substr(t.begin).starts_with("\"\"\"") &&
      likely_end(text, t.begin) < t.begin) {
    return unclosed_text(text, t.begin);
  }
  texts_.pop_back();
  lexer_.popMode();
  if (text.block && line_begin(t.begin) > text.at) {
    // A line such as `apply sh """` does not end a text, it begins the next one: then it is the
    // text before that was never closed.
    std::string_view before(text_);
    before = before.substr(line_begin(t.begin), t.begin - line_begin(t.begin));
    while (!before.empty() && (before.back() == ' ' || before.back() == '\t')) {
      before.remove_suffix(1);
    }
    const auto rest = text_.find_first_not_of(" \t\r", t.end);
    const bool ends_line = rest == std::string::npos || text_[rest] == '\n';
    const bool opener =
        before.ends_with(" sh") || before.ends_with("\tsh") || before.ends_with(" =");
    if (opener && ends_line) {
      auto& d = say("E0005", "this text block is never closed", span(text.at, text.at + 3),
                    "opened here", "close it with `\"\"\"` on a line of its own");
      d.notes.push_back({span(t.begin, t.end), "the next text block seems to begin here"});
      const auto begin = line_begin(t.begin);
      while (!out.empty() && out.back().begin >= begin && out.back().begin > text.at)
        out.pop_back();
      if (out.back().end > begin) out.back().end = begin;
      insert(text.raw ? CnplayLexer::SCRIPT_CLOSE : CnplayLexer::STRING_CLOSE, begin);
      insert(CnplayLexer::NEWLINE, begin);
      seek(begin);
      return;
    }
  }
  out.push_back(t);
}

// The lexer reads on from there.
void Reader::seek(std::uint32_t at) {
  lexer_.hitEOF = false;
  input_.seek(bytes_.empty() ? at
                             : static_cast<std::size_t>(std::ranges::lower_bound(bytes_, at) -
                                                        bytes_.begin()));
}

// Where a text that should have ended before `limit` was most likely meant to end; `limit` if
// nothing shows it.
std::uint32_t Reader::likely_end(const Text& text, std::uint32_t limit) const {
  const std::string_view line(text_.data() + text.at + 1, limit - text.at - 1);
  std::size_t best = std::string_view::npos;
  if (!text.raw) {
    // What follows a title.
    static constexpr std::array<std::string_view, 9> after{" { ",      " on ",      " once ",
                                                           " when ",   " timeout ", " outage ",
                                                           " expect ", " serial ",  " tolerate "};
    for (const auto word : after) best = std::min(best, line.find(word));
    const auto last = line.find_last_not_of(" \t\r");
    if (last != std::string_view::npos && last > 0 && line[last] == '{' && line[last - 1] == ' ') {
      best = std::min(best, last - 1);
    }
  }
  if (best != std::string_view::npos) return text.at + 1 + static_cast<std::uint32_t>(best);
  // Brackets at its end that close what is open. A `}` counts for a `{` of the same line.
  std::size_t from = line.size();
  while (from > 0 && std::string_view(")]}, \t\r").find(line[from - 1]) != std::string_view::npos) {
    --from;
  }
  std::size_t depth = open_.size();
  bool closes = false;
  for (std::size_t i = from; i < line.size(); ++i) {
    const char kind = line[i] == ')' ? '(' : line[i] == ']' ? '[' : line[i] == '}' ? '{' : '\0';
    if (kind == '\0') continue;
    if (depth == 0 || open_[depth - 1].kind != kind) break;
    if (kind == '{' && open_[depth - 1].at < line_begin(text.at)) break;
    closes = true;
    --depth;
  }
  return closes ? text.at + 1 + static_cast<std::uint32_t>(from) : limit;
}

// Reports the text, ends it where it was meant to end, and reads on from there.
void Reader::unclosed_text(const Text& text, std::uint32_t limit) {
  const std::uint32_t end = likely_end(text, limit);
  std::string after = text_.substr(end, std::min<std::uint32_t>(limit - end, 12));
  after.erase(0, after.find_first_not_of(" \t"));
  after.erase(after.find_last_not_of(" \t\r") + 1);
  auto& d = say("E0004", "this text is never closed", span(text.at, text.at + 1), "opened here",
                "add the missing `\"`, perhaps before `" + after + "`");
  d.edits = {{span(end, end), "\""}};
  while (!out.empty() && out.back().begin >= end && out.back().begin > text.at) out.pop_back();
  if (out.back().end > end) out.back().end = end;
  insert(text.raw ? CnplayLexer::SCRIPT_CLOSE : CnplayLexer::STRING_CLOSE, end);
  texts_.pop_back();
  lexer_.popMode();
  seek(end);
}

// An interpolation ends on its line, and so does a text in single quotes.
void Reader::newline(Token t) {
  const auto in_text = [this] {
    return lexer_.mode == CnplayLexer::STRING || lexer_.mode == CnplayLexer::RAW;
  };
  if (in_interpolation()) {  // a quote inside it rather closes the text than opens another
    const auto at = std::ranges::find(open_.rbegin(), open_.rend(), '$', &Open::kind)->at;
    say("E0006", "this `${` is never closed", span(at, at + 2), "opened here",
        "an interpolation ends on its line: `\"${name}\"`; write `\\$` for a dollar sign");
  } else if (in_text()) {
    const auto at = texts_.back().at;
    if (likely_end(texts_.back(), t.begin) < t.begin) return unclosed_text(texts_.back(), t.begin);
    say("E0004", "this text is never closed", span(at, at + 1), "opened here",
        "close it with `\"` on the same line, or write `\"\"\"` for a text of several lines");
  } else {
    out.push_back(t);
    return;
  }
  while (!texts_.empty() && (in_text() || in_interpolation())) {
    if (in_text()) {
      insert(texts_.back().raw ? CnplayLexer::SCRIPT_CLOSE : CnplayLexer::STRING_CLOSE, t.begin);
      texts_.pop_back();
      lexer_.popMode();
      continue;
    }
    for (; open_.back().kind != '$'; open_.pop_back()) {
      insert(closer(open_.back().kind), t.begin);
    }
    insert(CnplayLexer::INTERP_CLOSE, t.begin);
    open_.pop_back();
    lexer_.popMode();
    if (texts_.back().block) {  // back in its text: the newline belongs to that
      t.type = CnplayLexer::TEXT;
      out.push_back(t);
      return;
    }
  }
  recover_swallowed(t.begin);
  t.type = CnplayLexer::NEWLINE;
  out.push_back(t);
}

// An unclosed text has swallowed the rest of its line, and with it the `)` of a call.
void Reader::recover_swallowed(std::uint32_t line_end) {
  std::uint32_t from = line_end;
  while (from > 0 && std::string_view(")] ,\t").find(text_[from - 1]) != std::string_view::npos) {
    --from;
  }
  for (auto i = from; i < line_end && !open_.empty(); ++i) {
    const bool closes = (text_[i] == ')' && open_.back().kind == '(') ||
                        (text_[i] == ']' && open_.back().kind == '[');
    if (!closes) continue;
    insert(closer(open_.back().kind), line_end);
    open_.pop_back();
  }
  for (auto open = open_.rbegin(); open != open_.rend(); ++open) {
    if (open->kind == '{') break;
    open->excused = true;
  }
}

void Reader::open(char kind, Token t) {
  const bool after_sh = kind == '(' && last() == CnplayLexer::SH;
  if (open_.size() >= max_nesting) {
    say("E0013", "this is nested too deeply", span(t.begin, t.end),
        "more than " + std::to_string(max_nesting) + " brackets are open here",
        "give the inner parts names with `let`");
    too_deep_ = true;
    return;
  }
  open_.push_back({kind, t.begin, indent(t.begin), after_sh});
  out.push_back(t);
  statement_inside_brackets();
}

void Reader::unclosed_bracket(const Open& open, std::uint32_t at, const char* why) {
  if (open.excused) return;
  const std::string sign(1, open.kind);
  auto& d = say("E0010", "this `" + sign + "` is never closed", span(open.at, open.at + 1),
                "opened here", open.kind == '(' ? "add the missing `)`" : "add the missing `]`");
  if (why != nullptr) d.notes.push_back({span(at, at + 1), why});
}

void Reader::close(char kind, Token t) {
  // Only the brackets within the innermost braces can be meant.
  std::size_t depth = open_.size();
  while (depth > 0 && open_[depth - 1].kind != kind && open_[depth - 1].kind != '{' &&
         open_[depth - 1].kind != '$') {
    --depth;
  }
  if (depth == 0 || open_[depth - 1].kind != kind) {
    const std::string sign = text_.substr(t.begin, 1);
    // Several in a row are one mistake.
    if (!diags.empty() && diags.back().code == "E0012" &&
        diags.back().subject.span.end == source_.base + t.begin) {
      diags.back().subject.span.end = source_.base + t.end;
      diags.back().edits = {{diags.back().subject.span, ""}};
      return;
    }
    auto& d = say("E0012", "this `" + sign + "` closes nothing", span(t.begin, t.end),
                  "nothing is open here",
                  "remove it, or add the missing `" + std::string(1, kind) + "` before it");
    d.edits = {{d.subject.span, ""}};
    return;
  }
  while (open_.size() > depth) {
    unclosed_bracket(open_.back(), t.begin, "this closes a bracket further out");
    insert(closer(open_.back().kind), t.begin);
    open_.pop_back();
  }
  closed_sh_args_ = open_.back().after_sh;
  open_.pop_back();
  out.push_back(t);
}

void Reader::unclosed_block(const Open& open, Span seen, std::string note) {
  auto& d = say("E0011", "this `{` is never closed", span(open.at, open.at + 1), "opened here",
                "add the missing `}`");
  d.notes.push_back({seen, std::move(note)});
}

void Reader::close_brace(Token t) {
  const bool any =
      std::ranges::any_of(open_, [](const Open& o) { return o.kind == '{' || o.kind == '$'; });
  if (!any) {
    auto& d = say("E0012", "this `}` closes nothing", span(t.begin, t.end), "no block is open here",
                  "remove it, or look for a `}` too many above");
    d.edits = {{d.subject.span, ""}};
    return;
  }
  for (bool first = true; open_.back().kind == '(' || open_.back().kind == '['; first = false) {
    if (first) {
      unclosed_bracket(open_.back(), t.begin, "this closes the block around it");
    }
    insert(closer(open_.back().kind), t.begin);
    open_.pop_back();
  }
  if (open_.back().kind == '$') {
    open_.pop_back();
    lexer_.popMode();
    t.type = CnplayLexer::INTERP_CLOSE;
    out.push_back(t);
    return;
  }
  // Some block of this file is never closed: a `}` further left than the line that opened its
  // block shows which.
  while (by_indentation_ && first_on_line(t.begin) && open_.size() > 1 &&
         open_.back().kind == '{' && open_[open_.size() - 2].kind == '{' &&
         open_.back().indent > indent(t.begin)) {
    unclosed_block(open_.back(), span(t.begin, t.end),
                   "going by the indentation, this closes an outer block");
    insert(CnplayLexer::RBRACE, t.begin);
    insert(CnplayLexer::NEWLINE, t.begin);
    open_.pop_back();
  }
  open_.pop_back();
  out.push_back(t);
}

// `(` without its `)` would swallow the statements after it. Two words in a row at the beginning
// of a line, the first of which begins a statement, stand in no pair of brackets.
void Reader::statement_inside_brackets() {
  if (open_.empty() || (open_.back().kind != '(' && open_.back().kind != '[')) return;
  if (out.size() < 3 || out[out.size() - 3].type != CnplayLexer::NEWLINE) return;
  const std::size_t first = out[out.size() - 2].type;
  const std::size_t second = out.back().type;
  const bool starts = (first >= CnplayLexer::USE && first <= CnplayLexer::MEMBERS);
  const bool word = second >= CnplayLexer::TRUE && second <= CnplayLexer::NAME;
  if (!starts || !word || second == CnplayLexer::IN || second == CnplayLexer::AND ||
      second == CnplayLexer::OR || second == CnplayLexer::THEN || second == CnplayLexer::ELSE) {
    return;
  }
  const Token a = out[out.size() - 2], b = out[out.size() - 1];
  out.resize(out.size() - 3);
  const std::uint32_t at = out.empty() ? 0 : out.back().end;
  unclosed_bracket(open_.back(), a.begin, "the next statement begins here");
  while (!open_.empty() && (open_.back().kind == '(' || open_.back().kind == '[')) {
    insert(closer(open_.back().kind), at);
    open_.pop_back();
  }
  insert(CnplayLexer::NEWLINE, at);
  out.push_back(a);
  out.push_back(b);
}

void Reader::unknown(Token t) {
  const std::string sign = text_.substr(t.begin, t.end - t.begin);
  static constexpr std::array<std::pair<std::string_view, const char*>, 7> known{{
      {";", "a newline ends a statement"},
      {"\xE2\x80\x9C", "write texts in straight quotes: \"...\""},
      {"\xE2\x80\x9D", "write texts in straight quotes: \"...\""},
      {"\xC2\xA0", "this is a no-break space: replace it by a plain one"},
      {"'", "write texts in double quotes: \"...\""},
      {"$", "in expressions write the name alone; `${name}` is for texts"},
      {"!", "write `not`"},
  }};
  std::string help;
  const auto found = std::ranges::find(known, sign, [](const auto& k) { return k.first; });
  if (found != known.end()) {
    help = found->second;
  } else if (static_cast<unsigned char>(sign[0]) >= 0x80) {
    help = "names are made of the letters a to z, digits and `_`; other characters are for texts";
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> replacements{{
      {";", "\n"},
      {"\xE2\x80\x9C", "\""},
      {"\xE2\x80\x9D", "\""},
      {"\xC2\xA0", " "},
      {"!", "not "},
  }};
  const auto instead = std::ranges::find(replacements, sign, [](const auto& r) { return r.first; });
  const auto edit = [&](Diagnostic& d) {
    if (instead == replacements.end()) return;
    d.edits.push_back({span(t.begin, t.end), std::string(instead->second)});
  };
  // Several on a line are one mistake.
  if (!diags.empty() && diags.back().code == "E0003") {
    Span& at = diags.back().subject.span;
    if (at.end == source_.base + t.begin) at.end = source_.base + t.end;
    if (line_begin(at.begin - source_.base) == line_begin(t.begin)) return edit(diags.back());
  }
  const bool control = static_cast<unsigned char>(sign[0]) < 0x20;
  const std::string shown = sign == "\xC2\xA0" ? "U+00A0" : sign;
  edit(say("E0003", control ? "a control character" : "`" + shown + "` means nothing here",
           span(t.begin, t.end), "unexpected character", help));
}

void Reader::finish() {
  const auto end = static_cast<std::uint32_t>(text_.size());
  const Span at_end = span(end, end);
  bool quiet = false;  // what is open because a text is, is no mistake of its own
  if (!texts_.empty()) {
    if (in_interpolation() || !texts_.back().block) {
      newline({CnplayLexer::NEWLINE, end, end});
    }
    if (!texts_.empty() && texts_.back().block) {
      const Text text = texts_.back();
      auto& d = say("E0005", "this text block is never closed", span(text.at, text.at + 3),
                    "opened here", "close it with `\"\"\"` on a line of its own");
      d.notes.push_back({at_end, "the file ends here"});
      quiet = true;
      insert(text.raw ? CnplayLexer::SCRIPT_CLOSE : CnplayLexer::STRING_CLOSE, end);
      texts_.pop_back();
    }
  }
  while (!open_.empty()) {
    const Open open = open_.back();
    if (open.kind == '{') {
      block_left_open = !quiet;
      if (!quiet) unclosed_block(open, at_end, "the file ends here");
      insert(CnplayLexer::NEWLINE, end);
    } else if (open.kind != '$' && !quiet) {
      unclosed_bracket(open, end, "the file ends here");
    }
    quiet = true;  // one for all that is open here
    insert(closer(open.kind), end);
    if (open.kind == '$') {
      insert(CnplayLexer::STRING_CLOSE, end);
      if (!texts_.empty()) texts_.pop_back();
    }
    open_.pop_back();
  }
  insert(CnplayLexer::NEWLINE, end);
}

}  // namespace

TokenList lex(const diag::SourceMap::Source& source, const std::string& text,
              diag::Diagnostics& diags) {
  std::optional<Reader> reader;
  reader.emplace(source, text, false);
  reader->run();
  if (reader->block_left_open) {
    // Find out which, by the indentation; that is a guess worth making only now.
    reader.emplace(source, text, true);
    reader->run();
  }
  for (auto& d : reader->diags) diags.add(std::move(d));
  return shape(source, text, reader->out, reader->said, diags);
}

}  // namespace cnplay::syntax
