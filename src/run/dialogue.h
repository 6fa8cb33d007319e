// One human step as a conversation, a line at a time. Knows no terminal: who has one shows the
// prompts and hands in the lines.
#pragma once

#include <optional>
#include <string>

#include "run/people.h"

namespace cnplay::run {

class Dialogue {
 public:
  explicit Dialogue(Asked asked);

  // What to show before the next line is read; ends with a space. Not once done() holds.
  std::string prompt() const;
  // Takes a line. What is said to it, with its newline, if it is not understood: then the same is
  // asked once more.
  std::string take(const std::string& line);
  // nullopt: more is to be asked.
  const std::optional<Prompter::Reply>& reply() const { return reply_; }
  // What stands for "not now" wherever a line is asked for.
  static constexpr const char* kLater = "later";

 private:
  enum class At { item, refused, question, approval, why };
  void advance();
  void finish(bool yes);
  std::string take_value(const std::string& line);

  Asked asked_;
  At at_ = At::item;
  std::size_t index_ = 0;  // of the items or the questions
  events::HumanAnswered answer_;
  std::optional<Prompter::Reply> reply_;
};

}  // namespace cnplay::run
