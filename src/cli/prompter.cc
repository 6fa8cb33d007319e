#include "cli/prompter.h"

#include <unistd.h>

#include <cerrno>

namespace cnplay::cli {

void TerminalPrompter::write(const std::string& text) const {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(out_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;  // a terminal that is gone: its input is at its end as well
    done += static_cast<std::size_t>(n);
  }
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
