#include "secrets/vault_password.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace cnplay::secrets {
namespace {

constexpr std::size_t kMaxKeyFile = 64u << 10;
constexpr std::size_t kShortestPassword = 8;

Result<Secret> from_key_file(const std::string& path, const std::string& vault) {
  const std::string shown = "the key file " + path + " of " + vault;
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) {
    return fail(shown + " cannot be read: " + std::strerror(errno),
                "name another with --vault-key-file, or CNPLAY_VAULT_KEY_FILE");
  }
  if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)) return fail(shown + " is not a file");
  if (S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(shown + " can be read or written by others: not used", "chmod 600 " + path);
  }
  auto read = SystemDisk().read(path, kMaxKeyFile);
  if (!read) return fail(shown + ": " + read.error().what, read.error().help);
  if (read->ends_with('\n')) read->pop_back();
  if (read->empty()) return fail(shown + " is empty", "head -c 32 /dev/urandom | base64 > " + path);
  return Secret(*std::move(read));
}

Result<Secret> asked(Prompter& prompter, const std::string& prompt) {
  auto password = prompter.ask(prompt);
  if (password) return password;
  return fail(password.error().what,
              "on a terminal it is asked for; else name --vault-key-file or --vault-key-command");
}

Result<Secret> given(const VaultPasswordSource& source, const std::string& vault) {
  if (!source.key_file.empty()) return from_key_file(source.key_file, vault);
  auto password = from_command(source.command);
  if (password) return password;
  return fail("the password of " + vault + ": " + password.error().what, password.error().help);
}

}  // namespace

Result<Secret> vault_password(const VaultPasswordSource& source, Prompter& prompter,
                              const std::string& vault) {
  return source.asks() ? asked(prompter, "password of " + vault) : given(source, vault);
}

Result<Secret> new_vault_password(const VaultPasswordSource& source, Prompter& prompter,
                                  const std::string& vault) {
  if (!source.asks()) return given(source, vault);
  auto password = asked(prompter, "new password of " + vault);
  if (!password) return password;
  if (password->reveal().size() < kShortestPassword) {
    return fail("the password is too short: at least 8 characters",
                "anybody who has the file can try passwords: take several words");
  }
  const auto again = asked(prompter, "once more");
  if (!again) return again.error();
  if (again->reveal() != password->reveal()) {
    return fail("the two passwords differ: nothing was written", "try again");
  }
  return password;
}

}  // namespace cnplay::secrets
