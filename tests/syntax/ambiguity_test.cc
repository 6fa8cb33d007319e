// The grammar has no ambiguities: ANTLR, asked to look for them, finds none in any of the files,
// and no decision on them needs more than the fast stage.
#include <CnplayParser.h>
#include <antlr4-runtime.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "diag/diagnostic.h"
#include "support/source_directory.h"
#include "syntax/tokens.h"

namespace cnplay::syntax {
namespace {

namespace fs = std::filesystem;

class Listener final : public antlr4::DiagnosticErrorListener {
 public:
  Listener() : DiagnosticErrorListener(true) {}

  void reportAmbiguity(antlr4::Parser* parser, const antlr4::dfa::DFA& dfa, std::size_t start,
                       std::size_t stop, bool, const antlrcpp::BitSet&,
                       antlr4::atn::ATNConfigSet*) override {
    found += "ambiguity in " + parser->getRuleNames()[dfa.atnStartState->ruleIndex] + ", tokens " +
             std::to_string(start) + " to " + std::to_string(stop) + "\n";
  }
  void reportAttemptingFullContext(antlr4::Parser* parser, const antlr4::dfa::DFA& dfa,
                                   std::size_t start, std::size_t stop, const antlrcpp::BitSet&,
                                   antlr4::atn::ATNConfigSet*) override {
    found += "full context in " + parser->getRuleNames()[dfa.atnStartState->ruleIndex] +
             ", tokens " + std::to_string(start) + " to " + std::to_string(stop) + "\n";
  }
  void reportContextSensitivity(antlr4::Parser*, const antlr4::dfa::DFA&, std::size_t, std::size_t,
                                std::size_t, antlr4::atn::ATNConfigSet*) override {}
  void syntaxError(antlr4::Recognizer*, antlr4::Token*, std::size_t, std::size_t,
                   const std::string& message, std::exception_ptr) override {
    found += "error: " + message + "\n";
  }

  std::string found;
};

std::string ambiguities(const std::string& text) {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  const auto& source = sources.add("x", text);
  const TokenList list = lex(source, clean(source, diags), diags);
  std::vector<std::unique_ptr<antlr4::Token>> tokens;
  for (const auto& token : list.tokens) {
    tokens.push_back(std::make_unique<antlr4::CommonToken>(token.type));
  }
  antlr4::ListTokenSource token_source(std::move(tokens));
  antlr4::CommonTokenStream stream(&token_source);
  grammar::CnplayParser parser(&stream);
  using antlr4::atn::ParserATNSimulator;
  using antlr4::atn::PredictionMode;
  parser.getInterpreter<ParserATNSimulator>()->setPredictionMode(
      PredictionMode::LL_EXACT_AMBIG_DETECTION);
  Listener listener;
  parser.removeErrorListeners();
  parser.addErrorListener(&listener);
  parser.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
  try {
    parser.file();
  } catch (const antlr4::ParseCancellationException&) {
    listener.found += "a syntax error\n";
  }
  return listener.found;
}

TEST(Ambiguity, NoneInAnyFile) {
  std::size_t files = 0;
  for (const char* directory : {"tests/golden/syntax/tree", "modules"}) {
    for (const auto& entry : fs::directory_iterator(source_directory() / directory)) {
      if (entry.path().extension() != ".play" && entry.path().extension() != ".inv") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream text;
      text << in.rdbuf();
      EXPECT_EQ(ambiguities(text.str()), "") << entry.path();
      ++files;
    }
  }
  EXPECT_GE(files, 7u);
}

TEST(Ambiguity, NoneInWhatIsNearOne) {
  for (const char* statement : {"step a b c d on e f g h { }",
                                "step a b 1 c 2 on x y z { }",
                                "x.y() a b c d e",
                                "x.y() a -1 b (2) c [3] d \"4\"",
                                "let a = -b - -c d",
                                "let a = b in c or not d in e f",
                                "manual a b c",
                                "ask a: b<c>? d e",
                                "param a: b \"c\"",
                                "param a: b = c \"d\" where e, \"f\"",
                                "param a: b = c where e \"f\"",
                                "if a { } else if b { } else { }",
                                "let a = if b then c else if d then e else f",
                                "deadline if a then b else c else rollback d",
                                "retry 1 every 2",
                                "x.y() retry 1 every 2 every 3",
                                "sh \"a\" unless sh \"b\" c d e",
                                "let a = a ?? b ?? c | d & e + f * g.h[1](2)",
                                "wait until a, b c",
                                "wait until a b c"}) {
    EXPECT_EQ(ambiguities("play p {\n" + std::string(statement) + "\n}\n"), "") << statement;
  }
  EXPECT_EQ(ambiguities("inventory a-1.b { host c[1..2]d { e: 1, vars { f: 2 } } , host g\n}\n"),
            "");
}

}  // namespace
}  // namespace cnplay::syntax
