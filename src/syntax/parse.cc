#include "syntax/parse.h"

#include <CnplayLexer.h>
#include <CnplayParser.h>
#include <antlr4-runtime.h>

#include <utility>

#include "syntax/builder.h"
#include "syntax/recovery.h"
#include "syntax/tokens.h"

namespace cnplay::syntax {
namespace {

using grammar::CnplayParser;

std::vector<std::unique_ptr<antlr4::Token>> as_antlr(const TokenList& list) {
  std::vector<std::unique_ptr<antlr4::Token>> out;
  out.reserve(list.tokens.size());
  for (std::size_t i = 0; i < list.tokens.size(); ++i) {
    const Token& token = list.tokens[i];
    auto made = std::make_unique<antlr4::CommonToken>(token.type);
    made->setStartIndex(token.begin);
    made->setStopIndex(token.end);
    made->setTokenIndex(i);
    out.push_back(std::move(made));
  }
  return out;
}

// Tokens to context tree, in two stages: fast, and if that fails, thorough and with diagnostics.
class Parse {
 public:
  Parse(const diag::SourceMap::Source& source, diag::Diagnostics& diags)
      : source_(source),
        diags_(diags),
        text(clean(source, diags)),
        list_(lex(source, text, diags)),
        token_source_(as_antlr(list_)),
        stream_(&token_source_),
        parser_(&stream_) {}

  template <class Rule>
  auto* run(Rule rule) {
    using antlr4::atn::ParserATNSimulator;
    using antlr4::atn::PredictionMode;
    parser_.removeErrorListeners();
    parser_.getInterpreter<ParserATNSimulator>()->setPredictionMode(PredictionMode::SLL);
    parser_.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
    try {
      return (parser_.*rule)();
    } catch (const antlr4::ParseCancellationException&) {
      parser_.reset();
      stream_.seek(0);
      parser_.getInterpreter<ParserATNSimulator>()->setPredictionMode(PredictionMode::LL);
      parser_.setErrorHandler(std::make_shared<Recovery>(source_, text, list_, diags_));
      return (parser_.*rule)();
    }
  }

 private:
  const diag::SourceMap::Source& source_;
  diag::Diagnostics& diags_;

 public:
  const std::string text;

 private:
  TokenList list_;
  antlr4::ListTokenSource token_source_;
  antlr4::CommonTokenStream stream_;
  CnplayParser parser_;
};

}  // namespace

File parse(const diag::SourceMap::Source& source, diag::Diagnostics& diags) {
  Parse parse(source, diags);
  auto* tree = parse.run(&CnplayParser::file);
  return Builder(source, parse.text, diags).file(tree);
}

ExprPtr parse_expression(const diag::SourceMap::Source& source, diag::Diagnostics& diags) {
  const std::size_t before = diags.errors();
  Parse parse(source, diags);
  auto* tree = parse.run(&CnplayParser::single);
  if (diags.errors() != before || tree->exception != nullptr) return nullptr;
  auto out = std::make_unique<Expr>(Builder(source, parse.text, diags).value(tree->value()));
  return diags.errors() == before ? std::move(out) : nullptr;
}

}  // namespace cnplay::syntax
