// Inside of ssh/: private key files, each read once per process and shared by all connections.
#pragma once

#include <libssh/libssh.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/text.h"

namespace cnplay::ssh {

using Key = std::shared_ptr<ssh_key_struct>;

// Takes over a key that libssh gave.
Key adopt_key(ssh_key key);
// "SHA256:..." of the public part.
std::string fingerprint(ssh_key key);
// The same of a key as it is stored in known_hosts; "an unreadable key" if it is none.
std::string fingerprint(const std::string& type, const std::string& blob);

// Thread-safe. libssh and OpenSSL only read a key to sign with it, so threads may share one.
class KeyCache {
 public:
  using Passphrase = std::function<std::optional<Secret>(const std::string& path)>;
  explicit KeyCache(Passphrase passphrase) : passphrase_(std::move(passphrase)) {}

  // An error if the file cannot be read, is not a private key, or is encrypted with a passphrase
  // that is not known (then the remedy names ssh-agent). Errors are kept, too: one message, one
  // read for a whole fleet.
  Result<Key> load(const std::string& path);
  // The key together with the certificate for it in another file.
  Result<Key> certified(const std::string& path, const std::string& certificate);

 private:
  Result<Key> certify(const std::string& path, const std::string& certificate);

  Passphrase passphrase_;
  std::mutex mutex_;
  std::map<std::string, Result<Key>> keys_;
};

}  // namespace cnplay::ssh
