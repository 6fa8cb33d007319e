// The `commands` of a module with the values of one step in them: what a person types. The text is
// a template: parameters are replaced, and nothing else of it is read or run.
// docs/module-scripts.md describes the forms. Inside of render/.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cnplay::render {

// A parameter as `commands` see it.
struct CommandValue {
  bool known = false;  // false: it stays a variable, which the reader has to set
  bool list = false;   // a word that holds it is written once for each item
  bool given = false;  // false for none, "", false and an empty list: `${x:+words}` is dropped
  bool flag = false;   // a bool
  std::vector<std::string> words;  // exactly one, unless it is a list
};

struct FilledCommands {
  std::string text;
  std::set<std::string> variables;  // parameters that the text reads as shell variables
  std::set<std::string> facts;      // the wanted ones that the text sets
};

// `facts`: those that the module returns, true for those that somebody reads later.
FilledCommands fill_commands(std::string_view commands,
                             const std::map<std::string, CommandValue>& values,
                             const std::map<std::string, bool>& facts);

}  // namespace cnplay::render
