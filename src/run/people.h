// Human steps: who may answer, what makes an answer whole, and how a person is asked. Used by the
// run, and by those who answer for a run that is parked.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::run {

struct Person {
  std::string user;
  std::string machine;
  std::vector<std::string> groups;  // of users, on the controller
};

// What a person is asked: a human step as it stands in this run.
struct Asked {
  const plan::Node* node = nullptr;    // human
  std::vector<std::string> items;      // the texts of its items and questions, with facts in them
  std::vector<std::string> questions;  // "" where the title says it
  std::optional<Time> until;
  std::vector<events::HumanAnswered> answers;  // so far
};

// The human step at which a run with this record stands, with what was answered; nullopt: it is at
// none. The record must fit the plan, and `plan` outlive the result.
std::optional<Asked> asked_in(const plan::Plan& plan, const std::vector<events::Event>& record);

// The entry of `by` that lets this person answer; "" where anybody may. An Error says who may.
Result<std::string> right_to_answer(const plan::Human& human, const Person& person);

// Whether `answer` may be given after `before`, and is whole: who says it has the right (its `by`)
// and has not answered already; all evidence is there and of its type.
Status check_answer(const plan::Human& human, const events::HumanAnswered& answer,
                    std::span<const events::HumanAnswered> before);

// A text that somebody typed as the value of a question. The Error says what was expected.
Result<plan::Value> read_answer(const plan::Question& question, const Untrusted& text);

// What all answers make the facts of the node. They were checked.
plan::Record answer_facts(const plan::Human& human, std::span<const events::HumanAnswered> answers);
// The same where the node's time is over.
plan::Record fallback_facts(const plan::Human& human);

// How many more people must say yes.
std::size_t still_needed(const plan::Human& human, std::span<const events::HumanAnswered> answers);

// For people: "ann, bob or a member of the group ops"; "" where anybody may.
std::string who_may(const plan::Human& human);
// "a duration (such as 10m)", "one of fast, slow".
std::string what_fits(const plan::Question& question);
// "then it counts as approved", "then the answer is 10m", "then it has failed".
std::string what_holds_after(const plan::Human& human);

// How `cnplay answer RUN STEP` goes on for this step: `--done serial=...`.
std::string answer_words(const plan::Human& human);

// Asks a person who is there. The runner's thread calls all of it; none of it may block for long.
class Prompter {
 public:
  struct Reply {
    bool later = false;            // leave the run parked here
    events::HumanAnswered answer;  // else: `yes`, `values` and `remark`
  };
  virtual ~Prompter() = default;
  // Shows what is asked. One step at a time; end() is called before the next begin().
  virtual void begin(const Asked& asked) = 0;
  // What was said since; nothing while the person is thinking. After a reply, end() follows.
  virtual std::optional<Reply> poll() = 0;
  // Nobody waits for an answer any more. `why`: if the person has not been told by their own reply.
  virtual void end(const std::string& why) = 0;
};

}  // namespace cnplay::run
