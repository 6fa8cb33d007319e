// What a run has left to undo, by its record: the steps whose `undo` is registered still.
#pragma once

#include <set>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"
#include "run/take_up.h"
#include "run/undo_log.h"

namespace cnplay::run {

// `plan`: in force; `recorded`: with what else the record tells of (journal::Record::plan). A point
// of no return and a rollback leave nothing of what came before them. `undone`: what other runs
// have undone since.
std::vector<UndoLog::Step> undo_left(const plan::Plan& plan, const plan::Plan& recorded,
                                     const std::vector<events::Event>& record,
                                     const std::set<OnHost>& undone);
// The same into the log of a run that is to undo it.
void recall_undo(const plan::Plan& plan, const plan::Plan& recorded,
                 const std::vector<events::Event>& record, const std::set<OnHost>& undone,
                 UndoLog& log);

// What the run of this record has undone well.
std::set<OnHost> undone_by(const std::vector<events::Event>& record);

}  // namespace cnplay::run
