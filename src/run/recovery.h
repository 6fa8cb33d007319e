// What answers a failure: handlers first, then `on_failure` of the innermost phase, or undo.
// Rollbacks: offered to people after a failure, begun by a deadline, or of a run of their own.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "events/event.h"
#include "plan/plan.h"
#include "run/context.h"
#include "run/ending.h"
#include "run/section_run.h"
#include "run/undo_log.h"

namespace cnplay::run {

class Recovery {
 public:
  // `drive`: runs what `section` has begun, until nothing is left or it stops.
  Recovery(Context& context, UndoLog& undo, Ending& ending, SectionRun& section,
           std::function<void()> drive)
      : context_(context),
        undo_(undo),
        ending_(ending),
        section_(section),
        drive_(std::move(drive)) {}

  // Answers the failure of the main section.
  void respond();
  // Undoes what is registered, in reverse order of the steps entered, a barrier between two.
  // Continues after an undo that fails.
  void undo_all();
  // Carries out a rollback. It stands on its own: hosts that have failed before take part, failures
  // are counted from zero, and nothing else is undone.
  void roll_back(const plan::Rollback& rollback);
  // Carries out a section, and the handlers that it notified.
  void run_section(const plan::Section& section, events::Part part);

 private:
  const plan::OnFailure* answer_for(plan::NodeId node) const;
  void hold(const plan::Response& response);
  bool offer(const plan::Response& response);
  std::optional<std::string> chosen(const plan::Response& response) const;

  Context& context_;
  UndoLog& undo_;
  Ending& ending_;
  SectionRun& section_;
  std::function<void()> drive_;
};

}  // namespace cnplay::run
