// The question before each step, on a terminal: prompts on one descriptor, lines from another,
// never waiting.
#pragma once

#include <optional>
#include <string>

#include "cli/line_input.h"
#include "run/stepwise.h"

namespace cnplay::cli {

class TerminalStepPrompter final : public run::StepPrompter {
 public:
  // Descriptors stay the caller's.
  // `clean` takes secrets out of what is shown.
  TerminalStepPrompter(int in, int out, Clean clean = {})
      : input_(in), out_(out), clean_(std::move(clean)) {}

  void begin(const std::string& what, const std::string& needed_by) override;
  // The end of the input means: abort.
  std::optional<Said> poll() override;
  void end(const std::string& why) override;

 private:
  void write(const std::string& text) const;

  LineInput input_;
  int out_;
  Clean clean_;
  std::string what_;
  std::string needed_by_;
};

}  // namespace cnplay::cli
