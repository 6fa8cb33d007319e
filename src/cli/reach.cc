#include "cli/reach.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>

#include "cli/wiring.h"

namespace cnplay::cli {
namespace {

constexpr int kMostJumps = 8;  // a configuration may lead in a circle

// ssh refuses what others could have written, and rightly: ProxyCommand is run.
Status check_owner(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  const bool ours = info.st_uid == 0 || info.st_uid == ::getuid();
  if (ours && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  return fail(path + ": other users may write to it", "chmod go-w " + path + ", and look at it");
}

struct Jump {
  std::string user;
  std::string host;
  std::uint16_t port = 0;
};

// [user@]host[:port], with an IPv6 address in brackets if it has a port.
std::optional<Jump> read_jump(const std::string& text) {
  Jump jump;
  std::string rest = text;
  if (const std::size_t at = rest.rfind('@'); at != std::string::npos) {
    jump.user = rest.substr(0, at);
    rest.erase(0, at + 1);
  }
  std::string port;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string::npos) return std::nullopt;
    if (end + 1 < rest.size() && rest[end + 1] != ':') return std::nullopt;
    if (end + 1 < rest.size()) port = rest.substr(end + 2);
    rest = rest.substr(1, end - 1);
  } else if (std::count(rest.begin(), rest.end(), ':') == 1) {
    port = rest.substr(rest.find(':') + 1);
    rest.resize(rest.find(':'));
  }
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), jump.port);
    if (error != std::errc{} || end != port.data() + port.size() || jump.port == 0) {
      return std::nullopt;
    }
  }
  jump.host = rest;
  if (jump.host.empty() || jump.host.starts_with('-') || text.find("//") != std::string::npos) {
    return std::nullopt;
  }
  return jump;
}

// Of the jump host that is next to the host, as ssh's %j has it.
std::string jump_name(const std::string& chain) {
  if (chain.empty() || chain == "none") return "";
  const auto jump = read_jump(chain.substr(chain.rfind(',') + 1));
  return jump ? jump->host : "";
}

bool agent_announced() {
  const char* path = std::getenv("SSH_AUTH_SOCK");
  return path != nullptr && *path != '\0';
}

Status expand_all(const std::vector<std::string>& from, const ssh::Tokens& tokens,
                  std::vector<std::string>& to) {
  for (const std::string& path : from) {
    if (path == "none") continue;
    auto expanded = ssh::expand(path, tokens);
    if (!expanded) return expanded.error();
    to.push_back(*std::move(expanded));
  }
  return {};
}

}  // namespace

Result<Reach> Reach::make(const Options& options) {
  const std::string home = expand_home("~");
  std::vector<std::string> files;
  if (options.ssh_config.empty()) {
    const std::string own = home + "/.ssh/config";
    if (auto status = check_owner(own); !status) return status.error();
    files = {own, "/etc/ssh/ssh_config"};
  } else if (options.ssh_config != "none") {
    files = {expand_home(options.ssh_config)};
  }
  auto config = ssh::ClientConfig::read(files, home, !options.ssh_config.empty());
  if (!config) return config.error();
  if (options.no_exec) config->forbid_exec();
  return Reach(*std::move(config), user_name(), home, options.accept_new);
}

std::string Reach::in_home(const std::string& path) const {
  if (path == "~") return home_;
  return path.starts_with("~/") ? home_ + path.substr(1) : path;
}

Result<ssh::Settings> Reach::settings(const std::string& name, const plan::Connection& connection,
                                      int depth) const {
  const auto named = [&](const Error& error) { return fail(name + ": " + error.what, error.help); };
  const auto host = config_.lookup(connection.address, connection.user, local_user_);
  if (!host) return named(host.error());
  ssh::Settings to;
  to.name = name;
  // An address in the inventory is the host's; a name may be one that the configuration explains.
  to.address = connection.address == name ? host->host_name : connection.address;
  to.port = connection.port != 0 ? connection.port : host->port.value_or(22);
  to.user = !connection.user.empty() ? connection.user
            : !host->user.empty()    ? host->user
                                     : local_user_;
  to.host_key_alias = host->host_key_alias;
  if (host->connect_timeout && host->connect_timeout->count() > 0) {
    to.connect_timeout = *host->connect_timeout;
  }
  if (host->alive_interval) to.keepalive = *host->alive_interval;
  if (host->alive_count) to.keepalive_count = *host->alive_count;
  const ssh::Tokens tokens{.host_name = to.address,
                           .original = connection.address,
                           .user = to.user,
                           .local_user = local_user_,
                           .home = home_,
                           .alias = to.host_key_alias,
                           .jump = jump_name(host->proxy_jump),
                           .port = to.port};
  if (auto status = identify(to, connection, *host, tokens); !status) return named(status.error());
  if (auto status = know(to, connection, *host, tokens); !status) return named(status.error());

  std::string chain = connection.jump;
  if (chain.empty() && host->proxy_jump != "none") chain = host->proxy_jump;
  if (!chain.empty()) {
    auto through = jump(chain, connection, depth + 1);
    if (!through) return named(through.error());
    to.jump = *std::move(through);
  } else if (!host->proxy_command.empty() && host->proxy_command != "none") {
    auto command = ssh::expand(host->proxy_command, tokens);
    if (!command) return named(command.error());
    to.proxy_command = *std::move(command);
  }
  return to;
}

// A chain is gone through from its beginning: each is reached through the one before.
Result<std::shared_ptr<const ssh::Settings>> Reach::jump(const std::string& chain,
                                                         const plan::Connection& from,
                                                         int depth) const {
  if (depth > kMostJumps) {
    return fail("more than 8 jump hosts on the way", "does the configuration lead in a circle?");
  }
  const std::size_t comma = chain.rfind(',');
  const std::string last = chain.substr(comma == std::string::npos ? 0 : comma + 1);
  const auto read = read_jump(last);
  if (!read) {
    return fail("`" + last + "` is not a valid jump host",
                "write [user@]host[:port], several with commas");
  }
  plan::Connection connection;
  connection.address = read->host;
  connection.user = read->user;
  connection.port = read->port;
  connection.identities = from.identities;
  connection.known_hosts = from.known_hosts;
  if (comma != std::string::npos) connection.jump = chain.substr(0, comma);
  auto settings = this->settings(read->host, connection, depth);
  if (!settings) return settings.error();
  return std::make_shared<const ssh::Settings>(*std::move(settings));
}

Status Reach::identify(ssh::Settings& to, const plan::Connection& connection,
                       const ssh::ClientHost& host, const ssh::Tokens& tokens) const {
  for (const std::string& path : connection.identities) to.identities.push_back(in_home(path));
  if (to.identities.empty()) {
    std::vector<std::string> paths;
    if (auto status = expand_all(host.identities, tokens, paths); !status) return status;
    if (host.identities.empty()) {
      for (const char* key : {"id_ed25519", "id_ecdsa", "id_rsa"}) {
        paths.push_back(home_ + "/.ssh/" + key);
      }
    }
    // As ssh: what the configuration names for all hosts need not be there.
    for (std::string& path : paths) {
      // The agent may have the key of which only the public part is here.
      if (::access(path.c_str(), R_OK) != 0) path += ".pub";
      if (::access(path.c_str(), R_OK) == 0) to.identities.push_back(std::move(path));
    }
  }
  if (auto status = expand_all(host.certificates, tokens, to.certificates); !status) return status;
  const std::string& agent = host.identity_agent;
  to.identities_only = host.identities_only.value_or(false);
  if (agent == "none") to.use_agent = false;
  if (agent.starts_with('$') && !agent.starts_with("${")) {
    const char* path = std::getenv(agent.c_str() + 1);
    if (path == nullptr) to.use_agent = false;
    if (path != nullptr) to.agent = path;
  } else if (!agent.empty() && agent != "none" && agent != "SSH_AUTH_SOCK") {
    auto path = ssh::expand(agent, tokens);
    if (!path) return path.error();
    to.agent = *std::move(path);
  }
  return {};
}

Status Reach::know(ssh::Settings& to, const plan::Connection& connection,
                   const ssh::ClientHost& host, const ssh::Tokens& tokens) const {
  if (accept_new_ || host.accept_new.value_or(false)) {
    to.host_keys = ssh::Settings::HostKeys::accept_new;
  }
  for (const std::string& path : connection.known_hosts) to.known_hosts.push_back(in_home(path));
  if (!to.known_hosts.empty()) return {};
  if (host.user_known_hosts.empty() && host.global_known_hosts.empty()) return {};
  const std::vector<std::string> own = {home_ + "/.ssh/known_hosts"};
  const std::vector<std::string> global = {"/etc/ssh/ssh_known_hosts"};
  const auto& users = host.user_known_hosts.empty() ? own : host.user_known_hosts;
  if (auto status = expand_all(users, tokens, to.known_hosts); !status) return status;
  return expand_all(host.global_known_hosts.empty() ? global : host.global_known_hosts, tokens,
                    to.known_hosts);
}

std::vector<std::string> encrypted_keys(const std::vector<const ssh::Settings*>& hosts) {
  std::set<std::string> seen;
  std::vector<std::string> encrypted;
  for (const ssh::Settings* host : hosts) {
    for (; host != nullptr; host = host->jump.get()) {
      const bool agent = host->use_agent && (!host->agent.empty() || agent_announced());
      if (agent) continue;
      for (const std::string& path : host->identities) {
        if (seen.insert(path).second && ssh::is_encrypted_key(path)) encrypted.push_back(path);
      }
    }
  }
  return encrypted;
}

}  // namespace cnplay::cli
