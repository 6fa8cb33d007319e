// People for the tests of human steps: one at a terminal, and a run that others answer and resume.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "run/people.h"
#include "support/run/fixture.h"

namespace cnplay::run::test {

using events::HumanAnswered;
using events::HumanEnd;
using events::Verdict;
using plan::HumanKind;
using Lines = std::vector<std::string>;

// Somebody at a terminal: answers each step as it is told to, or thinks on.
class FakePrompter final : public Prompter {
 public:
  void begin(const Asked& asked) override {
    EXPECT_FALSE(asking);
    asking = true;
    asked_for.push_back(asked.node->title);
    last = asked;
  }
  std::optional<Reply> poll() override {
    EXPECT_TRUE(asking);
    ++polls;
    if (on_poll) on_poll();
    if (replies.empty()) return std::nullopt;
    const Reply reply = replies.front();
    replies.pop_front();
    return reply;
  }
  void end(const std::string& why) override {
    asking = false;
    if (!why.empty()) ended.push_back(why);
  }
  void yes(std::vector<std::pair<std::string, std::string>> values = {}) {
    Reply reply;
    reply.answer.yes = true;
    for (auto& [name, text] : values) reply.answer.values.emplace_back(name, Untrusted(text));
    replies.push_back(reply);
  }
  void no(const std::string& why) {
    Reply reply;
    reply.answer.remark = Untrusted(why);
    replies.push_back(reply);
  }
  void later() { replies.push_back({true, {}}); }

  std::deque<Reply> replies;
  Lines asked_for, ended;
  std::optional<Asked> last;
  std::function<void()> on_poll;
  int polls = 0;
  bool asking = false;
};

struct People : Fixture {
  People() : Fixture(2) {}
  plan::Node& between(const std::string& name, HumanKind kind) {
    plan::Node& a = b.step("a");
    b.undo(a);
    plan::Node& node = b.human(name, kind);
    return node;
  }
  // Runs with what was recorded, as another controller an hour later.
  RunResult resume(Fixture& next) {
    const auto prompter = next.options.prompter;
    const auto user = next.options.user;
    record = recorder.events;
    next.take_over(*this, record);
    next.options.prompter = prompter;
    next.options.user = user;
    next.clock.advance(record.back().at - FakeClock::start + later);
    return next.go_on();
  }
  // As `cnplay answer` does.
  void answer(plan::NodeId node, const std::string& user, const std::string& by, bool yes,
              std::vector<std::pair<std::string, Untrusted>> values = {}) {
    events::Event event;
    event.seq = recorder.events.back().seq + 1;
    event.at = recorder.events.back().at + Duration(60'000);
    HumanAnswered said;
    said.node = node;
    said.user = user;
    said.controller = "desk";
    said.by = by;
    said.yes = yes;
    said.values = std::move(values);
    event.what = said;
    recorder.events.push_back(event);
  }
  std::vector<events::Event> record;
  Duration later{3'600'000};
};

inline plan::Question question(const std::string& name, plan::FactType type) {
  plan::Question q;
  q.name = name;
  q.type = type;
  q.text = plan::Value("the " + name);
  return q;
}

inline std::string param_of(const Started& s, const std::string& name) {
  for (const auto& v : s.task.variables) {
    if (v.name == name) return v.value;
  }
  return "?";
}

}  // namespace cnplay::run::test
