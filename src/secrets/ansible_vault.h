// Reads whole files of ansible-vault (format 1.1, and 1.2 which adds a label; AES256): PBKDF2 of
// SHA-256, AES in counter mode, HMAC of SHA-256, a YAML map of strings inside. Read only.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/text.h"
#include "secrets/vault_format.h"

namespace cnplay::secrets {

struct AnsibleVault {
  std::string salt;
  std::string mac;
  std::string ciphertext;
};

bool looks_like_ansible_vault(std::string_view bytes);
// `name` is the file, for the errors: another version or cipher, damage.
Result<AnsibleVault> parse_ansible_vault(const std::string& name, std::string_view bytes);
// The format cannot tell a wrong password from a file that was changed: the Error names both.
Result<VaultEntries> read_ansible_vault(const std::string& name, std::string_view bytes,
                                        const Secret& password);

}  // namespace cnplay::secrets
