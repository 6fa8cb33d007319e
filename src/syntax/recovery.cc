#include "syntax/recovery.h"

#include <utility>

namespace cnplay::syntax {
namespace {

using P = grammar::CnplayParser;

// Where an error ends: the rules for one statement, entry or field.
bool is_resync_rule(std::size_t rule) {
  switch (rule) {
    case P::RuleItem:
    case P::RuleTopItem:
    case P::RuleGroupItem:
    case P::RuleHostItem:
    case P::RuleRecordItem:
    case P::RuleReturnsItem:
      return true;
    default:
      return false;
  }
}

// The rules that are lists of those.
bool is_list_rule(std::size_t rule) {
  switch (rule) {
    case P::RuleFile:
    case P::RuleBlock:
    case P::RuleGroupBody:
    case P::RuleHostBody:
    case P::RuleRecord:
    case P::RuleReturnsDecl:
      return true;
    default:
      return false;
  }
}

// A state from which a rule is invoked, which ANTLR wants a context to name.
std::size_t invoking_state(const antlr4::atn::ATN& atn, std::size_t rule) {
  for (const auto* state : atn.states) {
    if (state == nullptr || state->transitions.empty()) continue;
    const auto* call = dynamic_cast<const antlr4::atn::RuleTransition*>(state->transitions[0]);
    if (call != nullptr && call->target->ruleIndex == rule) return state->stateNumber;
  }
  return 0;
}

bool is_end(std::size_t type) { return type == antlr4::Token::EOF; }

}  // namespace

void Recovery::report(antlr4::Parser* parser, std::size_t at, antlr4::misc::IntervalSet expected) {
  const std::size_t statement = list_.tokens[at].statement;
  if (list_.reported[statement]) return;
  list_.reported[statement] = true;
  auto& own = *static_cast<P*>(parser);
  const SyntaxError error{own, parser->getContext(), at, std::move(expected)};
  diags_.add(describe(error, source_, text_, list_));
}

void Recovery::reportError(antlr4::Parser* parser, const antlr4::RecognitionException& e) {
  const auto* token = e.getOffendingToken();
  const std::size_t at =
      token == nullptr ? parser->getCurrentToken()->getTokenIndex() : token->getTokenIndex();
  // Of a decision that looked ahead, the state tells what could have stood at its beginning only.
  const auto* decision = dynamic_cast<const antlr4::NoViableAltException*>(&e);
  const bool ahead = decision != nullptr && decision->getStartToken() != token;
  report(parser, at, ahead ? antlr4::misc::IntervalSet() : parser->getExpectedTokens());
}

// Up to the resynchronising rule an error passes through all rules, as with the bail strategy.
void Recovery::recover(antlr4::Parser* parser, std::exception_ptr e) {
  const std::size_t rule = parser->getContext()->getRuleIndex();
  auto& own = *static_cast<P*>(parser);
  if (is_resync_rule(rule)) {
    skip_statement(own, rule == P::RuleItem || rule == P::RuleTopItem || rule == P::RuleGroupItem);
  } else if (rule == P::RuleFile || rule == P::RuleSingle) {
    while (!is_end(parser->getTokenStream()->LA(1))) parser->consume();
  } else {
    std::rethrow_exception(e);
  }
}

antlr4::Token* Recovery::recoverInline(antlr4::Parser* parser) {
  throw antlr4::InputMismatchException(parser);
}

// At each turn of a list: what begins no element of it is reported and left out here, else the
// list would end early.
void Recovery::sync(antlr4::Parser* parser) {
  const std::size_t rule = parser->getContext()->getRuleIndex();
  if (!is_list_rule(rule)) return;
  auto& own = *static_cast<P*>(parser);
  auto* input = parser->getTokenStream();
  const auto& atn = parser->getInterpreter<antlr4::atn::ATNSimulator>()->atn;
  while (true) {
    const std::size_t next = input->LA(1);
    const auto fits = atn.nextTokens(atn.states[parser->getState()]);
    if (is_end(next) || next == P::RBRACE || fits.contains(next) ||
        fits.contains(antlr4::Token::EPSILON)) {
      return;
    }
    report(parser, input->index(), fits);
    const std::size_t before = input->index();
    skip_statement(own, rule == P::RuleFile || rule == P::RuleBlock || rule == P::RuleGroupBody);
    if (input->index() == before) parser->consume();
  }
}

// To the end of the statement, and over it; not over the `}` of the block it stands in. Blocks on
// the way are parsed for their own mistakes.
void Recovery::skip_statement(P& parser, bool parse_blocks) {
  auto* input = parser.getTokenStream();
  const std::size_t rule = parser.getContext()->getRuleIndex();
  const bool commas =
      rule != P::RuleItem && rule != P::RuleTopItem && rule != P::RuleBlock && rule != P::RuleFile;
  std::size_t depth = 0;
  while (!is_end(input->LA(1))) {
    switch (input->LA(1)) {
      case P::LPAREN:
      case P::LBRACKET:
      case P::INTERP_OPEN:
        ++depth;
        break;
      case P::RPAREN:
      case P::RBRACKET:
      case P::INTERP_CLOSE:
        if (depth > 0) --depth;
        break;
      case P::LBRACE: {
        const std::size_t second = input->LA(2), third = input->LA(3);
        const bool fields = second == P::SPREAD || (second == P::FIELD && third == P::COLON);
        if (depth != 0 || fields || !parse_blocks) {
          skip_braces(parser);
          continue;
        }
        const bool group = rule == P::RuleGroupItem || rule == P::RuleGroupBody ||
                           second == P::VARS || second == P::SSH || second == P::GROUP ||
                           second == P::HOST || (second == P::NOTIFY && third == P::LBRACE);
        const auto& atn = parser.getInterpreter<antlr4::atn::ATNSimulator>()->atn;
        const std::size_t state = parser.getState();
        parser.setState(invoking_state(atn, group ? P::RuleGroupBody : P::RuleBlock));
        if (group) {
          parser.groupBody();
        } else {
          parser.block();
        }
        parser.setState(state);
        continue;
      }
      case P::RBRACE:
        if (depth == 0) return;
        break;
      case P::COMMA:
      case P::NEWLINE:
        if (depth == 0 && (commas || input->LA(1) == P::NEWLINE)) {
          parser.consume();
          return;
        }
        break;
      default:
        break;
    }
    parser.consume();
  }
}

void Recovery::skip_braces(P& parser) {
  auto* input = parser.getTokenStream();
  std::size_t depth = 0;
  do {
    if (input->LA(1) == P::LBRACE) ++depth;
    if (input->LA(1) == P::RBRACE) --depth;
    parser.consume();
  } while (depth != 0 && !is_end(input->LA(1)));
}

}  // namespace cnplay::syntax
