// A module's scripts shortened to what a person would type: parameters in their places, guards,
// error texts and polling taken off, branches chosen where the parameters decide them. What is
// not understood stays as it is, so the shortened text never does anything that the scripts would
// not do - save that a person looks where the script would test. Inside of plan/.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "plan/shell_tree.h"

namespace cnplay::plan {

struct ByHandInput {
  std::string_view check;                    // "" if there is none
  std::string_view apply;                    // "": the check is the whole of it
  std::map<std::string, std::string> known;  // parameters, as scripts see them; none is ""
  std::set<std::string> facts;               // that check may set
  std::set<std::string> wanted;              // those of them that other steps read
};

struct ByHand {
  bool understood = false;         // false: text is empty, show the scripts as they are
  std::string text;                // "" also if nothing remains to be typed
  std::set<std::string> reads;     // names that the text reads and does not set
  std::set<std::string> commands;  // first words of its commands
  bool one_command = false;        // one simple command that reads no name
  bool polls = false;              // waiting until all is well was taken off
  std::string look;                // the command that shows whether it is; may be ""
};

ByHand by_hand(const ByHandInput& input);

// A word that the shell reads back as `value`: bare if it may be, else quoted. Control characters
// other than newline and tab are refused: "".
std::string shell_word(std::string_view value);

}  // namespace cnplay::plan
