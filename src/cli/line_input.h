// Lines that somebody types, taken as they come, never waiting.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace cnplay::cli {

// Takes secrets out of a text that is shown.
using Clean = std::function<std::string(const std::string&)>;

class LineInput {
 public:
  explicit LineInput(int in) : in_(in) {}

  // What was typed before it was asked for is thrown away: nobody answers in advance.
  void begin();
  // A line, without its end. nullopt: there is none yet, or `over` says that there never will be.
  std::optional<std::string> poll();
  bool over() const { return over_; }

 private:
  int in_;
  std::string typed_;  // of a line that has not ended
  bool over_ = false;
};

}  // namespace cnplay::cli
