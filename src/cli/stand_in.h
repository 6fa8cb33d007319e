// An inventory for a play that is only to be described: one host for each group that the play
// names, and for each host variable a word that says what it is. Not every play can do without a
// real one.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "syntax/ast.h"

namespace cnplay::cli {

inline constexpr const char* kStandInName = "INVENTORY";

struct StandIn {
  std::string text;             // of the inventory, in the language
  std::set<std::string> words;  // "/<app>": what stands for a host variable
};

// `play` and the files that it uses, directly or not. An Error names what of the play the
// inventory decides, so that nothing true could be said without one.
Result<StandIn> stand_in(const syntax::Play& play,
                         const std::vector<const syntax::File*>& libraries);

}  // namespace cnplay::cli
