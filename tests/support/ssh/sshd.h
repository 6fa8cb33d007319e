// Test support: a real sshd on loopback, with keys of its own in a directory of its own; stopped by
// its pid. Needs /usr/sbin/sshd; run as root it also makes /run/sshd. Nothing of the system is
// changed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "ssh/transport.h"

namespace cnplay::ssh::test {

// A directory under /tmp that goes with its owner.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);
// Runs a command with sh; its output. Throws if it fails.
std::string run(const std::string& command);
std::uint16_t free_port();
std::string user_name();

class Sshd {
 public:
  // `extra` lines come first in sshd_config, so they win.
  explicit Sshd(const std::string& extra = {});
  ~Sshd();
  Sshd(const Sshd&) = delete;
  Sshd& operator=(const Sshd&) = delete;

  // Key authentication with the key that is authorized, strict host keys, no agent.
  Settings settings() const;
  std::uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  std::string user_key() const { return dir_.path("user"); }
  std::string known_hosts() const { return dir_.path("known_hosts"); }
  std::string host_public_key() const { return read_file(dir_.path("host.pub")); }
  const TempDir& dir() const { return dir_; }

 private:
  TempDir dir_;
  std::uint16_t port_;
  pid_t pid_ = -1;
};

}  // namespace cnplay::ssh::test
