// Syntax errors in words: what was found, what may stand there (in words of the language), where
// exactly, and how to mend it.
#include <algorithm>
#include <utility>

#include "diag/habits.h"
#include "syntax/recovery.h"
#include "syntax/token_kinds.h"

namespace cnplay::syntax {
namespace {

using diag::Diagnostic;
using diag::Span;
using P = grammar::CnplayParser;

bool is_comparison(std::size_t type) {
  return type == P::EQ || type == P::NE || (type >= P::LE && type <= P::GT) || type == P::IN;
}

class Wording {
 public:
  Wording(const SyntaxError& error, const diag::SourceMap::Source& source, const std::string& text,
          const TokenList& list)
      : error_(error), source_(source), text_(text), tokens_(list.tokens), at_(error.at) {
    first_ = at_;
    while (first_ > 0 && tokens_[first_ - 1].statement == tokens_[at_].statement) --first_;
    rule_ = error.context->getRuleIndex();
    d_.code = "E0021";
    d_.subject.span = span(at_);
  }

  Diagnostic run() {
    if (!same_line() && !modifier_field() && !pause() && !top_level() && !inventory_entry() &&
        !statement_start() && !call() && !equals() && !chain() && !field() && !value() &&
        !block() && !separator() && !word()) {
      generic();
    }
    return std::move(d_);
  }

 private:
  // ---- tokens
  const Token& bad() const { return tokens_[at_]; }
  std::size_t type(std::size_t i) const { return i < tokens_.size() ? tokens_[i].type : 0; }
  std::size_t previous() const { return at_ == 0 ? 0 : tokens_[at_ - 1].type; }
  std::string written(std::size_t i) const {
    return text_.substr(tokens_[i].begin, tokens_[i].end - tokens_[i].begin);
  }
  // Of a text, with all that is in its quotes.
  Span span(std::size_t i) const {
    std::size_t last = i;
    if (tokens_[i].type == P::STRING_OPEN || tokens_[i].type == P::SCRIPT_OPEN) {
      std::size_t depth = 0;
      for (std::size_t j = i; j < tokens_.size(); ++j) {
        const std::size_t each = tokens_[j].type;
        if (each == P::STRING_OPEN || each == P::SCRIPT_OPEN) ++depth;
        if ((each == P::STRING_CLOSE || each == P::SCRIPT_CLOSE) && --depth == 0) {
          last = j;
          break;
        }
      }
    }
    return {source_.base + tokens_[i].begin, source_.base + tokens_[last].end};
  }
  bool expects(std::size_t t) const { return error_.expected.contains(t); }
  bool expects_value() const {
    return expects(P::NUMBER) && expects(P::STRING_OPEN) && expects(P::LBRACKET);
  }
  bool expects_name() const { return expects(P::NAME) && expects(P::STEP); }
  bool at_line_end() const {
    return bad().type == P::NEWLINE || bad().type == antlr4::Token::EOF || bad().begin == bad().end;
  }

  std::string found() const {
    const Token& token = bad();
    if (at_line_end()) {
      return text_.find_first_not_of(" \t\r\n", token.begin) == std::string::npos
                 ? "the end of the file"
                 : "the end of the line";
    }
    switch (token.type) {
      case P::STRING_OPEN:
      case P::SINGLE_QUOTED:
        return "a text";
      case P::SCRIPT_OPEN:
        return "a script";
      case P::NUMBER:
      case P::MEASURE:
      case P::PERCENT:
        return "the number `" + written(at_) + "`";
      default:
        return "`" + written(at_) + "`";
    }
  }

  std::string sign(std::size_t t) const {
    std::string literal = error_.parser.getVocabulary().getLiteralName(t);
    if (literal.size() > 2) literal = "`" + literal.substr(1, literal.size() - 2) + "`";
    return literal;
  }
  std::vector<std::string> expected_words() const {
    std::vector<std::string> out;
    for (const auto t : error_.expected.toList()) {
      const auto name = static_cast<std::size_t>(t);
      if (is_word(name) && name != P::NAME) {
        const auto quoted = sign(name);
        out.push_back(quoted.substr(1, quoted.size() - 2));
      }
    }
    return out;
  }

  static std::vector<std::string> statement_words() {
    return {"owner",   "hosts",      "param",   "let",        "hostvar",  "secret",   "require",
            "lock",    "mode",       "step",    "phase",      "parallel", "sequence", "for",
            "if",      "do",         "wait",    "barrier",    "pivot",    "undo",     "hold",
            "offer",   "on_failure", "always",  "handler",    "notify",   "flush",    "rollback",
            "manual",  "approve",    "ask",     "item",       "evidence", "deadline", "window",
            "report",  "returns",    "needs",   "uses",       "writes",   "reads",    "check",
            "apply",   "verify",     "preview", "preflight",  "native",   "sh",       "tolerate",
            "serial",  "budget",     "sends",   "sends_tree", "renders",  "fetches",  "reboots",
            "touches", "commands",   "env",     "path",       "assert"};
  }

  static std::vector<std::string> modifier_words() {
    return {"on",     "once",     "outage", "timeout", "retry",    "every",   "expect",
            "budget", "tolerate", "serial", "as",      "when",     "late_by", "tags",
            "by",     "default",  "count",  "within",  "resource", "notify",  "parallel"};
  }

  void set(std::string code, std::string summary, std::string label, std::string help = {}) {
    d_.code = std::move(code);
    d_.summary = std::move(summary);
    d_.subject.text = std::move(label);
    d_.help = std::move(help);
  }

  void edit(Span at, std::string text) { d_.edits.push_back({at, std::move(text)}); }
  Span before(std::size_t i) const { return {span(i).begin, span(i).begin}; }

  // ---- cases; each returns whether it applies

  // Something complete stands before the token, on its line.
  bool same_line() {
    if (at_ == 0 || !expects(P::NEWLINE) || at_line_end() || !is_word(bad().type)) return false;
    if (expects(P::LBRACE) || bad().type == P::FIELD) return false;
    const std::string word = written(at_);
    const bool group = rule_ == P::RuleGroupBody || rule_ == P::RuleGroupItem ||
                       rule_ == P::RuleGroupEntry || rule_ == P::RuleHostItem ||
                       rule_ == P::RuleHostBody;
    const bool call =
        bad().type == P::NAME && (type(at_ + 1) == P::DOT || type(at_ + 1) == P::LPAREN) && !group;
    const auto words = group ? std::vector<std::string>{"vars",   "ssh",  "env",   "path",
                                                        "notify", "host", "group", "members"}
                             : statement_words();
    if (!call && std::ranges::find(words, word) == words.end()) return false;
    const auto modifiers = modifier_words();
    if (!group && std::ranges::find(modifiers, word) != modifiers.end()) return false;
    if (word == "undo") {
      set("E0021", "`undo` comes after its step", "it belongs in the step",
          "write it as the last statement of the step's block, on a line of its own");
      return true;
    }
    set("E0021",
        "`" + word + "` is on the same line as the " + (group ? "entry" : "statement") +
            " before it",
        std::string("a new ") + (group ? "entry" : "statement"), "begin a new line before it");
    edit(before(at_), "\n");
    return true;
  }

  // `serial: 1` in a header.
  bool modifier_field() {
    if (bad().type != P::FIELD || at_ == first_ || !expects(P::LBRACE)) return false;
    const std::string word = written(at_);
    const auto words = modifier_words();
    if (std::ranges::find(words, word) != words.end()) {
      set("E0022", "a modifier is written without `:`", "expected `" + word + "` alone",
          "write `" + word + " ...`");
      if (type(at_ + 1) == P::COLON) edit(span(at_ + 1), "");
      return true;
    }
    const std::string habit = diag::keyword_habit(word);
    if (habit.empty()) return false;
    set("E0022", "there is no modifier `" + word + "`", "not a modifier", habit);
    return true;
  }

  // `wait 30s`.
  bool pause() {
    if (type(first_) != P::WAIT || at_ != first_ + 1 || !expects(P::UNTIL)) return false;
    if (is_word(bad().type) && !diag::did_you_mean(written(at_), {"until"}).empty()) return false;
    const bool length = bad().type == P::MEASURE;
    set("E0021", "`wait` waits until a time", "expected `until`",
        "write `wait until now + " + (length ? written(at_) : std::string("30s")) + "`");
    if (length) edit(before(at_), "until now + ");
    return true;
  }

  bool top_level() {
    if (rule_ != P::RuleFile && rule_ != P::RuleTopItem) return false;
    if (at_ != first_) return false;
    const std::string list = "a file holds `use`, `play`, `procedure`, `module` and `inventory`";
    if (!is_word(bad().type)) {
      set("E0027", found() + " is not allowed at the top of a file", "not inside a play", list);
      return true;
    }
    const auto near =
        diag::did_you_mean(written(at_), {"use", "play", "procedure", "module", "inventory"});
    if (bad().type != P::NAME) {
      set("E0027", "`" + written(at_) + "` is outside a play", "not inside any block",
          "put it in a play: `play NAME { ... }`; is there a `}` too many above?");
    } else {
      set("E0027", "`" + written(at_) + "` does not begin anything at the top of a file",
          near.empty() ? "unknown word" : "did you mean `" + near + "`?", list);
    }
    return true;
  }

  bool inventory_entry() {
    const bool group =
        rule_ == P::RuleGroupBody || rule_ == P::RuleGroupItem || rule_ == P::RuleGroupEntry;
    if (!group || at_ != first_) return false;
    if (bad().type == P::FIELD) {
      set("E0020", "the field `" + written(at_) + "` is outside `vars` and `ssh`",
          "not inside a record",
          "write `vars { " + written(at_) + ": ... }` or `ssh { " + written(at_) + ": ... }`");
      return true;
    }
    const auto near = diag::did_you_mean(
        written(at_), {"vars", "ssh", "env", "path", "host", "group", "members", "notify"});
    set("E0020", found() + " does not begin an entry of an inventory",
        near.empty() ? "unknown entry" : "did you mean `" + near + "`?",
        "the entries are `vars`, `ssh`, `env`, `path`, `notify`, `host`, `group` and `members`");
    return true;
  }

  bool statement_start() {
    const bool begin = rule_ == P::RuleBlock || rule_ == P::RuleItem || rule_ == P::RuleStatement;
    const bool action = inside(P::RuleAction) && type(first_) == P::NAME && at_ == first_ + 1;
    if (!action && !(begin && at_ == first_)) return false;
    if (action && bad().type == P::NEWLINE &&
        diag::did_you_mean(written(first_), statement_words()).empty()) {
      return false;  // `reboot` alone: rather an action without its arguments
    }
    const std::size_t first = type(first_);
    d_.subject.span = span(first_);
    const std::string word = written(first_);
    if (first == P::FIELD) {
      std::string habit = diag::keyword_habit(word);
      if (habit.empty() && !diag::module_habit(word).empty()) {
        habit = "an action is a call in a step: " + diag::module_habit(word);
      }
      if (habit.empty()) habit = "to name a value, write `let " + word + " = ...`";
      set("E0020", "the field `" + word + ":` is outside a record", "not a statement", habit);
    } else if (!is_word(first)) {
      at_ = first_;
      std::string help;
      if (first == P::SLASH && type(first_ + 1) == P::SLASH) help = "comments begin with `#`";
      if (first == P::MINUS) {
        help =
            "a play is not YAML: a statement begins with its keyword, as in `step NAME on web { "
            "... "
            "}`";
      }
      set("E0020", "a statement cannot begin with " + found(), "expected a statement", help);
      if (first == P::SLASH && !help.empty()) {
        edit({span(first_).begin, span(first_ + 1).end}, "#");
      }
    } else if (type(first_ + 1) == P::ASSIGN) {
      set("E0020", "`" + word + "` does not begin a statement", "a new name?",
          "to name a value, write `let " + word + " = ...`");
      edit(before(first_), "let ");
    } else if (first == P::ELSE) {
      set("E0020", "this `else` belongs to no `if`", "no `if` before it");
    } else {
      const auto near = diag::did_you_mean(word, statement_words());
      std::string habit = diag::keyword_habit(word);
      if (habit.empty()) habit = diag::module_habit(word);
      if (habit.empty()) habit = "an action is written with its module: `git.rebase(...)`";
      set("E0020", "`" + word + "` does not begin a statement",
          near.empty() ? "unknown statement" : "did you mean `" + near + "`?",
          near.empty() ? habit : "");
    }
    return true;
  }

  // The dotted name before the token.
  std::string path() const {
    std::size_t begin = at_;
    const std::size_t from = type(first_) == P::DO ? first_ + 1 : first_;
    while (begin > from && (type(begin - 1) == P::DOT || is_word(type(begin - 1)))) --begin;
    return text_.substr(tokens_[begin].begin, tokens_[at_ - 1].end - tokens_[begin].begin);
  }

  // Whether the error is in this rule, or in a part of it that is no statement itself.
  bool inside(std::size_t rule) const {
    const antlr4::tree::ParseTree* node = error_.context;
    while (const auto* context = dynamic_cast<const antlr4::ParserRuleContext*>(node)) {
      if (context->getRuleIndex() == rule) return true;
      if (context->getRuleIndex() == P::RuleItem) return false;
      node = context->parent;
    }
    return false;
  }

  // A call without its arguments.
  bool call() {
    if (rule_ != P::RuleArguments || !expects(P::LPAREN)) return false;
    set("E0021", "expected `(`, found " + found(), "the arguments are missing",
        "a call has parentheses, also an empty one: `" + path() + "()`");
    if (at_ > 0) edit({span(at_ - 1).end, span(at_ - 1).end}, "()");
    return true;
  }

  bool equals() {
    if (bad().type == P::EQ && expects(P::ASSIGN)) {
      set("E0024", "`==` compares, but a value is named here", "expected `=`", "write `=`");
      edit(span(at_), "=");
      return true;
    }
    const std::size_t sign_at = type(at_ + 1) == P::ASSIGN ? at_ + 1 : at_;
    if (type(sign_at) != P::ASSIGN || sign_at == 0) return false;
    const std::size_t before = sign_at > 1 ? type(sign_at - 2) : 0;
    const bool behind_name = is_word(type(sign_at - 1));
    const bool argument = behind_name && (before == P::LPAREN || before == P::COMMA);
    const bool in_record =
        behind_name && sign_at == at_ + 1 && expects(P::FIELD) && expects(P::SPREAD);
    bool compares = type(first_) == P::IF || type(first_) == P::REQUIRE ||
                    type(first_) == P::WAIT || expects(P::EQ);
    for (std::size_t i = first_; i < sign_at; ++i) compares = compares || type(i) == P::WHEN;
    if (!argument && !in_record && !compares) return false;
    d_.subject.span = span(sign_at);
    if (argument || in_record) {
      const std::string name = written(sign_at - 1);
      set("E0024",
          std::string(in_record ? "a field" : "an argument") + " is written with `:`, not with `=`",
          "expected `:`", "write `" + name + ": ...`");
      edit(blanks_before(sign_at), ":");
    } else {
      set("E0024", "`=` names a value, but two values are compared here", "expected `==`",
          "write `==`");
      edit(span(sign_at), "==");
    }
    return true;
  }
  // A token with the blanks before it.
  Span blanks_before(std::size_t i) const {
    return {i == 0 ? span(i).begin : span(i - 1).end, span(i).end};
  }

  bool chain() {
    if (!is_comparison(bad().type) || expects(bad().type) || expects_value()) return false;
    std::size_t depth = 0;
    for (std::size_t i = at_; i-- > first_;) {
      if (type(i) == P::RPAREN || type(i) == P::RBRACKET) ++depth;
      if (type(i) == P::LPAREN || type(i) == P::LBRACKET) {
        if (depth == 0) return false;
        --depth;
      }
      if (depth == 0 && is_comparison(type(i))) {
        set("E0026", "comparisons do not chain", "a second comparison",
            "write `a < b and b < c`, or put one of them in parentheses");
        d_.context.push_back({span(i), "the first one"});
        return true;
      }
    }
    return false;
  }

  // A name with `:` is expected.
  bool field() {
    const bool parameter = rule_ == P::RuleProcedure && expects(P::RPAREN) &&
                           (previous() == P::LPAREN || previous() == P::COMMA);
    const bool returned = rule_ == P::RuleReturnsDecl || rule_ == P::RuleReturnsItem;
    if (!parameter && (!expects(P::FIELD) || expects_value() || expects_name())) return false;
    if (!is_word(bad().type)) {
      const bool record = expects(P::SPREAD);
      set("E0021",
          std::string("expected ") + (record ? "a field" : "a name") + ", found " + found(),
          record ? "fields are written `name: value`" : "expected `name: TYPE`");
      return true;
    }
    const std::string name = written(at_);
    const bool typed = !expects(P::SPREAD);
    const std::string keyword =
        typed && is_word(type(first_)) && first_ != at_ ? written(first_) + " " : std::string();
    if (typed) {
      set("E0025", "`" + name + "` has no type", "expected `: TYPE` after this name",
          parameter || returned || keyword.empty()
              ? "write `" + name + ": string`, or another type"
              : "write `" + keyword + name + ": string`, or another type");
    } else {
      set("E0025", "expected `:` after `" + name + "`", "this field has no `:`",
          "fields are written `" + name + ": ...`");
      if (type(at_ + 1) == P::STRING_OPEN || type(at_ + 1) == P::NUMBER || is_word(type(at_ + 1))) {
        edit({span(at_).end, span(at_).end}, ":");
      }
    }
    return true;
  }

  bool value() {
    if (!expects_value()) return false;
    if (bad().type == P::LBRACE && previous() != P::MOD && inside(P::RuleKnownModifier)) {
      set("E0023", "the modifier " + quoted_previous() + " has no value",
          "expected a value before this",
          "for example `timeout 10m`, `retry 2 every 10s`, `on web`, `when ready`");
      return true;
    }
    if (bad().type == P::LBRACE && previous() != P::MOD) {
      set("E0023", "a record is not allowed here", "expected a value",
          "put the record in parentheses, or give it a name with `let`");
      return true;
    }
    std::string help;
    if (bad().type == P::LBRACE || bad().type == P::NEWLINE) {
      // `50 %`: with a space before it, `%` is the remainder.
      if (previous() == P::MOD && at_ > 1 && type(at_ - 2) == P::NUMBER) {
        const std::string percent = written(at_ - 2) + "%";
        set("E0023", "`" + written(at_ - 2) + " %` is not a percentage", "nothing follows `%`",
            "write `" + percent + "`, without a space");
        d_.subject.span = {span(at_ - 2).begin, span(at_ - 1).end};
        edit(d_.subject.span, percent);
        return true;
      }
    }
    if (is_reserved(bad().type)) {
      help =
          "`" + written(at_) + "` is a word of the language; it cannot be a name in an expression";
    } else if (bad().type == P::SLASH && type(at_ + 1) == P::SLASH) {
      help = "comments begin with `#`";
    } else if (bad().type == P::SLASH) {
      help = "paths are written as texts: \"/etc/hosts\"";
    } else if (bad().type == P::AMP || bad().type == P::PIPE) {
      help = bad().type == previous()
                 ? std::string("write `") + (bad().type == P::AMP ? "and" : "or") + "`"
                 : std::string();
      if (!help.empty()) {
        edit({span(at_ - 1).begin, span(at_).end}, bad().type == P::AMP ? "and" : "or");
      }
    } else if (bad().type == P::SPREAD && previous() == P::NUMBER) {
      help = "a list is written out: `[1, 2, 3]`";
    } else if (bad().type == P::NEWLINE && at_ > first_) {
      help = "a newline ends a statement, unless it is inside brackets";
    }
    set("E0023", "expected a value, found " + found(),
        at_ > first_ ? "nothing follows " + quoted_previous() : "expected a value", help);
    if (!at_line_end()) d_.subject.text = "expected a value";
    return true;
  }
  std::string quoted_previous() const { return "`" + written(at_ - 1) + "`"; }

  bool block() {
    if (!expects(P::LBRACE)) return false;
    if (bad().type == antlr4::Token::EOF || at_ == first_) return false;
    const std::string owner = is_word(type(first_)) ? "`" + written(first_) + "`" : "this";
    if (at_line_end()) {
      set("E0022", "expected `{`, found " + found(), "the block of " + owner + " is missing",
          "a block begins with `{` and ends with `}`");
      return true;
    }
    const std::size_t head = type(first_);
    const bool modified = head == P::STEP || head == P::PHASE || head == P::PARALLEL ||
                          head == P::HANDLER || head == P::ROLLBACK;
    std::string label = "expected the block of " + owner;
    std::vector<std::string> others;
    if (modified) {
      label = "expected a modifier, or the `{` of " + owner;
      others = modifier_words();
      if (bad().type == P::COMMA) d_.help = "modifiers are separated by spaces";
    } else if (head == P::UNDO) {
      label = "expected the block of `undo`, or `all`";
      others = {"all"};
    } else if (head == P::ON_FAILURE) {
      label = "expected the block of `on_failure`, or `before pivot` or `after pivot`";
      others = {"before", "after"};
    }
    if (bad().type == P::SPREAD) d_.help = "a list is written out: `[1, 2, 3]`";
    if (modified && bad().type == P::MINUS && is_word(previous()) && is_word(type(at_ + 1)) &&
        tokens_[at_ - 1].end == bad().begin && bad().end == tokens_[at_ + 1].begin) {
      set("E0022", "a name holds no `-`", "in the name of the " + written(first_),
          "names are made of letters, digits and `_`: write `" + written(at_ - 1) + "_" +
              written(at_ + 1) + "`");
      edit(span(at_), "_");
      return true;
    }
    const auto near = is_word(bad().type) ? diag::did_you_mean(written(at_), others) : "";
    if (!near.empty()) label = "did you mean `" + near + "`?";
    set("E0022", "expected `{`, found " + found(), label, d_.help);
    return true;
  }

  bool separator() {
    if (expects(P::COMMA) && (expects(P::RPAREN) || expects(P::RBRACKET))) {
      const std::string close = expects(P::RPAREN) ? "`)`" : "`]`";
      set("E0021", "expected `,` or " + close + ", found " + found(),
          "a comma is missing before this", "arguments and items are separated by commas");
      if (at_line_end()) d_.subject.text = "here";
      return true;
    }
    if (expects(P::COMMA) && expects(P::NEWLINE)) {
      set("E0021", "expected `,` or a new line, found " + found(), "this belongs to the next field",
          "fields are separated by commas or by newlines");
      return true;
    }
    if (rule_ == P::RuleSingle) {
      set("E0021", "expected the end of the value, found " + found(), "this does not belong here");
      return true;
    }
    if (!expects(P::NEWLINE)) return false;
    auto inner = modifier_words();
    inner.insert(inner.end(), {"where", "unless"});
    const auto near = is_word(bad().type) ? diag::did_you_mean(written(at_), inner) : "";
    std::string help = "a statement ends with its line";
    if (bad().type == P::LBRACE) help = "no block belongs to this statement";
    if (bad().type == P::SCRIPT_OPEN) help = "";
    set("E0021", "expected the end of the statement, found " + found(),
        near.empty() ? "this does not belong here" : "did you mean `" + near + "`?", help);
    return true;
  }

  bool word() {
    if (expects(P::SCRIPT_OPEN)) {
      set("E0021", "expected a script, found " + found(), "the text of the script is missing",
          "write `sh \"...\"` or `sh \"\"\"...\"\"\"`");
      return true;
    }
    if (!expects_name()) return false;
    const std::string what = inside(P::RuleType) ? "a type" : "a name";
    set("E0021", "expected " + what + ", found " + found(), "expected " + what);
    if (is_reserved(bad().type)) {
      d_.help = "`" + written(at_) + "` is a word of the language; choose another name";
    } else if (bad().type == P::FIELD) {
      d_.help = "no `:` belongs here";
    } else if (bad().type == P::STRING_OPEN) {
      d_.help = "a name is written without quotes";
    }
    return true;
  }

  void generic() {
    std::vector<std::string> names;
    for (const auto t : error_.expected.toList()) {
      const auto each = static_cast<std::size_t>(t);
      if (each == P::STRING_OPEN) {
        names.push_back("a text");
      } else if (each == P::FIELD) {
        names.push_back("a name with `:`");
      } else if (each == P::NAME) {
        names.push_back("a name");
      } else if (const auto literal = sign(each); !literal.empty()) {
        names.push_back(literal);
      }
    }
    const auto near = is_word(bad().type) ? diag::did_you_mean(written(at_), expected_words()) : "";
    const std::string label =
        near.empty() ? "this does not belong here" : "did you mean `" + near + "`?";
    if (names.empty() || names.size() > 4) {
      set("E0021", found() + " is not allowed here", label);
      return;
    }
    std::string list = names[0];
    for (std::size_t i = 1; i < names.size(); ++i) {
      list += (i + 1 == names.size() ? " or " : ", ") + names[i];
    }
    set("E0021", "expected " + list + ", found " + found(),
        near.empty() ? "expected " + list : label);
  }

  const SyntaxError& error_;
  const diag::SourceMap::Source& source_;
  const std::string& text_;
  const std::vector<Token>& tokens_;
  std::size_t at_;
  std::size_t first_ = 0;
  std::size_t rule_ = 0;
  Diagnostic d_;
};

}  // namespace

Diagnostic describe(const SyntaxError& error, const diag::SourceMap::Source& source,
                    const std::string& text, const TokenList& list) {
  return Wording(error, source, text, list).run();
}

}  // namespace cnplay::syntax
