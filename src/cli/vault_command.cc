#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/lines.h"
#include "base/words.h"
#include "cli/commands.h"
#include "cli/editor.h"
#include "cli/output.h"
#include "cli/project.h"
#include "cli/secret_store.h"
#include "secrets/redactor.h"
#include "secrets/vault_yaml.h"

namespace cnplay::cli {
namespace {

using secrets::Vault;
using secrets::VaultEntries;

constexpr std::size_t kMaxValue = 64u << 10;

std::string shown(const std::string& path) { return "`" + Untrusted(path).display(255) + "`"; }

// Typed twice without echo; or all of stdin, without its last newline.
Result<Secret> value_of(const std::string& path, secrets::Prompter& prompter) {
  if (::isatty(0) == 1) {
    auto value = prompter.ask("value of " + path);
    if (!value) return value;
    const auto again = prompter.ask("once more");
    if (!again) return again.error();
    if (again->reveal() != value->reveal()) {
      return fail("the two values differ: nothing was written", "try again");
    }
    return value;
  }
  std::string text;
  text.reserve(kMaxValue + 8192);  // at once: growing would leave copies in the heap
  for (char buffer[4096]; text.size() <= kMaxValue;) {
    const ssize_t n = ::read(0, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(std::string("stdin cannot be read: ") + std::strerror(errno));
    if (n == 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  if (text.ends_with('\n')) text.pop_back();
  return Secret(std::move(text));
}

int init(VaultAccess& access) {
  if (::access(access.file().c_str(), F_OK) == 0) {
    return usage_error(fail(access.file() + " exists",
                            "`cnplay vault rekey` changes its password; to start with an empty "
                            "vault, move the file away"));
  }
  const auto password =
      secrets::new_vault_password(access.source(), access.prompter(), access.file());
  if (!password) return usage_error(password.error());
  const auto vault = Vault::create(access.disk(), access.file(), *password);
  if (!vault) return usage_error(vault.error());
  std::cout << access.file() << ": a new vault\n";
  return kSuccess;
}

int set(VaultAccess& access, Vault& vault, const std::string& path) {
  if (auto status = secrets::valid_vault_path(path); !status) return usage_error(status.error());
  const auto value = value_of(path, access.prompter());
  if (!value) return usage_error(value.error());
  if (auto status = secrets::valid_vault_value(*value); !status) return usage_error(status.error());
  bool replaced = false;
  const auto put = [&](VaultEntries& entries) -> Status {
    const auto [at, fresh] = entries.try_emplace(path);
    at->second.value = *value;  // what a rotation has under way stays under way
    replaced = !fresh;
    return {};
  };
  if (auto status = vault.change(access.disk(), vault_owner(), put); !status) {
    return usage_error(status.error());
  }
  if (secrets::Redactor::is_short(*value)) std::cerr << "cnplay: " << short_secret(path) << "\n";
  std::cout << access.file() << ": " << shown(path) << (replaced ? " is replaced\n" : " is new\n");
  return kSuccess;
}

int get(const Vault& vault, const Options& options) {
  const auto* entry = vault.find(options.topic);
  if (entry == nullptr) {
    const std::string near = diag::did_you_mean(options.topic, vault.paths());
    return usage_error(fail(vault.path() + " has no " + shown(options.topic),
                            near.empty() ? "`cnplay vault list` says what there is"
                                         : "did you mean " + shown(near) + "?"));
  }
  if (options.former && !entry->former) {
    return usage_error(
        fail("no former value of " + shown(options.topic) + " is kept",
             "a former value is kept from a rotation until a run has succeeded with the new one"));
  }
  const Secret& value = options.former ? *entry->former : entry->value;
  if (auto status = Output::exactly(value.reveal() + "\n"); !status) {
    return usage_error(status.error());
  }
  return std::cout.flush() ? kSuccess : kFailed;
}

int list(const Vault& vault, const Options& options) {
  if (options.json) {
    nlohmann::json paths = nlohmann::json::array();
    for (const auto& [path, entry] : vault.entries()) {
      nlohmann::json one = {{"path", to_valid_utf8(path)}, {"former", entry.former.has_value()}};
      if (!entry.run.empty()) one["run"] = entry.run;
      paths.push_back(std::move(one));
    }
    std::cout << dump_json(nlohmann::json{{"version", 1}, {"paths", std::move(paths)}}) << "\n";
    return kSuccess;
  }
  for (const auto& [path, entry] : vault.entries()) {
    std::cout << one_line(path);
    if (!entry.run.empty()) {
      std::cout << "  (new in " << one_line(entry.run, 100) << ", not committed"
                << (entry.former ? "; the former value is kept)" : ")");
    }
    std::cout << "\n";
  }
  return kSuccess;
}

// What a person made of the entries; a comment at the head says what was wrong the last time.
Status edited(VaultEntries& entries, const std::string& file) {
  secrets::SecretTexts texts;
  for (const auto& [path, entry] : entries) texts[path] = entry.value;
  const Secret body = secrets::write_yaml(texts);
  const auto check = secrets::read_yaml(file, body);
  const bool same = check && std::ranges::equal(*check, texts, [](const auto& a, const auto& b) {
                      return a.first == b.first && a.second.reveal() == b.second.reveal();
                    });
  if (!same) {
    return fail(file + " is not text: it cannot be edited", "use `cnplay vault set`");
  }
  Secret shown_text(
      "# " + file +
      ": one secret a line, path: \"value\". A line that you remove deletes its secret.\n" +
      body.reveal());
  Secret wrong;  // what the last try left
  while (true) {
    auto text = edit_in_memory(shown_text, "vault.yaml");
    if (!text) return text.error();
    auto read = secrets::read_yaml(file, *text);
    Status status = read ? Status() : Status(read.error());
    for (auto it = read ? read->begin() : texts.end(); status && read && it != read->end(); ++it) {
      status = secrets::valid_vault_path(it->first);
      if (status) status = secrets::valid_vault_value(it->second);
      if (!status) {
        status = fail(shown(it->first) + ": " + status.error().what, status.error().help);
      }
    }
    if (status) {
      std::erase_if(entries, [&](const auto& entry) { return !read->contains(entry.first); });
      for (auto& [path, value] : *read) entries[path].value = std::move(value);
      return {};
    }
    std::string rest = text->reveal();
    if (rest.starts_with("# WRONG: ")) rest.erase(0, rest.find('\n') + 1);
    if (rest == wrong.reveal()) return status;  // left as it was: given up
    wrong = Secret(rest);
    shown_text = Secret("# WRONG: " + status.error().what + "; " + status.error().help +
                        ". Fix it, or leave it as it is to give up.\n" + rest);
  }
}

int edit(VaultAccess& access, Vault& vault) {
  std::size_t count = 0;
  const auto by_hand = [&](VaultEntries& entries) -> Status {
    auto status = edited(entries, access.file());
    count = entries.size();
    return status;
  };
  if (auto status = vault.change(access.disk(), vault_owner(), by_hand); !status) {
    return usage_error(status.error());
  }
  std::cout << access.file() << ": " << count_of(count, "secret") << "\n";
  return kSuccess;
}

int rekey(VaultAccess& access, Vault& vault, const Options& options) {
  Options named;
  named.vault_key_file = options.new_vault_key_file;
  named.vault_key_command = options.new_vault_key_command;
  secrets::VaultPasswordSource source;  // never by the environment: that names the old one
  if (!named.vault_key_file.empty() || !named.vault_key_command.empty()) {
    auto given = vault_password_source(named);
    if (!given) return usage_error(given.error());
    source = *std::move(given);
  }
  const auto password = secrets::new_vault_password(source, access.prompter(), access.file());
  if (!password) return usage_error(password.error());
  if (auto status = vault.rekey(access.disk(), vault_owner(), *password); !status) {
    return usage_error(status.error());
  }
  std::cout << access.file()
            << ": has its new password; copies and backups still have the old one\n";
  return kSuccess;
}

}  // namespace

int vault_command(const Options& options) {
  const auto inventory = find_inventory(options.inventory);
  if (!inventory) return usage_error(inventory.error());
  const auto access = VaultAccess::make(options, vault_file_of(*inventory));
  if (!access) return usage_error(access.error());
  if (options.vault_action == VaultAction::init) return init(**access);
  const auto vault = (*access)->open();
  if (!vault) return usage_error(vault.error());
  switch (options.vault_action) {
    case VaultAction::set:
      return set(**access, **vault, options.topic);
    case VaultAction::get:
      return get(**vault, options);
    case VaultAction::edit:
      return edit(**access, **vault);
    case VaultAction::rekey:
      return rekey(**access, **vault, options);
    case VaultAction::init:
    case VaultAction::list:
      break;
  }
  return list(**vault, options);
}

}  // namespace cnplay::cli
