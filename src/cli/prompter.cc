#include "cli/prompter.h"

#include "base/descriptor.h"
#include "base/terminal_text.h"

namespace cnplay::cli {

void TerminalPrompter::write(const std::string& text) const {
  // A terminal that is gone: its input is at its end as well.
  (void)write_all(out_, for_terminal(clean_ ? clean_(text) : text));
}

void TerminalPrompter::begin(const run::Asked& asked) {
  input_.begin();
  dialogue_.emplace(asked);
  if (introduce_) write("\n" + asked.node->title + "\n");
  write(dialogue_->prompt());
}

std::optional<run::Prompter::Reply> TerminalPrompter::poll() {
  while (const auto line = input_.poll()) {
    write(dialogue_->take(*line));
    if (dialogue_->reply()) return dialogue_->reply();
    write(dialogue_->prompt());
  }
  if (input_.over()) return Reply{true, {}};
  return std::nullopt;
}

void TerminalPrompter::end(const std::string& why) {
  if (dialogue_ && !why.empty()) write("\n" + why + "\n");
  dialogue_.reset();
}

}  // namespace cnplay::cli
