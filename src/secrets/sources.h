// Where secrets come from: the environment, a command, a person. Resolved once, in preflight, and
// kept in memory alone.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "base/units.h"

namespace cnplay::secrets {

// Asks a person, without echo.
class Prompter {
 public:
  virtual ~Prompter() = default;
  // An Error if there is no terminal to ask on, or the person gave up.
  virtual Result<Secret> ask(const std::string& prompt) = 0;
};

// On /dev/tty, so that a redirected stdin or stdout does not matter.
class TerminalPrompter final : public Prompter {
 public:
  Result<Secret> ask(const std::string& prompt) override;
};

// The value of an environment variable of this process; unset or empty is an Error.
Result<Secret> from_environment(const std::string& variable);

// The output of a command without its last newline. Run without a shell, stdin /dev/null, stderr
// passed on; an exit code other than 0, no output, more than 64 KiB, or more than `timeout` is an
// Error.
Result<Secret> from_command(const std::vector<std::string>& argv,
                            Duration timeout = Duration{60'000});

}  // namespace cnplay::secrets
