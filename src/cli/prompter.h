// Human steps on a terminal: prompts on one descriptor, lines from another, never waiting.
#pragma once

#include <optional>
#include <string>

#include "cli/line_input.h"
#include "run/dialogue.h"

namespace cnplay::cli {

class TerminalPrompter final : public run::Prompter {
 public:
  // Descriptors stay the caller's. `introduce`: no view right above the prompt has shown what this
  // is about, so it is said again: nobody approves what they cannot see. `clean` takes secrets out
  // of what is shown.
  TerminalPrompter(int in, int out, bool introduce, Clean clean = {})
      : input_(in), out_(out), introduce_(introduce), clean_(std::move(clean)) {}

  // What was typed before it was asked for is thrown away: nobody answers in advance.
  void begin(const run::Asked& asked) override;
  // The end of the input means: later.
  std::optional<Reply> poll() override;
  void end(const std::string& why) override;

 private:
  void write(const std::string& text) const;

  LineInput input_;
  int out_;
  bool introduce_;
  Clean clean_;
  std::optional<run::Dialogue> dialogue_;
};

}  // namespace cnplay::cli
