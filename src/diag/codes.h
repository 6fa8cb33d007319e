// The register of diagnostic codes: every code that the program can print, with the text that
// `cnplay explain CODE` shows: docs/errors/CODE.md. E00xx syntax, E01xx names and variables, E02xx
// types, E03xx secrets, E04xx modules, E05xx the graph and the way back, E06xx inventory, E07xx
// shell scripts and texts, E09xx not supported yet.
#pragma once

#include <string_view>
#include <vector>

#include "base/embedded.h"

namespace cnplay::diag {

struct CodeText {
  std::string_view code;
  std::string_view title;        // one line
  std::string_view explanation;  // why it is refused, an example, how to mend it (Markdown)
};

// docs/errors/*.md, embedded at build time: `# CODE: title`, a blank line, the explanation.
const std::vector<EmbeddedFile>& code_files();

// All codes, in order.
const std::vector<CodeText>& codes();
// nullptr if there is no such code. Case is ignored ("e0101").
const CodeText* find_code(std::string_view code);

}  // namespace cnplay::diag
