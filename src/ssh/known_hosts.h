// Inside of ssh/: an index of known_hosts files, each read once per process, so that ten thousand
// connections do not read ten thousand lines each. Format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace cnplay::ssh {

struct StoredKey {
  std::string type;  // "ssh-ed25519"
  std::string blob;  // base64 as in the file
  std::string file;
  unsigned line = 0;
  bool revoked = false;
  bool authority = false;  // @cert-authority: it signs the host's certificate, which nothing reads
};

// One file's entries. Not thread-safe; KnownHosts is.
class KnownHostsFile {
 public:
  // Never fails: a missing file has no entries, a malformed line is passed over as OpenSSH does.
  explicit KnownHostsFile(std::string path);

  // Appends all that apply to `name` (see KnownHosts::lookup_name), in the file's order.
  // Authorities are among them.
  void find(const std::string& name, std::vector<StoredKey>& out) const;
  // Appends a line to the file, in one write, under a lock, and to the index. What others have
  // added meanwhile is read first: a key that is there by now is not added, and one of the same
  // type that is another one is an Error.
  Status add(const std::string& name, const std::string& type, const std::string& blob);

 private:
  struct Hashed {
    std::array<std::uint32_t, 5> inner, outer;  // HMAC-SHA1 states after the key's block
    std::array<std::uint32_t, 5> digest;
    std::size_t entry;
  };
  struct Pattern {
    std::string hosts;  // the comma list as it stands
    std::size_t entry;
  };
  void index_line(std::string_view line, unsigned number);
  void index_hosts(std::string_view hosts, std::size_t entry);

  std::string path_;
  unsigned lines_ = 0;
  std::uint64_t bytes_ = 0;  // of the file as it was read, and what was added
  std::vector<StoredKey> entries_;
  std::unordered_multimap<std::string, std::size_t> exact_;
  std::vector<Hashed> hashed_;
  std::vector<Pattern> patterns_;
};

// All files. Thread-safe.
class KnownHosts {
 public:
  // The keys stored for the host in any of the files, revoked ones included, authorities not.
  std::vector<StoredKey> find(const std::vector<std::string>& files, const std::string& address,
                              std::uint16_t port);
  // The first certificate authority that stands for the host.
  std::optional<StoredKey> authority(const std::vector<std::string>& files,
                                     const std::string& address, std::uint16_t port);
  // Stores a key for the host; does nothing if it is stored already (by another connection).
  Status add(const std::string& file, const std::string& address, std::uint16_t port,
             const std::string& type, const std::string& blob);

  // How known_hosts names a host: lower case, "[host]:port" if the port is not 22.
  static std::string lookup_name(std::string_view address, std::uint16_t port);
  // ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts.
  static std::vector<std::string> default_files();

 private:
  KnownHostsFile& file(const std::string& path);  // under the lock

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<KnownHostsFile>> files_;
};

// OpenSSH's host patterns: `*`, `?`, a comma list, `!` to negate. `name` is in lower case.
bool match_pattern_list(std::string_view list, std::string_view name);

}  // namespace cnplay::ssh
