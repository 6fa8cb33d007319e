// Human steps on the way forward: who is there is asked, what was said is judged, and where nobody
// can answer the run is parked.
#include "base/lines.h"
#include "run/conditions.h"
#include "run/runner.h"

namespace cnplay::run {

using events::HumanEnd;

void Runner::begin_human(const Ready& point) {
  const plan::Node& node = context_.plan.node(point.node);
  const plan::Human& human = *node.human;
  if (const std::string out = out_of(node); !out.empty()) {
    context_.emit.notice("`" + node.title + "` is left out: " + out);
    context_.emit(events::HumanEnded{point.node, HumanEnd::skipped, Duration{0}});
    return walk_->finish(point);
  }
  if (!node.left_out.empty()) {
    context_.emit(events::HumanEnded{point.node, HumanEnd::skipped, Duration{0}});
    return walk_->finish(point);
  }
  const plan::Environment environment = context_.environment();
  const Condition when = node.when.empty() ? Condition{} : condition_of(context_, node.when.at(0));
  if (when.kind == Condition::Kind::unknown) {
    context_.emit.notice(node.where + ": whether people are asked is not known: its `when`" +
                         when.why);
    return fail_at(point.node);
  }
  if (when.kind == Condition::Kind::fails) {
    context_.emit(events::HumanEnded{point.node, HumanEnd::skipped, Duration{0}});
    return walk_->finish(point);
  }
  const bool known = when.kind == Condition::Kind::holds;
  if (context_.dry()) {
    context_.emit.notice(
        std::string("a run would ") +
        (human.kind == plan::HumanKind::manual ? "wait here for people to do" : "ask people here") +
        ": " + node.title + (known ? "" : ", if its `when` holds"));
    context_.facts.set(point.node, 0, 0, {}, true);
    return walk_->finish(point);
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
  // A record says it to the millisecond.
  if (const auto until = context_.replay.until(point.node)) asked.until = until;
  human_.emplace(HumanWait{point, std::move(asked), context_.clock.steady(), false});
  context_.emit(events::HumanStarted{point.node, human_->asked.items, human_->asked.questions,
                                     human_->asked.until});
  look_at_human();
}

void Runner::look_at_human() {
  while (human_ && !stopping_) {
    const plan::NodeId node = human_->point.node;
    if (context_.replay.active()) {
      if (const auto* answer = context_.replay.answered(node)) {
        take_answer(*answer);
      } else if (const auto how = context_.replay.time_over(node)) {
        end_human(*how);
      } else {
        return;
      }
      continue;
    }
    // The record ends here: first the hosts are what they are now.
    if (!context_.replay.live()) return;
    if (human_->asked.until && context_.clock.now() >= human_->asked.until->at) {
      const bool fell_back = !human_->asked.node->human->fallback.is_none();
      end_human(fell_back ? HumanEnd::fell_back : HumanEnd::timed_out);
    } else if (!human_->begun) {
      ask_people();
    } else if (auto reply = context_.options.prompter->poll()) {
      human_->begun = false;
      context_.options.prompter->end("");
      if (reply->later) return park("left for later by " + context_.options.user);
      take_answer(std::move(reply->answer));
    } else {
      return;
    }
  }
}

// A person who is there, if they may; else the run waits without us.
void Runner::ask_people() {
  const plan::Human& human = *human_->asked.node->human;
  const Options& options = context_.options;
  const Person person{options.user, options.controller, options.groups};
  const auto right = right_to_answer(human, person);
  if (!right) return park(right.error().what);
  for (const events::HumanAnswered& answer : human_->asked.answers) {
    if (answer.user == options.user) {
      return park(std::to_string(still_needed(human, human_->asked.answers)) +
                  " more must answer, other than " + options.user);
    }
  }
  if (options.prompter == nullptr) return park("nobody is at a terminal");
  human_->begun = true;
  options.prompter->begin(human_->asked);
}

void Runner::take_answer(events::HumanAnswered answer) {
  const plan::Human& human = *human_->asked.node->human;
  const Options& options = context_.options;
  answer.node = human_->point.node;
  if (!context_.replay.active()) {
    answer.user = options.user;
    answer.controller = options.controller;
    const auto right =
        right_to_answer(human, Person{options.user, options.controller, options.groups});
    answer.by = right ? *right : "";
  }
  auto& answers = human_->asked.answers;
  if (const Status good = check_answer(human, answer, answers); !good) {
    if (context_.replay.active()) {
      return context_.replay.refuse("an answer to `" + human_->asked.node->title +
                                    "` does not count: " + good.error().what);
    }
    context_.emit.notice("this answer does not count: " + good.error().what);
    return;
  }
  const bool yes = answer.yes;
  answers.push_back(answer);
  context_.emit(std::move(answer));
  if (!yes) return end_human(HumanEnd::refused);
  if (still_needed(human, answers) > 0) return;
  end_human(HumanEnd::answered);
}

void Runner::end_human(HumanEnd how) {
  if (human_->begun) context_.options.prompter->end("the time to answer is over");
  HumanWait done = *std::exchange(human_, std::nullopt);
  human_end_ = how;
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
    return walk_->finish(done.point);
  }
  fail_at(node);
}

// Connections are let go; who resumes the run finds it here.
void Runner::park(std::string reason) {
  ending_.parked = human_->point.node;
  ending_.parked_why = std::move(reason);
  stop();
}

// Nothing is at work, and nothing will be before the clock says so.
bool Runner::only_waits() const {
  return part_ == events::Part::forward && !waits_.empty() && !human_ && steps_.count() == 0 &&
         !steps_.withdrawing() && ready_.empty() && placed_.empty() && parked_.empty() &&
         undecided_.empty() && held_.empty() && window_.behind.empty() && !stopping_ &&
         !context_.replay.active();
}

// A Ctrl-C there, or a terminal that is closed, ends nothing: whoever resumes the run waits on.
void Runner::leave_wait() {
  const auto next =
      std::ranges::min_element(waits_, {}, [](const Wait& wait) { return wait.until.at; });
  ending_.parked = next->point.node;
  ending_.parked_at_wait = true;
  ending_.parked_why = "left while it waits until " + format_time(next->until);
  stop();
}

RunResult Runner::parked() {
  const plan::Node& node = context_.plan.node(*ending_.parked);
  const std::string& run = context_.options.run_id;
  events::RunParked parked;
  parked.reason = ending_.parked_why;
  if (ending_.parked_at_window) {
    parked.advice = "Somebody decides: `cnplay resume " + run +
                    "` on a terminal asks whether to continue or to undo what was done; `cnplay "
                    "resume --yes " +
                    run + "` continues.\nNext is `" + one_line(node.title) + "`.";
    return end_parked(std::move(parked));
  }
  parked.node = node.id;
  if (ending_.parked_at_wait) {
    parked.advice = "To continue: cnplay resume " + run +
                    "\nIt then waits on, or continues at once if the time has come";
    parked.advice +=
        node.late_by ? "; later than " + human_duration(*node.late_by) + " after it, it asks first."
                     : std::string(".");
    return end_parked(std::move(parked));
  }
  const std::string name = node.path.substr(node.path.find('/') + 1);
  const std::string who = who_may(*node.human);
  parked.advice = (who.empty() ? "To answer: " : "To answer, as " + who + ": ") + "cnplay answer " +
                  run + " " + name + " " + answer_words(*node.human) +
                  "\nThen continue: cnplay resume " + run;
  return end_parked(std::move(parked));
}

RunResult Runner::end_parked(events::RunParked parked) {
  if (summary_.in_outage()) parked.advice += "\nThe outage continues meanwhile.";
  RunResult result{events::Verdict::parked, parked.advice, std::nullopt, false};
  context_.emit(std::move(parked));
  return result;
}

}  // namespace cnplay::run
