// Of a run that does again what it has done (`resume --from`, or goes forward once more): what is
// to be done again waits until the rest of the record has been replayed.
#pragma once

#include <deque>

#include "run/context.h"
#include "run/graph.h"
#include "run/section_control.h"
#include "run/undo_log.h"

namespace cnplay::run {

class Reruns {
 public:
  Reruns(Context& context, UndoLog& undo, SectionControl& section)
      : context_(context), undo_(undo), section_(section) {}

  // Whether the point waits; it is kept until then. `live`: its host takes part.
  bool defer(const Ready& ready, bool live);
  // Whether points wait.
  bool defers() const { return !deferred_.empty(); }
  // Begins them once the record has been replayed so far.
  void check();
  void stop() { deferred_.clear(); }

 private:
  Context& context_;
  UndoLog& undo_;
  SectionControl& section_;
  std::deque<Ready> deferred_;
};

}  // namespace cnplay::run
