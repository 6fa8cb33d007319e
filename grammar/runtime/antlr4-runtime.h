#pragma once

// The part of the ANTLR runtime that a generated parser and `syntax/` use, under the name that the
// generated files include. clang rejects misc/InterpreterDataReader.h of the whole one: it has a
// constant member without a value.
#include <algorithm>
#include <cassert>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stack>
#include <string>
#include <unordered_map>
#include <vector>

#include <ANTLRInputStream.h>
#include <BailErrorStrategy.h>
#include <BaseErrorListener.h>
#include <CommonToken.h>
#include <CommonTokenStream.h>
#include <DefaultErrorStrategy.h>
#include <DiagnosticErrorListener.h>
#include <Exceptions.h>
#include <FailedPredicateException.h>
#include <InputMismatchException.h>
#include <Lexer.h>
#include <LexerNoViableAltException.h>
#include <ListTokenSource.h>
#include <NoViableAltException.h>
#include <Parser.h>
#include <ParserRuleContext.h>
#include <RecognitionException.h>
#include <Vocabulary.h>
#include <antlr4-common.h>
#include <atn/ATN.h>
#include <atn/ATNDeserializer.h>
#include <atn/ATNState.h>
#include <atn/DecisionState.h>
#include <atn/LexerATNSimulator.h>
#include <atn/ParserATNSimulator.h>
#include <atn/PredictionMode.h>
#include <atn/RuleTransition.h>
#include <atn/Transition.h>
#include <dfa/DFA.h>
#include <misc/IntervalSet.h>
#include <tree/ErrorNode.h>
#include <tree/ParseTree.h>
#include <tree/TerminalNode.h>
