// What came of an action, as a pure function of what the host reported: the table "Outcomes of an
// action" of docs/module-scripts.md.
#pragma once

#include <optional>
#include <string>

#include "base/text.h"
#include "events/event.h"
#include "plan/plan.h"
#include "remote/remote.h"

namespace cnplay::run {

// What the table needs to know of an action.
struct Shape {
  bool has_check = false;
  bool has_apply = false;
  plan::Verify verify = plan::Verify::by_check;
};
Shape shape_of(const plan::Action& action);

struct Decision {
  events::Outcome outcome{};
  Untrusted message;             // the host's words
  std::string reason;            // ours, where we judge
  std::optional<int> exit_code;  // of the stage that decided, if one ran
  bool applied = false;          // apply ran, or may have: there may be something to undo
};

Decision decide(const Shape& shape, events::Mode mode, const remote::TaskResult& result);

// Of an action that is checked alone: whether it would change something, which is no change that
// is still to be made. nullopt: it failed.
std::optional<bool> answer_of(Decision& decision);

// The worse of two: failed, unknown, unreachable, aborted, would_change, would_run, depends,
// changed, ok, skipped.
events::Outcome worst(events::Outcome a, events::Outcome b);
// failed, unknown, unreachable, aborted.
bool is_failure(events::Outcome outcome);
// would_change, would_run, depends: a run would, or might, change something here.
bool is_unapplied(events::Outcome outcome);

}  // namespace cnplay::run
