// Test support: a small SSH server in this process, on libssh. It takes passwords, which a real
// sshd without PAM and without a change to the system cannot; an exec answers with its command on
// stdout.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {

class PasswordServer {
 public:
  enum class Method { password, keyboard_interactive };
  PasswordServer(Method method, std::string password);
  ~PasswordServer();
  PasswordServer(const PasswordServer&) = delete;
  PasswordServer& operator=(const PasswordServer&) = delete;

  // With the right password; no keys, no agent.
  Settings settings() const;
  int attempts() const { return attempts_; }

 private:
  void serve(void* bind);
  void serve_one(void* session);

  const Method method_;
  const std::string password_;
  TempDir dir_;
  std::uint16_t port_;
  std::atomic<bool> stop_{false};
  std::atomic<int> attempts_{0};
  std::thread thread_;
};

}  // namespace cnplay::ssh::test
