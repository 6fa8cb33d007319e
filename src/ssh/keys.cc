#include "ssh/keys.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace cnplay::ssh {
namespace {

// libssh asks for a passphrase only if the file is encrypted: note that, and give none.
int note_encrypted(const char*, char*, size_t, int, int, void* encrypted) {
  *static_cast<bool*>(encrypted) = true;
  return -1;
}

Result<Key> read_key(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) {
    return fail("the key file " + path + " cannot be read: " + std::strerror(errno),
                "check `identity` of this host in the inventory");
  }
  bool encrypted = false;
  ssh_key key = nullptr;
  const int rc =
      ssh_pki_import_privkey_file(path.c_str(), nullptr, note_encrypted, &encrypted, &key);
  if (rc == SSH_OK) return adopt_key(key);
  if (encrypted) {
    return fail("the key file " + path + " is encrypted",
                "give the key to ssh-agent: run `ssh-add " + path + "`, then cnplay again");
  }
  return fail("the file " + path + " is no private key",
              "give the private key's file (not the .pub file), in OpenSSH or PEM format");
}

}  // namespace

Key adopt_key(ssh_key key) { return Key(key, ssh_key_free); }

std::string fingerprint(ssh_key key) {
  unsigned char* hash = nullptr;
  std::size_t length = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != 0) {
    return "an unreadable key";
  }
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length);
  std::string out = text == nullptr ? "an unreadable key" : text;
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return out;
}

std::string fingerprint(const std::string& type, const std::string& blob) {
  ssh_key key = nullptr;
  const auto kind = ssh_key_type_from_name(type.c_str());
  if (ssh_pki_import_pubkey_base64(blob.c_str(), kind, &key) != SSH_OK) return "an unreadable key";
  return fingerprint(adopt_key(key).get());
}

Result<Key> KeyCache::load(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(path);
  if (found != keys_.end()) return found->second;
  return keys_.emplace(path, read_key(path)).first->second;
}

}  // namespace cnplay::ssh
