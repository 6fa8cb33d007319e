#include "run/human_steps.h"

#include <utility>

#include "run/conditions.h"

namespace cnplay::run {

using events::HumanEnd;

void HumanSteps::skip(const Ready& point) {
  context_.emit(events::HumanEnded{point.node, HumanEnd::skipped, Duration{0}});
  section_.finish(point);
}

void HumanSteps::begin(const Ready& point, const std::string& skipped) {
  const plan::Node& node = context_.plan.node(point.node);
  const plan::Human& human = *node.human;
  if (!skipped.empty()) {
    context_.emit.notice("`" + node.title + "` is left out: " + skipped);
    return skip(point);
  }
  if (!node.left_out.empty()) return skip(point);
  const plan::Environment environment = context_.environment();
  const Condition when = node.when.empty() ? Condition{} : condition_of(context_, node.when.at(0));
  if (when.kind == Condition::Kind::unknown) {
    context_.emit.notice(node.where + ": whether people are asked is not known: its `when`" +
                         when.why);
    return section_.fail_at(point.node);
  }
  if (when.kind == Condition::Kind::fails) return skip(point);
  const bool known = when.kind == Condition::Kind::holds;
  if (context_.dry()) {
    context_.emit.notice(
        std::string("a run would ") +
        (human.kind == plan::HumanKind::manual ? "wait here for people to do" : "ask people here") +
        ": " + node.title + (known ? "" : ", if its `when` holds"));
    context_.facts.set(point.node, 0, 0, {}, true);
    return section_.finish(point);
  }
  Asked asked;
  asked.node = &node;
  const auto text = [&](const plan::Value& value) {
    if (value.is_none()) return std::string();
    const auto known = plan::resolve(value, 0, environment);
    return known ? plan::text_of(*known).value_or("?") : "(not known: " + known.error().what + ")";
  };
  for (const plan::Value& item : human.items) asked.items.push_back(text(item));
  for (const plan::Question& q : human.questions) asked.questions.push_back(text(q.text));
  const Instant now = context_.clock.now();
  if (node.timeout) asked.until = Time{now + *node.timeout, context_.options.now.zone};
  // A record has it to the millisecond.
  if (const auto until = context_.replay.until(point.node)) asked.until = until;
  open_.emplace(Open{point, std::move(asked), context_.clock.steady(), false});
  context_.emit(events::HumanStarted{point.node, open_->asked.items, open_->asked.questions,
                                     open_->asked.until});
  check();
}

void HumanSteps::check() {
  while (open_ && !section_.stopping()) {
    const plan::NodeId node = open_->point.node;
    if (context_.replay.active()) {
      if (const auto* answer = context_.replay.answered(node)) {
        take(*answer);
      } else if (const auto how = context_.replay.time_over(node)) {
        end(*how);
      } else {
        return;
      }
      continue;
    }
    // The record ends here: first the hosts are what they are now.
    if (!context_.replay.live()) return;
    if (open_->asked.until && context_.clock.now() >= open_->asked.until->at) {
      const bool fell_back = !open_->asked.node->human->fallback.is_none();
      end(fell_back ? HumanEnd::fell_back : HumanEnd::timed_out);
    } else if (!open_->prompting) {
      ask();
    } else if (auto reply = context_.options.prompter->poll()) {
      open_->prompting = false;
      context_.options.prompter->end("");
      if (reply->later) return park("left for later by " + context_.options.user);
      take(std::move(reply->answer));
    } else {
      return;
    }
  }
}

// Asks the person who is there, if they may answer; else the run is parked.
void HumanSteps::ask() {
  const plan::Human& human = *open_->asked.node->human;
  const Options& options = context_.options;
  const Person person{options.user, options.controller, options.groups};
  const auto right = right_to_answer(human, person);
  if (!right) return park(right.error().what);
  for (const events::HumanAnswered& answer : open_->asked.answers) {
    if (answer.user == options.user) {
      return park(std::to_string(still_needed(human, open_->asked.answers)) +
                  " more must answer, other than " + options.user);
    }
  }
  if (options.prompter == nullptr) return park("nobody is at a terminal");
  open_->prompting = true;
  options.prompter->begin(open_->asked);
}

void HumanSteps::take(events::HumanAnswered answer) {
  const plan::Human& human = *open_->asked.node->human;
  const Options& options = context_.options;
  answer.node = open_->point.node;
  if (!context_.replay.active()) {
    answer.user = options.user;
    answer.controller = options.controller;
    const auto right =
        right_to_answer(human, Person{options.user, options.controller, options.groups});
    answer.by = right ? *right : "";
  }
  auto& answers = open_->asked.answers;
  if (const Status good = check_answer(human, answer, answers); !good) {
    if (context_.replay.active()) {
      return context_.replay.refuse("an answer to `" + open_->asked.node->title +
                                    "` does not count: " + good.error().what);
    }
    context_.emit.notice("this answer does not count: " + good.error().what);
    return;
  }
  const bool yes = answer.yes;
  answers.push_back(answer);
  context_.emit(std::move(answer));
  if (!yes) return end(HumanEnd::refused);
  if (still_needed(human, answers) > 0) return;
  end(HumanEnd::answered);
}

void HumanSteps::end(HumanEnd how) {
  if (open_->prompting) context_.options.prompter->end("the time to answer is over");
  const Open done = *std::exchange(open_, std::nullopt);
  last_end_ = how;
  const plan::NodeId node = done.point.node;
  const plan::Human& human = *done.asked.node->human;
  const Duration now = context_.clock.steady();
  summary_.human_ended(node, done.since, now, how == HumanEnd::answered);
  context_.emit(events::HumanEnded{node, how, now - done.since});
  // A default may be to say no.
  const bool* fallback = human.fallback.as<bool>();
  const bool no = human.kind == plan::HumanKind::approve && fallback != nullptr && !*fallback;
  if (how == HumanEnd::answered || (how == HumanEnd::fell_back && !no)) {
    context_.facts.set(
        node, 0, 0,
        how == HumanEnd::answered ? answer_facts(human, done.asked.answers) : fallback_facts(human),
        false);
    return section_.finish(done.point);
  }
  section_.fail_at(node);
}

void HumanSteps::park(std::string reason) {
  section_.park({Parked::At::human_step, open_->point.node, std::move(reason)});
}

void HumanSteps::stop() {
  if (open_ && open_->prompting) context_.options.prompter->end("the run stops");
  open_.reset();
}

Duration HumanSteps::until_timeout() const {
  if (!open_ || !open_->asked.until) return Duration::max();
  return open_->asked.until->at - context_.clock.now();
}

}  // namespace cnplay::run
