#include "ssh/keys.h"

#include "ssh/transport.h"

#include <sys/stat.h>
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

Result<Key> read_key(const std::string& path, const KeyCache::Passphrase& passphrase) {
  if (::access(path.c_str(), R_OK) != 0) {
    return fail("the key file " + path + " cannot be read: " + std::strerror(errno),
                "check `identity` of this host in the inventory");
  }
  // As ssh does: a key of ours that others can read may have been taken.
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::getuid() &&
      (info.st_mode & 077U) != 0) {
    return fail("the key file " + path + " is not used: other users have access to it",
                "chmod 600 " + path + "; if they may have read it, take another key");
  }
  bool encrypted = false;
  ssh_key key = nullptr;
  const int rc =
      ssh_pki_import_privkey_file(path.c_str(), nullptr, note_encrypted, &encrypted, &key);
  if (rc == SSH_OK) return adopt_key(key);
  if (encrypted) {
    if (const auto secret = passphrase ? passphrase(path) : std::nullopt) {
      if (ssh_pki_import_privkey_file(path.c_str(), secret->reveal().c_str(), nullptr, nullptr,
                                      &key) == SSH_OK) {
        return adopt_key(key);
      }
      return fail("the passphrase of the key file " + path + " is wrong");
    }
    return fail("the key file " + path + " is encrypted",
                "give the key to ssh-agent: run `ssh-add " + path + "`, then cnplay again");
  }
  return fail("the file " + path + " is not a private key",
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
  return keys_.emplace(path, read_key(path, passphrase_)).first->second;
}

Result<Key> KeyCache::certified(const std::string& path, const std::string& certificate) {
  const std::string name = path + " " + certificate;
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(name);
  if (found != keys_.end()) return found->second;
  return keys_.emplace(name, certify(path, certificate)).first->second;
}

// A copy of the key, for the key alone is offered as well.
Result<Key> KeyCache::certify(const std::string& path, const std::string& certificate) {
  auto plain = keys_.find(path);
  if (plain == keys_.end()) plain = keys_.emplace(path, read_key(path, passphrase_)).first;
  if (!plain->second) return plain->second;
  ssh_key raw = nullptr;
  if (ssh_pki_import_cert_file(certificate.c_str(), &raw) != SSH_OK) {
    return fail("the file " + certificate + " is not a certificate",
                "it is what `ssh-keygen -s` makes: KEY-cert.pub");
  }
  const Key cert = adopt_key(raw);
  auto copy = read_key(path, passphrase_);
  if (!copy) return copy;
  if (ssh_pki_copy_cert_to_privkey(cert.get(), copy->get()) != SSH_OK) {
    return fail("the certificate " + certificate + " is not for the key " + path);
  }
  return copy;
}

bool is_encrypted_key(const std::string& path) {
  bool encrypted = false;
  ssh_key key = nullptr;
  if (::access(path.c_str(), R_OK) != 0) return false;
  if (ssh_pki_import_privkey_file(path.c_str(), nullptr, note_encrypted, &encrypted, &key) ==
      SSH_OK) {
    adopt_key(key);
  }
  return encrypted;
}

}  // namespace cnplay::ssh
