// Going step by step: a person is asked before each step.
#pragma once

#include <optional>
#include <string>

namespace cnplay::run {

// Asks a person who is there. The runner's thread calls all of it; none of it may block for long.
class StepPrompter {
 public:
  enum class Said { run, skip, run_all, abort };
  virtual ~StepPrompter() = default;
  // `what`: the step and its hosts. `needed_by`: a step that reads its facts, so that it cannot be
  // skipped; "": none. One question at a time; end() is called before the next begin().
  virtual void begin(const std::string& what, const std::string& needed_by) = 0;
  // What was said since; nothing while the person is thinking. After a word, end() follows.
  virtual std::optional<Said> poll() = 0;
  // Nobody waits for an answer any more. `why`: if the person has not been told by their own word.
  virtual void end(const std::string& why) = 0;
};

}  // namespace cnplay::run
