// The second pass over the tokens: see the NOTE in tokens.h.
#include <CnplayLexer.h>
#include <antlr4-runtime.h>

#include <algorithm>
#include <cctype>

#include "syntax/token_kinds.h"
#include "syntax/tokens.h"

namespace cnplay::syntax {
namespace {

using Lexer = grammar::CnplayLexer;

constexpr auto end_of_file = static_cast<std::size_t>(antlr4::Token::EOF);

bool is_modifier(std::size_t type) {
  return (type >= Lexer::ON && type <= Lexer::RESOURCE) || type == Lexer::NOTIFY ||
         type == Lexer::PARALLEL;
}

// Statements with a body: their modifiers may stand on lines of their own.
bool has_header(std::size_t type) {
  switch (type) {
    case Lexer::STEP:
    case Lexer::PHASE:
    case Lexer::PARALLEL:
    case Lexer::HANDLER:
    case Lexer::ROLLBACK:
    case Lexer::MANUAL:
    case Lexer::APPROVE:
    case Lexer::ASK:
    case Lexer::PLAY:
    case Lexer::MODULE:
      return true;
    default:
      return false;
  }
}

// Between two operands, or before one.
bool is_calculation(std::size_t type) {
  switch (type) {
    case Lexer::COALESCE:
    case Lexer::EQ:
    case Lexer::NE:
    case Lexer::LE:
    case Lexer::GE:
    case Lexer::LT:
    case Lexer::GT:
    case Lexer::PLUS:
    case Lexer::MINUS:
    case Lexer::STAR:
    case Lexer::SLASH:
    case Lexer::MOD:
    case Lexer::AMP:
    case Lexer::PIPE:
    case Lexer::AND:
    case Lexer::OR:
    case Lexer::NOT:
    case Lexer::IN:
      return true;
    default:
      return false;
  }
}

// After these an operand stands, so that a word there is a name.
bool wants_operand(std::size_t type) {
  switch (type) {
    case Lexer::LPAREN:
    case Lexer::LBRACKET:
    case Lexer::COLON:
    case Lexer::ASSIGN:
    case Lexer::SPREAD:
    case Lexer::INTERP_OPEN:
    case Lexer::THEN:
      return true;
    default:
      return is_calculation(type);
  }
}

bool is_operator(std::size_t type) {
  return type == Lexer::IF || type == Lexer::ELSE || type == Lexer::DOT || is_calculation(type);
}

bool opens(std::size_t type) {
  return type == Lexer::LPAREN || type == Lexer::LBRACKET || type == Lexer::LBRACE ||
         type == Lexer::INTERP_OPEN;
}
bool closes(std::size_t type) {
  return type == Lexer::RPAREN || type == Lexer::RBRACKET || type == Lexer::RBRACE ||
         type == Lexer::INTERP_CLOSE;
}

class Shaper {
 public:
  Shaper(const diag::SourceMap::Source& source, const std::string& text,
         const std::vector<Token>& in, diag::Diagnostics& diags)
      : source_(source), text_(text), in_(in), diags_(diags) {}

  TokenList run() {
    for (i_ = 0; i_ < in_.size() && !too_long_; ++i_) take(in_[i_]);
    if (too_long_) out_.clear();
    const auto end = static_cast<std::uint32_t>(text_.size());
    if (!out_.empty() && out_.back().type != Lexer::NEWLINE) emit({Lexer::NEWLINE, end, end});
    emit({end_of_file, end, end});
    TokenList list{std::move(out_), std::vector<bool>(statement_ + 1)};
    for (const auto offset : said_) note(list, offset);
    return list;
  }

  void mark(TokenList& list, const std::vector<std::uint32_t>& said) const {
    for (const auto offset : said) note(list, offset);
  }

 private:
  static void note(TokenList& list, std::uint32_t offset) {
    const auto at = std::ranges::lower_bound(list.tokens, offset, {}, &Token::begin);
    if (at != list.tokens.end()) list.reported[at->statement] = true;
  }
  std::size_t last() const {
    if (out_.empty()) return Lexer::NEWLINE;
    return out_.back().type;
  }
  const Token* next_token(bool skip_newlines) const {
    for (std::size_t j = i_ + 1; j < in_.size(); ++j) {
      ++work;
      if (!skip_newlines || in_[j].type != Lexer::NEWLINE) return &in_[j];
    }
    return nullptr;
  }
  bool at_start() const {
    return last() == Lexer::NEWLINE ||
           (last() == Lexer::LBRACE && brackets_.back() == Lexer::LBRACE);
  }

  void take(Token t);
  void newline(Token t);
  bool continues_header(std::size_t next) const;
  bool begins_check(const Token& t) const;
  void word(Token& t);
  void count(std::size_t type, const Token& t);
  bool empty_interpolation(const Token& t);

  void emit(Token t) {
    t.statement = statement_;
    out_.push_back(t);
    const bool braces =
        t.type == Lexer::LBRACE || t.type == Lexer::RBRACE || t.type == Lexer::NEWLINE;
    if (braces && inside_ == 0) ++statement_;
  }

  const diag::SourceMap::Source& source_;
  const std::string& text_;
  const std::vector<Token>& in_;
  diag::Diagnostics& diags_;
  std::vector<Token> out_;
  std::vector<std::uint32_t> said_;
  std::vector<std::size_t> brackets_;
  std::vector<std::size_t> operators_{0};  // per open bracket, since the last comma or newline
  std::size_t operators_sum_ = 0;
  std::size_t inside_ = 0;  // how many ( [ ${ are open
  std::size_t i_ = 0;
  std::uint32_t statement_ = 0;
  bool header_ = false;
  bool too_long_ = false;
};

void Shaper::take(Token t) {
  if (t.type == Lexer::NEWLINE) return newline(t);
  if (t.type == Lexer::INTERP_OPEN && empty_interpolation(t)) return;
  if (t.type == Lexer::NUMBER) {
    const Token* sign = next_token(false);
    if (sign != nullptr && sign->type == Lexer::MOD && sign->begin == t.end) {
      const char after = sign->end < text_.size() ? text_[sign->end] : ' ';
      const bool operand = std::isalnum(static_cast<unsigned char>(after)) != 0 || after == '_' ||
                           after == '"' || after == '(' || after == '[';
      if (!operand) {
        t.type = Lexer::PERCENT;
        t.end = sign->end;
        ++i_;
      }
    }
  }
  if (t.type == Lexer::RBRACE && last() != Lexer::NEWLINE && last() != Lexer::LBRACE &&
      last() != Lexer::COMMA) {
    // The end of the last statement, where that one ends.
    const std::uint32_t at = out_.empty() ? t.begin : out_.back().end;
    emit({Lexer::NEWLINE, at, at});
    operators_sum_ -= operators_.back();
    operators_.back() = 0;
  }
  const bool check = begins_check(t);
  if (is_word(t.type) && !check) word(t);
  if (at_start()) header_ = has_header(t.type);
  if (check) header_ = true;
  if (t.type == Lexer::LBRACE) header_ = false;
  count(t.type, t);
  if (too_long_) return;
  if (opens(t.type)) {
    brackets_.push_back(t.type);
    if (t.type != Lexer::LBRACE) ++inside_;
  } else if (closes(t.type) && !brackets_.empty()) {
    if (brackets_.back() != Lexer::LBRACE) --inside_;
    brackets_.pop_back();
  }
  emit(t);
}

// How deep an expression can become is bounded by its operators: along the open brackets, those
// since the last comma.
void Shaper::count(std::size_t type, const Token& t) {
  const auto reset = [this] {
    operators_sum_ -= operators_.back();
    operators_.back() = 0;
  };
  if (type == Lexer::COMMA) reset();
  if (is_operator(type) || type == Lexer::LPAREN || type == Lexer::LBRACKET) {
    ++operators_.back();
    if (++operators_sum_ > max_operators) {
      diags_.error("E0013", "this expression is too long",
                   {{source_.base + t.begin, source_.base + t.end},
                    "more than " + std::to_string(max_operators) + " operators up to here"},
                   "give its parts names with `let`");
      too_long_ = true;
      return;
    }
  }
  if (opens(type)) operators_.push_back(0);
  if (closes(type) && operators_.size() > 1) {
    reset();
    operators_.pop_back();
  }
}

bool Shaper::empty_interpolation(const Token& t) {
  const Token* next = next_token(false);
  if (next == nullptr || next->type != Lexer::INTERP_CLOSE) return false;
  diags_.error("E0007", "an interpolation without a value",
               {{source_.base + t.begin, source_.base + next->end}, "the braces are empty"},
               "write a name or an expression in it, or `\\$` for a dollar sign");
  said_.push_back(t.begin);
  ++i_;
  return true;
}

void Shaper::newline(Token t) {
  if (!brackets_.empty() && brackets_.back() != Lexer::LBRACE) return;
  // First, for a run of newlines is then walked over once.
  if (last() == Lexer::NEWLINE || last() == Lexer::LBRACE || last() == Lexer::COMMA) return;
  const Token* next = next_token(true);
  const std::size_t following = next == nullptr ? end_of_file : next->type;
  if (following == Lexer::LBRACE || following == Lexer::ELSE || following == Lexer::RBRACE) return;
  if (header_ && continues_header(following)) return;
  operators_sum_ -= operators_.back();
  operators_.back() = 0;
  // At the end of what came before it, so that "expected ..., found the end of the line" points
  // there and not behind a comment.
  if (!out_.empty()) t.begin = t.end = out_.back().end;
  emit(t);
}

bool Shaper::continues_header(std::size_t next) const {
  if (next == Lexer::STRING_OPEN) return true;
  if (!is_modifier(next) || next == Lexer::NOTIFY || next == Lexer::PARALLEL) return false;
  // `on.call()` is an action; a modifier is never followed by a dot.
  for (std::size_t j = i_ + 1; j + 1 < in_.size(); ++j) {
    ++work;
    if (in_[j].type != Lexer::NEWLINE) return in_[j + 1].type != Lexer::DOT;
  }
  return true;
}

// `let todo = check on web { ... }`; elsewhere behind a `=` it is a name like any other.
bool Shaper::begins_check(const Token& t) const {
  if (t.type != Lexer::CHECK || last() != Lexer::ASSIGN) return false;
  const Token* next = next_token(true);
  if (next == nullptr) return false;
  const bool same_line = next == next_token(false);
  return next->type == Lexer::LBRACE || (same_line && is_modifier(next->type));
}

void Shaper::word(Token& t) {
  const Token* next = next_token(false);
  const std::size_t after = next == nullptr ? end_of_file : next->type;
  if (after == Lexer::COLON) {
    t.type = Lexer::FIELD;
  } else if (last() == Lexer::DOT) {
    t.type = Lexer::NAME;
  } else if (!is_reserved(t.type) &&
             ((at_start() && after == Lexer::DOT) || wants_operand(last()))) {
    t.type = Lexer::NAME;
  } else if (!is_reserved(t.type) && last() == Lexer::COMMA && inside_ != 0) {
    t.type = Lexer::NAME;
  }
}

}  // namespace

TokenList shape(const diag::SourceMap::Source& source, const std::string& text,
                const std::vector<Token>& raw, const std::vector<std::uint32_t>& said,
                diag::Diagnostics& diags) {
  Shaper shaper(source, text, raw, diags);
  TokenList list = shaper.run();
  shaper.mark(list, said);
  return list;
}

}  // namespace cnplay::syntax
