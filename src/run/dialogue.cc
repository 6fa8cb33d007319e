#include "run/dialogue.h"

namespace cnplay::run {
namespace {

std::string trimmed(const std::string& line) {
  const auto begin = line.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

Dialogue::Dialogue(Asked asked) : asked_(std::move(asked)) {
  const plan::Human& human = *asked_.node->human;
  if (human.kind == plan::HumanKind::approve) {
    at_ = At::approval;
  } else if (human.kind == plan::HumanKind::ask) {
    at_ = At::question;
  } else if (asked_.items.empty()) {
    // There is always something to say yes to.
    asked_.items.push_back(asked_.node->title);
  }
}

std::string Dialogue::prompt() const {
  const plan::Human& human = *asked_.node->human;
  switch (at_) {
    case At::item: {
      const std::string& text = asked_.items.at(index_);
      return "  [" + std::to_string(index_ + 1) + "/" + std::to_string(asked_.items.size()) + "] " +
             Untrusted(text).display() + ": done? [yes/no/later] ";
    }
    case At::refused:
      return "  not done: stop the run here, wait for it, or correct the answer? "
             "[stop/wait/correct] ";
    case At::question: {
      const plan::Question& question = human.questions.at(index_);
      const std::string& text = asked_.questions.at(index_);
      return "  " + question.name + (text.empty() ? "" : ": " + Untrusted(text).display()) + " (" +
             what_fits(question) + ", or later): ";
    }
    case At::approval:
      return "  your answer? [approve/refuse/later] ";
    case At::why:
      return "  why? ";
  }
  return "";
}

std::string Dialogue::take(const std::string& raw) {
  const std::string line = trimmed(raw);
  if ((line == kLater && at_ != At::why) || (line == "wait" && at_ == At::refused)) {
    reply_ = Prompter::Reply{true, {}};
    return "";
  }
  switch (at_) {
    case At::item:
      if (line == "yes" || line == "y") {
        advance();
      } else if (line == "no" || line == "n") {
        at_ = At::refused;
      } else {
        return "  please answer yes, no or later\n";
      }
      return "";
    // A slip of the finger must not fail a run.
    case At::refused:
      if (line == "stop") {
        at_ = At::why;
      } else if (line == "correct") {
        at_ = At::item;
      } else {
        return "  please answer with the whole word: stop, wait or correct\n";
      }
      return "";
    case At::question:
      return take_value(line);
    case At::approval:
      if (line == "approve") {
        finish(true);
      } else if (line == "refuse") {
        at_ = At::why;
      } else {
        return "  please answer with the whole word: approve, refuse or later\n";
      }
      return "";
    case At::why:
      answer_.remark = Untrusted(line);
      finish(false);
      return "";
  }
  return "";
}

std::string Dialogue::take_value(const std::string& line) {
  const plan::Question& question = asked_.node->human->questions.at(index_);
  if (const auto value = read_answer(question, Untrusted(line)); !value) {
    return "  " + value.error().what + ": it is " + what_fits(question) + "\n";
  }
  answer_.values.emplace_back(question.name, Untrusted(line));
  advance();
  return "";
}

void Dialogue::advance() {
  ++index_;
  if (at_ == At::item && index_ == asked_.items.size()) {
    at_ = At::question;
    index_ = 0;
  }
  if (at_ == At::question && index_ == asked_.node->human->questions.size()) finish(true);
}

void Dialogue::finish(bool yes) {
  answer_.yes = yes;
  if (!yes) answer_.values.clear();
  reply_ = Prompter::Reply{false, answer_};
}

}  // namespace cnplay::run
