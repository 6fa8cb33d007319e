#include "run/people.h"

#include <algorithm>

#include "plan/value.h"
#include "run/facts.h"

namespace cnplay::run {

using events::HumanAnswered;
using plan::HumanKind;

namespace {

bool lets(const std::string& entry, const Person& person) {
  if (!entry.starts_with('@')) return entry == person.user;
  return std::find(person.groups.begin(), person.groups.end(), entry.substr(1)) !=
         person.groups.end();
}

std::string joined(const std::vector<std::string>& words, const char* last) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? last : ", ";
    out += words[i];
  }
  return out;
}

// Whether somebody has said yes already under this name.
bool has_answered(const std::string& user, std::span<const HumanAnswered> before) {
  return std::any_of(before.begin(), before.end(),
                     [&](const HumanAnswered& a) { return a.user == user; });
}

}  // namespace

std::optional<Asked> asked_in(const plan::Plan& plan, const std::vector<events::Event>& record) {
  std::optional<Asked> asked;
  std::optional<plan::NodeId> from;  // of a controller that is looking whether all is there
  for (const events::Event& event : record) {
    if (const auto* resumed = std::get_if<events::RunResumed>(&event.what)) {
      from = resumed->from;
    } else if (const auto* looked = std::get_if<events::PreflightEnded>(&event.what)) {
      if (looked->ok && from && asked && asked->node->id >= *from) asked.reset();
    } else if (const auto* started = std::get_if<events::HumanStarted>(&event.what)) {
      asked =
          Asked{&plan.node(started->node), started->items, started->questions, started->until, {}};
      if (!asked->node->human) asked.reset();
    } else if (const auto* answer = std::get_if<HumanAnswered>(&event.what)) {
      if (asked && asked->node->id == answer->node) asked->answers.push_back(*answer);
    } else if (std::holds_alternative<events::HumanEnded>(event.what) ||
               std::holds_alternative<events::AbortRequested>(event.what) ||
               std::holds_alternative<events::FailureDeclared>(event.what) ||
               std::holds_alternative<events::DeadlinePassed>(event.what) ||
               std::holds_alternative<events::RunEnded>(event.what)) {
      asked.reset();
    }
  }
  return asked;
}

std::string who_may(const plan::Human& human) {
  std::vector<std::string> words;
  for (const std::string& entry : human.by) {
    words.push_back(entry.starts_with('@') ? "a member of the group " + entry.substr(1) : entry);
  }
  return joined(words, " or ");
}

Result<std::string> right_to_answer(const plan::Human& human, const Person& person) {
  if (human.by.empty()) return std::string();
  for (const std::string& entry : human.by) {
    if (lets(entry, person)) return entry;
  }
  return fail(person.user + " may not answer here: it is for " + who_may(human),
              "ask one of them to answer");
}

Status check_answer(const plan::Human& human, const HumanAnswered& answer,
                    std::span<const HumanAnswered> before) {
  // As it was recorded: what groups somebody is in now does not matter to what they said then.
  const bool listed = std::find(human.by.begin(), human.by.end(), answer.by) != human.by.end();
  const bool own = answer.by.starts_with('@') || answer.by == answer.user;
  if (!human.by.empty() && !(listed && own)) {
    return fail(answer.user + " may not answer here: it is for " + who_may(human),
                "ask one of them to answer");
  }
  if (still_needed(human, before) == 0) return fail("it has been answered already");
  if (has_answered(answer.user, before)) {
    return fail(answer.user + " has answered already, and " + std::to_string(human.count) +
                    " different people must",
                "ask another person to answer");
  }
  if (!answer.yes) return {};
  for (const auto& [name, text] : answer.values) {
    const auto known =
        std::find_if(human.questions.begin(), human.questions.end(),
                     [&name = name](const plan::Question& q) { return q.name == name; });
    if (known == human.questions.end()) {
      return fail("nobody asked for `" + Untrusted(name).display(80) + "`");
    }
  }
  for (const plan::Question& question : human.questions) {
    std::size_t times = 0;
    for (const auto& [name, text] : answer.values) {
      if (name != question.name) continue;
      ++times;
      if (auto value = read_answer(question, text); !value) return value.error();
    }
    if (times != 1) {
      return fail("`" + question.name + "` is " + (times == 0 ? "missing" : "given twice"),
                  "it is " + what_fits(question));
    }
  }
  return {};
}

Result<plan::Value> read_answer(const plan::Question& question, const Untrusted& text) {
  const auto no = [&](const std::string& why) {
    return fail("`" + question.name + "` " + why, "it is " + what_fits(question));
  };
  if (text.raw().size() > 4096) return no("is longer than 4096 bytes");
  auto value = read_fact(question.type, text);
  if (!value) return no(value.error().what);
  const bool chosen = question.choices.empty() ||
                      std::find(question.choices.begin(), question.choices.end(), text.raw()) !=
                          question.choices.end();
  if (!chosen) return no("cannot be `" + text.display(80) + "`");
  if (question.type == plan::FactType::path && !text.raw().starts_with('/')) {
    return no("is not an absolute path");
  }
  if (text.raw().find_first_not_of(" \t\n") == std::string::npos) return no("is empty");
  return value;
}

plan::Record answer_facts(const plan::Human& human, std::span<const HumanAnswered> answers) {
  plan::Record facts;
  if (answers.empty()) return facts;
  for (const plan::Question& question : human.questions) {
    for (const auto& [name, text] : answers.back().values) {
      if (name != question.name) continue;
      if (auto value = read_answer(question, text)) facts.emplace_back(name, *std::move(value));
    }
  }
  return facts;
}

plan::Record fallback_facts(const plan::Human& human) {
  if (human.questions.empty()) return {};
  return {{human.questions.front().name, human.fallback}};
}

std::size_t still_needed(const plan::Human& human, std::span<const HumanAnswered> answers) {
  return human.count - std::min<std::size_t>(human.count, answers.size());
}

std::string what_fits(const plan::Question& question) {
  if (!question.choices.empty()) return "one of " + joined(question.choices, " or ");
  switch (question.type) {
    case plan::FactType::string:
      return "a text";
    case plan::FactType::int_:
      return "a whole number";
    case plan::FactType::bool_:
      return "true or false";
    case plan::FactType::path:
      return "an absolute path";
    case plan::FactType::duration:
      return "a duration, such as 10m";
    case plan::FactType::size:
      return "a size, such as 512MiB";
    case plan::FactType::time:
      return "a time, such as 2026-12-01T22:00:00Z";
    case plan::FactType::list_of_string:
      return "a list";
  }
  return "";
}

std::string what_holds_after(const plan::Human& human) {
  if (human.kind == HumanKind::approve) {
    const bool* yes = human.fallback.as<bool>();
    return yes != nullptr && *yes ? "then it counts as approved" : "then it counts as refused";
  }
  if (human.fallback.is_none()) return "then the step has failed";
  return "then the answer is " + plan::text_of(human.fallback).value_or("its default");
}

std::string answer_words(const plan::Human& human) {
  switch (human.kind) {
    case HumanKind::approve:
      return "--approve";
    case HumanKind::ask:
      return "ANSWER";
    case HumanKind::manual:
      break;
  }
  std::string words = "--done";
  for (const plan::Question& question : human.questions) words += " " + question.name + "=...";
  return words;
}

}  // namespace cnplay::run
