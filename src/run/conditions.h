// What `when` says: of steps on their hosts, and of what is for no host or for all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plan/eval.h"
#include "plan/plan.h"
#include "run/context.h"

namespace cnplay::run {

struct Condition {
  enum class Kind {
    holds,
    fails,
    depends,  // a dry run: it reads a fact of a change that was not made
    unknown   // it cannot be evaluated
  } kind = Kind::holds;
  std::string why;  // unless it holds: what to put right after the name of the `when`
};

// What it is to the outcome of a step; nullopt: it holds.
std::optional<events::Outcome> outcome_of(const Condition& condition);

// `depends`: it reads a fact of a change that was not made.
Condition condition_of(const plan::Value& when, bool depends, plan::HostIndex host,
                       const plan::Environment& environment);
// The `when` of something that is for all hosts. `when` may be none: it holds.
Condition condition_of(const Context& context, const plan::Value& when);

// Whether the phases around hold, from the outermost on: the first that does not decides. `why`
// says which phase.
Condition condition_of_phases(const Context& context, std::uint32_t phase);

}  // namespace cnplay::run
