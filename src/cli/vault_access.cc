#include "cli/vault_access.h"

#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "cli/wiring.h"

namespace cnplay::cli {
namespace fs = std::filesystem;

std::string vault_file_of(const std::string& inventory_file) {
  const fs::path file = fs::path(inventory_file).replace_extension(".vault");
  std::error_code error;
  if (!fs::is_symlink(file, error)) return file.string();
  const fs::path target = fs::weakly_canonical(file, error);
  return error ? file.string() : target.string();
}

Result<secrets::VaultPasswordSource> vault_password_source(const Options& options) {
  std::string file = options.vault_key_file;
  std::string command = options.vault_key_command;
  if (file.empty() && command.empty()) {
    file = environment("CNPLAY_VAULT_KEY_FILE");
    command = environment("CNPLAY_VAULT_KEY_COMMAND");
    if (!file.empty() && !command.empty()) {
      return fail("both CNPLAY_VAULT_KEY_FILE and CNPLAY_VAULT_KEY_COMMAND are set",
                  "unset one of them, or say --vault-key-file or --vault-key-command");
    }
  }
  secrets::VaultPasswordSource source;
  if (!file.empty()) source.key_file = expand_home(file);
  std::istringstream words(command);
  for (std::string word; words >> word;) source.command.push_back(word);
  return source;
}

std::string vault_owner() {
  return user_name() + " on " + machine_name() + ", process " + std::to_string(::getpid());
}

Result<std::unique_ptr<VaultAccess>> VaultAccess::make(const Options& options, std::string file) {
  auto source = vault_password_source(options);
  if (!source) return source.error();
  return std::make_unique<VaultAccess>(std::move(file), *std::move(source),
                                       std::make_unique<secrets::TerminalPrompter>());
}

Result<secrets::Vault*> VaultAccess::open() {
  if (!vault_) {
    vault_ = [&]() -> Result<secrets::Vault> {
      if (file_.empty()) {
        return fail("the run does not name the vault that it was started with", "start a new run");
      }
      // A person types no password for what cannot be opened anyway.
      if (auto status = secrets::Vault::inspect(disk_, file_); !status) return status.error();
      const auto password = secrets::vault_password(source_, *prompter_, file_);
      if (!password) return password.error();
      return secrets::Vault::open(disk_, file_, *password);
    }();
  }
  if (!*vault_) return vault_->error();
  return &**vault_;
}

Result<std::optional<std::vector<std::string>>> VaultAccess::paths(bool may_ask) {
  if (source_.asks() && !may_ask && !vault_) {
    if (auto status = secrets::Vault::inspect(disk_, file_); !status) return status.error();
    return std::optional<std::vector<std::string>>();
  }
  const auto vault = open();
  if (!vault) return vault.error();
  return std::optional((*vault)->paths());
}

}  // namespace cnplay::cli
