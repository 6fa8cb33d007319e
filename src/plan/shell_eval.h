// Words and tests of a shell text, as far as they are known before the script runs. Inside of
// plan/.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/shell_tree.h"

namespace cnplay::plan {

// What is known at one place of a script. A name that is in neither is unknown.
struct ShellKnown {
  std::map<std::string, std::string> values;
  std::optional<std::vector<std::string>> args = std::vector<std::string>{};  // "$@", as words
  bool split_lines = false;  // IFS holds a newline alone, and nothing is globbed
  void forget(const std::set<std::string>& names);
};

// The text that a word becomes, if it is known and stays one word. `split`: an unquoted
// expansion that might fall into several words is not one.
std::optional<std::string> value_of_word(std::string_view word, const ShellKnown& known,
                                         bool split = true);

// The word with what is known put in, as words of a command: none, one or several.
std::vector<std::string> words_of_word(const std::string& word, const ShellKnown& known);

// Whether a command that only tests ([ ... ], `:`, `!` of one) succeeds; nullopt if unknown.
std::optional<bool> outcome_of(const ShellCommand& command, const ShellKnown& known);

// Whether `value` matches one of a case's patterns; nullopt if a pattern is not known.
std::optional<bool> matches(const std::string& patterns, const std::string& value,
                            const ShellKnown& known);

}  // namespace cnplay::plan
