#include "cli/secret_store.h"

#include "diag/diagnostic.h"

namespace cnplay::cli {
namespace {

// Behind the run's id in the mark of a value. It outlives the run, for who resumes it knows nothing
// of its --limit.
constexpr const char* kPart = " (a part of the hosts)";

}  // namespace

Result<Secret> SecretStore::get(std::uint32_t index) {
  if (const auto it = values_.find(index); it != values_.end()) return it->second;
  const plan::SecretSource& source = plan_.secrets[index];
  const auto value = [&]() -> Result<Secret> {
    using Kind = plan::SecretSource::Kind;
    switch (source.kind) {
      case Kind::env:
        return secrets::from_environment(source.arguments.at(0));
      case Kind::command:
        return secrets::from_command(source.arguments);
      case Kind::ask:
        return prompter_.ask(source.arguments.at(0));
      case Kind::vault:
        return from_vault(source);
      case Kind::generate:
        return generated(source);
    }
    return fail("this source of secrets is not known to this cnplay", "use the one that wrote it");
  }();
  if (!value) {
    return fail("the secret `" + source.name + "` (" + source.where + "): " + value.error().what,
                value.error().help);
  }
  teach(source.name, *value);
  values_.emplace(index, *value);
  return *value;
}

void SecretStore::teach(const std::string& name, const Secret& value) {
  redactor_.add(name, value);
  if (secrets::Redactor::is_short(value)) short_ones_.push_back(name);
}

// Former values are still valid somewhere: they are redacted as well.
Secret SecretStore::taught(const std::string& name, const secrets::VaultEntry& entry) {
  if (entry.former) teach(name + ", former", *entry.former);
  return entry.value;
}

Result<Secret> SecretStore::from_vault(const plan::SecretSource& source) {
  const auto vault = vault_.open();
  if (!vault) return vault.error();
  const std::string& path = source.arguments.at(0);
  if (const auto* entry = (*vault)->find(path)) return taught(source.name, *entry);
  const std::string near = diag::did_you_mean(path, (*vault)->paths());
  return fail(vault_.file() + " has no `" + path + "`",
              near.empty() ? "put it there: cnplay vault set" : "did you mean `" + near + "`?");
}

Result<Secret> SecretStore::generated(const plan::SecretSource& source) {
  const auto vault = vault_.open();
  if (!vault) return vault.error();
  const std::string& path = source.arguments.at(0);
  const std::size_t length = std::stoul(source.arguments.at(1));
  const bool rotate = source.arguments.at(2) == "rotate";
  secrets::VaultEntries entries = (*vault)->entries();
  const auto* there = (*vault)->find(path);
  const bool part = part_ || (there != nullptr && there->run == run_ + kPart);
  const std::string mark = part ? run_ + kPart : run_;
  const bool changes = secrets::settle_generated(entries, path, length, rotate, mark);
  if (!changes || !stores_) {
    if (stores_ && !entries[path].run.empty()) uncommitted_.push_back(path);
    return taught(source.name, entries[path]);
  }
  // What is true now is looked at again under the lock. It is on disk before any host sees it.
  const auto settle = [&](secrets::VaultEntries& now) -> Status {
    secrets::settle_generated(now, path, length, rotate, mark);
    return {};
  };
  if (auto status = (*vault)->change(vault_.disk(), vault_owner(), settle); !status) {
    return status.error();
  }
  const secrets::VaultEntry& entry = *(*vault)->find(path);
  if (!entry.run.empty()) uncommitted_.push_back(path);
  return taught(source.name, entry);
}

std::optional<Secret> SecretStore::known(std::uint32_t index) const {
  const auto it = values_.find(index);
  return it == values_.end() ? std::nullopt : std::optional(it->second);
}

Result<Secret> SecretStore::ask(const std::string& name, const std::string& prompt) {
  auto value = prompter_.ask(prompt);
  if (value) teach(name, *value);
  return value;
}

Status SecretStore::commit() {
  if (uncommitted_.empty()) return {};
  const auto vault = vault_.open();
  if (!vault) return vault.error();
  auto status =
      (*vault)->change(vault_.disk(), vault_owner(), [&](secrets::VaultEntries& entries) -> Status {
        secrets::commit_rotations(entries, run_);
        return {};
      });
  if (status) {
    std::erase_if(uncommitted_, [&](const std::string& path) {
      const auto* entry = (*vault)->find(path);
      return entry == nullptr || entry->run.empty();
    });
  }
  return status;
}

std::string short_secret(const std::string& name) {
  return "warning: the secret `" + name +
         "` has fewer than 6 characters: it is easily guessed, and redaction finds it only as it "
         "is, "
         "or not at all\nhelp: use a longer one";
}

}  // namespace cnplay::cli
