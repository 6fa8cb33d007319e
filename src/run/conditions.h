// What `when` says: of steps on their hosts, and of what is for no host or for all of them.
#pragma once

#include <cstdint>
#include <string>

#include "plan/plan.h"
#include "run/context.h"

namespace cnplay::run {

struct Condition {
  enum class Kind {
    holds,
    fails,
    depends,  // a dry run: it reads a fact of a change that was not made
    unknown   // it cannot be evaluated: `why`
  } kind = Kind::holds;
  std::string why;
};

// The `when` of something that is for all hosts. `when` may be none: it holds.
Condition condition_of(const Context& context, const plan::Value& when);

// Whether the phases around hold, from the outermost on: the first that does not decides. `why`
// says which phase.
Condition condition_of_phases(const Context& context, std::uint32_t phase);

}  // namespace cnplay::run
