// How a host is reached: what the inventory says, then what the user's ssh configuration says, then
// what ssh does without either.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "plan/plan.h"
#include "ssh/ssh_config.h"
#include "ssh/transport.h"

namespace cnplay::cli {

class Reach {
 public:
  Reach(ssh::ClientConfig config, std::string local_user, std::string home, bool accept_new)
      : config_(std::move(config)),
        local_user_(std::move(local_user)),
        home_(std::move(home)),
        accept_new_(accept_new) {}

  // The configuration that `-F` names; else ~/.ssh/config and /etc/ssh/ssh_config.
  static Result<Reach> make(const Options& options);

  // All but the password. An Error names the host, or the line of the configuration.
  Result<ssh::Settings> settings(const std::string& name,
                                 const plan::Connection& connection) const {
    return settings(name, connection, 0);
  }

 private:
  Result<ssh::Settings> settings(const std::string& name, const plan::Connection& connection,
                                 int depth) const;
  Result<std::shared_ptr<const ssh::Settings>> jump(const std::string& chain,
                                                    const plan::Connection& from, int depth) const;
  Status identify(ssh::Settings& to, const plan::Connection& connection,
                  const ssh::ClientHost& host, const ssh::Tokens& tokens) const;
  Status know(ssh::Settings& to, const plan::Connection& connection, const ssh::ClientHost& host,
              const ssh::Tokens& tokens) const;
  std::string in_home(const std::string& path) const;

  ssh::ClientConfig config_;
  std::string local_user_;
  std::string home_;
  bool accept_new_;
};

// The key files among those of the hosts, and of their jump hosts, that need a passphrase and that
// no agent stands for.
std::vector<std::string> encrypted_keys(const std::vector<const ssh::Settings*>& hosts);

}  // namespace cnplay::cli
