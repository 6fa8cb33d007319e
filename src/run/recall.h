// What a run that has ended has found out and done, from its record: what a way back that is taken
// later has to go by.
#pragma once

#include <optional>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"
#include "run/facts.h"

namespace cnplay::run {

// Facts of its steps and answers of its people, and which steps have changed something where. What
// its undo and its own ways back did is left out. A fact that holds a secret is not on record: who
// needs it fails.
// `recorded`: the plan with what else the record tells of.
void recall(const plan::Plan& plan, const plan::Plan& recorded,
            const std::vector<events::Event>& record, FactStore& facts);

// The same as the end of an action of the way forward, as it would have been told.
events::ActionEnded ended_of(const events::RanAhead& ran);

// The node in whose place this one stands in the record: the first with its path. nullopt: it is
// that itself.
std::optional<plan::NodeId> node_of_now(const plan::Plan& recorded, plan::NodeId node);

// Whether a fact is of the way forward, not of a rollback.
struct Context;
bool of_the_way_forward(const Context& context, const plan::FactRef& ref);

}  // namespace cnplay::run
