// The secrets of a plan: each resolved once, in preflight, and made known to the redactor.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/vault_access.h"
#include "plan/plan.h"
#include "secrets/redactor.h"
#include "secrets/sources.h"

namespace cnplay::cli {

class SecretStore {
 public:
  // `run`: the id that generated values are marked with; `part`: it is for a part of the hosts
  // (--limit), so that others still have the former values, and it commits nothing. Unless `stores`
  // (a dry run, a preflight alone) a value that would be generated is made up and forgotten, and
  // the vault stays as it is.
  SecretStore(const plan::Plan& plan, secrets::Prompter& prompter, secrets::Redactor& redactor,
              VaultAccess& vault, std::string run, bool part, bool stores)
      : plan_(plan),
        prompter_(prompter),
        redactor_(redactor),
        vault_(vault),
        run_(std::move(run)),
        part_(part),
        stores_(stores) {}

  Result<Secret> get(std::uint32_t index);
  // The secret if it has been resolved (no prompt, no command).
  std::optional<Secret> known(std::uint32_t index) const;
  // A secret that is no part of the plan (-k, -K).
  Result<Secret> ask(const std::string& name, const std::string& prompt);

  // The run has succeeded: what it generated for all hosts is in force, its former values are
  // forgotten.
  Status commit();
  // Names of secrets that are so short that redaction finds them in part at most.
  const std::vector<std::string>& short_ones() const { return short_ones_; }
  // Paths of what is generated, new, and not committed.
  const std::vector<std::string>& uncommitted() const { return uncommitted_; }

 private:
  Result<Secret> from_vault(const plan::SecretSource& source);
  Result<Secret> generated(const plan::SecretSource& source);
  void teach(const std::string& name, const Secret& value);
  Secret taught(const std::string& name, const secrets::VaultEntry& entry);

  const plan::Plan& plan_;
  secrets::Prompter& prompter_;
  secrets::Redactor& redactor_;
  VaultAccess& vault_;
  std::string run_;
  bool part_;
  bool stores_;
  std::map<std::uint32_t, Secret> values_;
  std::vector<std::string> uncommitted_;
  std::vector<std::string> short_ones_;
};

// What people are told of such a secret.
std::string short_secret(const std::string& name);

}  // namespace cnplay::cli
