#include "secrets/ansible_vault.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <vector>

#include "secrets/vault_yaml.h"

namespace cnplay::secrets {
namespace {

constexpr std::string_view kAnsibleMagic = "$ANSIBLE_VAULT;";
constexpr int kIterations = 10'000;
constexpr std::size_t kKey = 32;
constexpr std::size_t kBlock = 16;
// The cipher's key, the MAC's key, the counter's beginning.
using Keys = std::array<unsigned char, 2 * kKey + kBlock>;

const unsigned char* bytes_of(const std::string& s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

// False if it is not all hexadecimal, in pairs; as ansible-vault writes it, so that there is one
// text for one file.
bool read_hex(std::string_view text, std::string& out) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
  }
  return true;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  while (true) {
    const auto at = text.find(by);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

Error damaged_ansible(const std::string& name, const std::string& how) {
  return fail(name + " is damaged: " + how,
              "take it from a backup or from version control; nothing was written to it");
}

Secret decrypt(const AnsibleVault& vault, const Keys& keys) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  std::string plain(vault.ciphertext.size(), '\0');
  int size = 0;
  if (!context ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_ctr(), nullptr, keys.data(),
                         keys.data() + 2 * kKey) != 1 ||
      EVP_DecryptUpdate(context.get(), reinterpret_cast<unsigned char*>(plain.data()), &size,
                        bytes_of(vault.ciphertext),
                        static_cast<int>(vault.ciphertext.size())) != 1) {
    throw std::runtime_error("OpenSSL cannot decrypt AES-256-CTR");
  }
  return Secret(std::move(plain));
}

}  // namespace

bool looks_like_ansible_vault(std::string_view bytes) { return bytes.starts_with(kAnsibleMagic); }

Result<AnsibleVault> parse_ansible_vault(const std::string& name, std::string_view bytes) {
  std::string_view head = bytes.substr(0, bytes.find('\n'));
  std::string_view rest = bytes.substr(std::min(bytes.size(), head.size() + 1));
  if (head.ends_with('\r')) head.remove_suffix(1);
  const auto words = split(head.substr(kAnsibleMagic.size()), ';');
  const bool first = words[0] == "1.1" && words.size() == 2;
  const bool labelled = words[0] == "1.2" && words.size() == 3;
  if ((!first && !labelled) || words[1] != "AES256") {
    return fail(name + " is a file of ansible-vault in a format that is not read here: " +
                    Untrusted(std::string(head)).display(60),
                "1.1 and 1.2 with AES256 are read");
  }
  std::string hex(rest);
  std::erase_if(hex, [](char c) { return c == '\n' || c == '\r'; });
  std::string inner;
  if (hex.empty()) return damaged_ansible(name, "there is nothing after its first line");
  if (!read_hex(hex, inner))
    return damaged_ansible(name, "it is not all hexadecimal digits in pairs");
  const auto parts = split(inner, '\n');
  AnsibleVault vault;
  if (parts.size() != 3 || !read_hex(parts[0], vault.salt) || !read_hex(parts[1], vault.mac) ||
      !read_hex(parts[2], vault.ciphertext) || vault.salt.empty() ||
      vault.mac.size() != crypto_auth_hmacsha256_BYTES || vault.ciphertext.empty() ||
      vault.ciphertext.size() % kBlock != 0) {
    return damaged_ansible(name, "it is truncated or was changed");
  }
  return vault;
}

Result<VaultEntries> read_ansible_vault(const std::string& name, std::string_view bytes,
                                        const Secret& password) {
  const auto vault = parse_ansible_vault(name, bytes);
  if (!vault) return vault.error();
  Keys keys{};
  if (PKCS5_PBKDF2_HMAC(password.reveal().data(), static_cast<int>(password.reveal().size()),
                        bytes_of(vault->salt), static_cast<int>(vault->salt.size()), kIterations,
                        EVP_sha256(), static_cast<int>(keys.size()), keys.data()) != 1) {
    throw std::runtime_error("OpenSSL cannot do PBKDF2 with SHA-256");
  }
  crypto_auth_hmacsha256_state state;
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  crypto_auth_hmacsha256_init(&state, keys.data() + kKey, kKey);
  crypto_auth_hmacsha256_update(&state, bytes_of(vault->ciphertext), vault->ciphertext.size());
  crypto_auth_hmacsha256_final(&state, mac.data());
  const bool same = sodium_memcmp(mac.data(), vault->mac.data(), mac.size()) == 0;
  const Secret padded = same ? decrypt(*vault, keys) : Secret();
  sodium_memzero(keys.data(), keys.size());
  sodium_memzero(&state, sizeof state);
  if (!same) {
    return fail("wrong password for " + name + ", or the file is damaged",
                "`ansible-vault view " + name + "` must be able to read it");
  }
  const std::string& plain = padded.reveal();
  const auto padding = static_cast<unsigned char>(plain.back());
  if (padding == 0 || padding > kBlock) return damaged_ansible(name, "its padding is wrong");
  auto texts = read_yaml(name, Secret(plain.substr(0, plain.size() - padding)));
  if (!texts) return texts.error();
  VaultEntries entries;
  for (auto& [path, value] : *texts) entries[path].value = std::move(value);
  return entries;
}

}  // namespace cnplay::secrets
