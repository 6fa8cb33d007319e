#include "ssh/known_hosts.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <utility>

#include "ssh/sha1.h"

namespace cnplay::ssh {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// The next word of the line, "" at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    if (c == '=') break;
    int v = 0;
    if (c >= 'A' && c <= 'Z') {
      v = c - 'A';
    } else if (c >= 'a' && c <= 'z') {
      v = c - 'a' + 26;
    } else if (c >= '0' && c <= '9') {
      v = c - '0' + 52;
    } else if (c == '+') {
      v = 62;
    } else if (c == '/') {
      v = 63;
    } else {
      return std::nullopt;
    }
    bits = bits << 6 | static_cast<std::uint32_t>(v);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out.push_back(static_cast<char>(bits >> have));
    }
  }
  return out;
}

// One pattern with `*` and `?` against a whole name; linear backtracking to the last star.
bool match_glob(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

bool match_pattern_list(std::string_view list, std::string_view name) {
  bool found = false;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view one = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const bool negated = !one.empty() && one.front() == '!';
    if (negated) one.remove_prefix(1);
    if (!one.empty() && match_glob(lower(one), name)) {
      if (negated) return false;
      found = true;
    }
  }
  return found;
}

KnownHostsFile::KnownHostsFile(std::string path) : path_(std::move(path)) {
  std::ifstream in(path_, std::ios::binary);
  if (!in) return;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  bytes_ = text.size();
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    index_line(rest.substr(0, end), ++lines_);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void KnownHostsFile::index_line(std::string_view line, unsigned number) {
  std::string_view hosts = take_word(line);
  if (hosts.empty() || hosts.front() == '#') return;
  const bool revoked = hosts == "@revoked";
  const bool authority = hosts == "@cert-authority";
  if (hosts.front() == '@') {
    if (!revoked && !authority) return;
    hosts = take_word(line);
  }
  const std::string_view type = take_word(line);
  const std::string_view blob = take_word(line);
  if (blob.empty()) return;
  entries_.push_back({std::string(type), std::string(blob), path_, number, revoked, authority});
  index_hosts(hosts, entries_.size() - 1);
}

void KnownHostsFile::index_hosts(std::string_view hosts, std::size_t entry) {
  if (hosts.starts_with("|1|")) {
    const std::size_t bar = hosts.find('|', 3);
    if (bar == std::string_view::npos) return;
    const auto salt = decode_base64(hosts.substr(3, bar - 3));
    const auto hash = decode_base64(hosts.substr(bar + 1));
    if (!salt || !hash || salt->size() > 64 || hash->size() != 20) return;
    const HmacSha1Key key = hmac_sha1_key(*salt);
    Hashed hashed{key.inner, key.outer, {}, entry};
    for (std::size_t i = 0; i < 20; ++i) {
      hashed.digest[i / 4] = hashed.digest[i / 4] << 8 | static_cast<std::uint8_t>((*hash)[i]);
    }
    hashed_.push_back(hashed);
    return;
  }
  if (hosts.find_first_of("*?!") != std::string_view::npos) {
    patterns_.push_back({std::string(hosts), entry});
    return;
  }
  while (!hosts.empty()) {
    const std::size_t comma = std::min(hosts.find(','), hosts.size());
    if (comma > 0) exact_.emplace(lower(hosts.substr(0, comma)), entry);
    hosts.remove_prefix(std::min(comma + 1, hosts.size()));
  }
}

void KnownHostsFile::find(const std::string& name, std::vector<StoredKey>& out) const {
  std::vector<std::size_t> hits;
  const auto [begin, end] = exact_.equal_range(name);
  for (auto it = begin; it != end; ++it) hits.push_back(it->second);
  for (const Hashed& h : hashed_) {
    if (hmac_sha1({h.inner, h.outer}, name) == h.digest) hits.push_back(h.entry);
  }
  for (const Pattern& p : patterns_) {
    if (match_pattern_list(p.hosts, name)) hits.push_back(p.entry);
  }
  std::sort(hits.begin(), hits.end());
  hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
  for (const std::size_t hit : hits) out.push_back(entries_[hit]);
}

Status KnownHostsFile::add(const std::string& name, const std::string& type,
                           const std::string& blob) {
  const std::filesystem::path directory = std::filesystem::path(path_).parent_path();
  if (!directory.empty()) ::mkdir(directory.c_str(), 0700);  // ~/.ssh of a new user
  const Descriptor file{::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  auto failed = [&](const char* what) {
    return fail(std::string("cannot ") + what + " " + path_ + ": " + std::strerror(errno));
  };
  if (file.fd < 0) return failed("open");
  if (::flock(file.fd, LOCK_EX) != 0) return failed("lock");
  // Other runs and other programs write this file, too: it is read again now that it is ours.
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return failed("read");
  if (static_cast<std::uint64_t>(info.st_size) != bytes_) *this = KnownHostsFile(path_);
  std::vector<StoredKey> stored;
  find(name, stored);
  for (const StoredKey& key : stored) {
    if (key.blob == blob && key.revoked) {
      return fail(key.file + ":" + std::to_string(key.line) + ": the key is marked @revoked");
    }
    if (key.authority) continue;
    if (key.blob == blob) return {};
    if (key.revoked || key.type != type) continue;
    return fail(
        path_ + ":" + std::to_string(key.line) + ": another key of " + name +
            " has been added meanwhile",
        "it was added while this host was connected to: find out which of the two is right");
  }
  char last = '\n';
  if (info.st_size > 0 && ::pread(file.fd, &last, 1, info.st_size - 1) != 1) {
    return failed("read");
  }
  const std::string line = (last == '\n' ? "" : "\n") + name + " " + type + " " + blob + "\n";
  const ssize_t written = ::write(file.fd, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    // Half a line could be read as another key: take it back.
    if (written > 0 && ::ftruncate(file.fd, info.st_size) != 0) return failed("repair");
    return failed("write");
  }
  bytes_ += line.size();
  entries_.push_back({type, blob, path_, ++lines_, false, false});
  exact_.emplace(name, entries_.size() - 1);
  return {};
}

KnownHostsFile& KnownHosts::file(const std::string& path) {
  auto& slot = files_[path];
  if (!slot) slot = std::make_unique<KnownHostsFile>(path);
  return *slot;
}

std::vector<StoredKey> KnownHosts::find(const std::vector<std::string>& files,
                                        const std::string& address, std::uint16_t port) {
  const std::string name = lookup_name(address, port);
  std::vector<StoredKey> out;
  const std::lock_guard lock(mutex_);
  for (const std::string& path : files) file(path).find(name, out);
  std::erase_if(out, [](const StoredKey& key) { return key.authority; });
  return out;
}

std::optional<StoredKey> KnownHosts::authority(const std::vector<std::string>& files,
                                               const std::string& address, std::uint16_t port) {
  const std::string name = lookup_name(address, port);
  std::vector<StoredKey> all;
  const std::lock_guard lock(mutex_);
  for (const std::string& path : files) file(path).find(name, all);
  for (StoredKey& key : all) {
    if (key.authority) return std::move(key);
  }
  return std::nullopt;
}

Status KnownHosts::add(const std::string& path, const std::string& address, std::uint16_t port,
                       const std::string& type, const std::string& blob) {
  const std::string name = lookup_name(address, port);
  const std::lock_guard lock(mutex_);
  std::vector<StoredKey> stored;
  file(path).find(name, stored);
  for (const StoredKey& key : stored) {
    if (key.blob != blob || key.authority) continue;
    if (!key.revoked) return {};
    return fail(key.file + ":" + std::to_string(key.line) + ": the key is marked @revoked");
  }
  return file(path).add(name, type, blob);
}

std::string KnownHosts::lookup_name(std::string_view address, std::uint16_t port) {
  const std::string name = lower(address);
  return port == 22 ? name : "[" + name + "]:" + std::to_string(port);
}

std::vector<std::string> KnownHosts::default_files() {
  std::vector<std::string> files;
  // The home of the password database, as OpenSSH does: HOME may be another user's under sudo.
  const passwd* entry = ::getpwuid(::getuid());
  const char* home = entry != nullptr ? entry->pw_dir : std::getenv("HOME");
  if (home != nullptr) files.push_back(std::string(home) + "/.ssh/known_hosts");
  files.emplace_back("/etc/ssh/ssh_known_hosts");
  return files;
}

}  // namespace cnplay::ssh
