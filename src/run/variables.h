// Values as the scripts on the hosts see them: shell variables. The only place where a secret is
// put in the place of its name.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "plan/plan.h"
#include "remote/remote.h"

namespace cnplay::run {

// What stands behind a reference: for plan::Environment::secret, where a task is made.
Result<std::string> reveal(const plan::SecretRef& ref, const std::vector<Secret>& secrets);

// The text of a value for a script (docs/module-scripts.md, "Parameters"). An Error
// for what no script can be given: an item of a list with a newline, a NUL, a list in a list.
// Sets `secret` if a secret went into it.
Result<std::string> script_text(const plan::Value& value, const std::vector<Secret>& secrets,
                                bool& secret);

// The variable of one parameter from its resolved value. Errors name the parameter, and show no
// value.
Result<remote::Variable> variable(const plan::Param& param, const plan::Value& value,
                                  const std::vector<Secret>& secrets);

// What the scripts of the node find in their environment on this host.
void set_environment(remote::Task& task, const plan::Node& node, std::size_t position);

}  // namespace cnplay::run
