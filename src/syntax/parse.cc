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

// Counts the parser's looks at tokens.
class CountingStream final : public antlr4::CommonTokenStream {
 public:
  using CommonTokenStream::CommonTokenStream;
  antlr4::Token* LT(ssize_t k) override {
    ++work;
    return CommonTokenStream::LT(k);
  }
};

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

  // What could not be parsed, so that nobody complains of what it may have declared.
  void note_broken(File& file) const {
    std::size_t last = list_.reported.size();
    for (std::size_t i = 0; i < list_.tokens.size(); ++i) {
      const Token& token = list_.tokens[i];
      if (!list_.reported[token.statement]) continue;
      file.broken = true;
      const Span at{source_.base + token.begin, source_.base + token.end};
      if (last == token.statement && !file.broken_spans.empty()) {
        file.broken_spans.back().end = at.end;
      } else {
        file.broken_spans.push_back(at);
      }
      last = token.statement;
      // What is called, or has a dot, is used there and not declared.
      const auto type = [&](std::size_t at) {
        return at < list_.tokens.size() ? list_.tokens[at].type : 0;
      };
      const bool used = type(i + 1) == CnplayParser::DOT || type(i + 1) == CnplayParser::LPAREN ||
                        (i > 0 && type(i - 1) == CnplayParser::DOT);
      if (!used && token.end > token.begin && token.type >= CnplayParser::TRUE &&
          token.type <= CnplayParser::NAME) {
        file.broken_words.insert(text.substr(token.begin, token.end - token.begin));
      }
    }
  }

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
  CountingStream stream_;
  CnplayParser parser_;
};

}  // namespace

File parse(const diag::SourceMap::Source& source, diag::Diagnostics& diags) {
  if (is_foreign(source, diags)) {
    File file;
    file.broken = true;
    file.span = {source.base, source.base + static_cast<std::uint32_t>(source.text.size())};
    return file;
  }
  const std::size_t before = diags.errors();
  Parse parse(source, diags);
  auto* tree = parse.run(&CnplayParser::file);
  File file = Builder(source, parse.text, diags).file(tree);
  parse.note_broken(file);
  file.broken = file.broken || diags.errors() != before;
  return file;
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
