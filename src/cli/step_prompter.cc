#include "cli/step_prompter.h"

#include "base/descriptor.h"
#include "base/terminal_text.h"

namespace cnplay::cli {

void TerminalStepPrompter::write(const std::string& text) const {
  (void)write_all(
      out_,
      for_terminal(clean_ ? clean_(text)
                          : text));  // a terminal that is gone: its input is at its end as well
}

void TerminalStepPrompter::begin(const std::string& what, const std::string& needed_by) {
  what_ = "\n" + what + "\ncarry it out? yes, no (skip it), all (ask no more), abort: ";
  needed_by_ = needed_by;
  input_.begin();
  write(what_);
}

std::optional<run::StepPrompter::Said> TerminalStepPrompter::poll() {
  while (const auto line = input_.poll()) {
    if (*line == "y" || *line == "yes") return Said::run;
    if (*line == "all") return Said::run_all;
    if (*line == "abort") return Said::abort;
    if (*line != "n" && *line != "no") {
      write("not understood\n" + what_);
    } else if (!needed_by_.empty()) {
      write("it cannot be skipped: `" + needed_by_ + "` reads its facts\n" + what_);
    } else {
      return Said::skip;
    }
  }
  if (input_.over()) return Said::abort;
  return std::nullopt;
}

void TerminalStepPrompter::end(const std::string& why) {
  if (!why.empty()) write("\n" + why + "\n");
}

}  // namespace cnplay::cli
