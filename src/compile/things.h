// Which later actions of a host look at a thing that an earlier one may change: by what the modules
// declare, and the values of parameters that are known when the plan is made.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "plan/plan.h"

namespace cnplay::compile {

// As the module has it: "service:${name}".
std::vector<std::string> touched(const catalog::Module& module);

// Whether two names may mean the same thing. `*` at the end of one stands for every end, and so
// does `all` for supervisor's programs. A path is the same as what is in it.
bool same_thing(const std::string& a, const std::string& b);

// Fills Action::depends_on of all actions.
void find_dependences(plan::Plan& plan, const catalog::Catalog& catalog);

}  // namespace cnplay::compile
