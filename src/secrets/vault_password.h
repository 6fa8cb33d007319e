// Where the password of a vault comes from: a person, a key file, a command.
#pragma once

#include <string>
#include <vector>

#include "base/disk.h"
#include "secrets/sources.h"

namespace cnplay::secrets {

// At most one of the two; neither: a person is asked.
struct VaultPasswordSource {
  std::string key_file;
  std::vector<std::string> command;  // argv
  bool asks() const { return key_file.empty() && command.empty(); }
};

// The password of the vault `vault`. A key file must be readable for its owner alone; its last
// newline does not count.
Result<Secret> vault_password(const VaultPasswordSource& source, Prompter& prompter,
                              const std::string& vault);
// The same for a password that is to be: a person gives it twice, and at least 8 characters.
Result<Secret> new_vault_password(const VaultPasswordSource& source, Prompter& prompter,
                                  const std::string& vault);

}  // namespace cnplay::secrets
