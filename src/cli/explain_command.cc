#include <iostream>

#include "cli/commands.h"
#include "cli/project.h"
#include "diag/codes.h"

namespace cnplay::cli {

int explain_command(const Options& options) {
  if (options.topic.empty()) {
    for (const auto& code : diag::codes()) std::cout << code.code << "  " << code.title << "\n";
    return kSuccess;
  }
  const diag::CodeText* code = diag::find_code(options.topic);
  if (code == nullptr) {
    return usage_error(
        fail("there is no diagnostic `" + options.topic + "`", "`cnplay explain` lists them all"));
  }
  std::cout << code->code << ": " << code->title << "\n\n" << code->explanation << "\n";
  return kSuccess;
}

}  // namespace cnplay::cli
