// The vault of an inventory, opened when it is first needed; its password is asked for once at
// most.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "cli/options.h"
#include "secrets/vault.h"
#include "secrets/vault_password.h"

namespace cnplay::cli {

// inventories/NAME.vault for inventories/NAME.inv; where that is a link, what it leads to (a writer
// would put a file in the link's place).
std::string vault_file_of(const std::string& inventory_file);

// Where the password comes from: --vault-key-file, --vault-key-command, else CNPLAY_VAULT_KEY_FILE
// or CNPLAY_VAULT_KEY_COMMAND, else a person. A command's words are parted by spaces; there is no
// shell.
Result<secrets::VaultPasswordSource> vault_password_source(const Options& options);

// "ann on laptop, process 7": who holds the lock of a vault.
std::string vault_owner();

class VaultAccess {
 public:
  VaultAccess(std::string file, secrets::VaultPasswordSource source,
              std::unique_ptr<secrets::Prompter> prompter)
      : file_(std::move(file)), source_(std::move(source)), prompter_(std::move(prompter)) {}

  // As the options say; `file` may be empty: then there is none to open.
  static Result<std::unique_ptr<VaultAccess>> make(const Options& options, std::string file);

  const std::string& file() const { return file_; }
  Disk& disk() { return disk_; }
  const secrets::VaultPasswordSource& source() const { return source_; }
  secrets::Prompter& prompter() { return *prompter_; }

  // The vault, or why it cannot be opened: the same answer every time.
  Result<secrets::Vault*> open();
  // Its paths. nullopt: it is there, but its password would have to be asked for, and not
  // `may_ask`.
  Result<std::optional<std::vector<std::string>>> paths(bool may_ask);

 private:
  std::string file_;
  secrets::VaultPasswordSource source_;
  std::unique_ptr<secrets::Prompter> prompter_;
  SystemDisk disk_;
  std::optional<Result<secrets::Vault>> vault_;
};

}  // namespace cnplay::cli
