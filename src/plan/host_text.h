// Sets of hosts as people write them.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace cnplay::plan {

// `web1, web2`; long sets abbreviated: `web1 ... web40 (40)` if nothing of the inventory between
// the ends is left out, else `web1, web3, web7 and 37 more`.
std::string hosts_text(const Plan& plan, const std::vector<HostIndex>& hosts);

// The same, with the name of the set that these hosts are: `web: web1, web2`.
std::string named_hosts_text(const Plan& plan, const std::vector<HostIndex>& hosts);

// `prod, 2 hosts`, `prod, 2 hosts and local`, or `local`: which hosts a plan or a run is for.
std::string inventory_text(const std::string& inventory, std::size_t hosts, bool with_local);
std::string inventory_text(const Plan& plan);

// The last part of a path: "code" of "update_code/cutover/code".
std::string short_name(const std::string& path);

}  // namespace cnplay::plan
