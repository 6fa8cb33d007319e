// The room's own (it shows ANTLR): what the parser does about a syntax error. One diagnostic for a
// statement, then the rest of that statement is left out; blocks inside it are still read.
#pragma once

#include <CnplayParser.h>
#include <antlr4-runtime.h>

#include <optional>

#include "diag/diagnostic.h"
#include "diag/source.h"
#include "syntax/tokens.h"

namespace cnplay::syntax {

// An error as the parser met it.
struct SyntaxError {
  grammar::CnplayParser& parser;
  const antlr4::ParserRuleContext* context;  // the rule it happened in
  std::size_t at;                            // the index of the token that does not fit
  antlr4::misc::IntervalSet expected;        // what would have fitted
};

// Puts the error into words (wording.cc).
diag::Diagnostic describe(const SyntaxError& error, const diag::SourceMap::Source& source,
                          const std::string& text, const TokenList& list);

class Recovery final : public antlr4::DefaultErrorStrategy {
 public:
  Recovery(const diag::SourceMap::Source& source, const std::string& text, TokenList& list,
           diag::Diagnostics& diags)
      : source_(source), text_(text), list_(list), diags_(diags) {}

  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& e) override;
  void recover(antlr4::Parser* parser, std::exception_ptr e) override;
  antlr4::Token* recoverInline(antlr4::Parser* parser) override;
  void sync(antlr4::Parser* parser) override;

 private:
  using P = grammar::CnplayParser;

  void report(antlr4::Parser* parser, std::size_t at, antlr4::misc::IntervalSet expected);
  void skip_statement(P& parser, bool parse_blocks);
  void skip_braces(P& parser);

  const diag::SourceMap::Source& source_;
  const std::string& text_;
  TokenList& list_;
  diag::Diagnostics& diags_;
};

}  // namespace cnplay::syntax
