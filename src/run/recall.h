// What a run that has ended has found out and done, from its record: what a way back that is taken
// later has to go by.
#pragma once

#include <vector>

#include "events/event.h"
#include "plan/plan.h"
#include "run/facts.h"

namespace cnplay::run {

// Facts of its steps and answers of its people, and which steps have changed something where. What
// its undo and its own ways back did is left out. A fact that holds a secret is not on record: who
// needs it fails.
void recall(const plan::Plan& plan, const std::vector<events::Event>& record, FactStore& facts);

// Whether a fact is of the way forward, not of a rollback.
struct Context;
bool of_the_way_forward(const Context& context, const plan::FactRef& ref);

}  // namespace cnplay::run
