#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/json_text.h"
#include "cli/commands.h"
#include "cli/project.h"

namespace cnplay::cli {

int hosts_command(const Options& options) {
  Project project;
  if (auto status = load_inventory(project, options); !status) return usage_error(status.error());
  if (project.diags.has_errors() || !project.inventory) return print_diagnostics(project, options);
  const inventory::Inventory& inventory = *project.inventory;
  std::vector<inventory::HostIndex> hosts = project.limit;
  if (options.limit.empty()) {
    hosts.resize(inventory.hosts().size());
    std::iota(hosts.begin(), hosts.end(), 0);
  }
  nlohmann::json list = nlohmann::json::array();
  for (const auto index : hosts) {
    const inventory::Host& host = inventory.hosts()[index];
    const inventory::Ssh ssh = inventory.ssh(index);
    std::string groups;
    for (const auto group : host.groups) {
      if (group != 0) groups += (groups.empty() ? "" : ", ") + inventory.groups()[group].name;
    }
    if (options.json) {
      list.push_back({{"name", host.name},
                      {"address", ssh.address},
                      {"port", ssh.port == 0 ? 22 : ssh.port},
                      {"user", ssh.user},
                      {"groups", groups}});
    } else {
      std::cout << host.name << "\t" << ssh.user << (ssh.user.empty() ? "" : "@") << ssh.address
                << ":" << (ssh.port == 0 ? 22 : ssh.port) << "\t" << groups << "\n";
    }
  }
  if (options.json)
    std::cout << dump_json(nlohmann::json{{"version", 1}, {"hosts", list}}, 1) << "\n";
  return kSuccess;
}

}  // namespace cnplay::cli
