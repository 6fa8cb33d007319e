// What of a play could not be parsed, and which complaints about the rest follow from that alone.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "diag/diagnostic.h"
#include "syntax/ast.h"

namespace cnplay::compile {

class Holes {
 public:
  // `before`: what was reported before the play was read, in modules and the inventory.
  explicit Holes(const diag::Diagnostics& before);
  void add(const syntax::File& file);

  bool any() const { return any_; }
  // Whether the diagnostic may be about something that a statement with a syntax error declares,
  // says or does.
  bool explain(const diag::Diagnostic& d, const diag::SourceMap& sources) const;

 private:
  bool any_ = false;
  std::set<std::string> words_;    // in the statements that were left out
  std::vector<diag::Span> spans_;  // of what was reported, repaired or left out
};

}  // namespace cnplay::compile
