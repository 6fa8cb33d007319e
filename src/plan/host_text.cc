#include "plan/host_text.h"

#include "base/words.h"

namespace cnplay::plan {
namespace {

constexpr std::size_t kListed = 4;  // sets up to this size are written out

}  // namespace

std::string hosts_text(const Plan& plan, const std::vector<HostIndex>& hosts) {
  if (hosts.empty()) return "no hosts";
  const auto name = [&](std::size_t i) { return plan.hosts.at(hosts[i]).name; };
  const bool unbroken = hosts.back() - hosts.front() + 1 == hosts.size();
  if (hosts.size() > kListed && unbroken) {
    return name(0) + " ... " + name(hosts.size() - 1) + " (" + std::to_string(hosts.size()) + ")";
  }
  std::string out;
  const std::size_t shown = hosts.size() > kListed + 1 ? kListed - 1 : hosts.size();
  for (std::size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : ", ") + name(i);
  if (shown < hosts.size()) out += " and " + std::to_string(hosts.size() - shown) + " more";
  return out;
}

std::string named_hosts_text(const Plan& plan, const std::vector<HostIndex>& hosts) {
  std::string text = hosts_text(plan, hosts);
  for (const HostSet& set : plan.sets) {
    if (set.hosts == hosts && set.name != text) return set.name + ": " + text;
  }
  return text;
}

std::string inventory_text(const std::string& inventory, std::size_t hosts, bool with_local) {
  if (!with_local) return inventory + ", " + count_of(hosts, "host");
  if (hosts > 1) return inventory + ", " + count_of(hosts - 1, "host") + " and local";
  return inventory == kLocal ? inventory : inventory + ", local alone";
}

std::string inventory_text(const Plan& plan) {
  return inventory_text(plan.inventory, plan.hosts.size(), find_local(plan).has_value());
}

std::string short_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace cnplay::plan
