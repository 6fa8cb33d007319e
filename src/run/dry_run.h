// What a dry run knows of the changes that it did not make: which paths are no longer what a run
// would find there, where a preview of them lies, and who therefore cannot be judged.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "plan/plan.h"

namespace cnplay::run {

// `/a/b` is under `/a`, not under `/a/bc`; a path is under itself. By components, after `.`, `..`
// and doubled slashes are taken out.
bool path_under(const std::string& path, const std::string& ancestor);

class DryRun {
 public:
  explicit DryRun(const plan::Plan& plan) : changes_(plan.hosts.size()) {}

  // Action number `action` of `node` would change `paths` on `host`. `preview`: the directory that
  // holds what the first of them would become, "" if there is none. An empty path stands for one
  // that is not known: everything may be touched.
  void would_change(plan::NodeId node, std::uint32_t action, plan::HostIndex host,
                    const std::vector<std::string>& paths, const std::string& preview);

  // A path as a later action of the host must be given it.
  struct View {
    std::string path;                     // the preview's in its place, or the path itself
    std::optional<plan::NodeId> depends;  // set: cannot be judged, because of this step's change
  };
  View view(plan::HostIndex host, const std::string& path) const;

  // The action was not carried out, though it would, or might, change what its module touches.
  // `opaque`: nobody knows what that is.
  void not_made(plan::NodeId node, std::uint32_t action, plan::HostIndex host, bool opaque);

  // The first of these whose change was not made on the host.
  const plan::Dependence* unmet(const std::vector<plan::Dependence>& all,
                                plan::HostIndex host) const;
  // The last step on the host whose effect nobody knows, and that was not carried out.
  std::optional<plan::NodeId> opaque_before(plan::HostIndex host) const;

  // The first step that would change anything on any host, if it comes before action `action` of
  // `node`: what a module that only checks depends on.
  std::optional<plan::NodeId> changed_before(plan::NodeId node, std::uint32_t action) const;

 private:
  struct Change {
    std::string path;
    std::string preview;
    plan::NodeId node;
  };
  std::vector<std::vector<Change>> changes_;  // by host
  std::set<std::tuple<plan::NodeId, std::uint32_t, plan::HostIndex>> not_made_;
  std::map<plan::HostIndex, plan::NodeId> opaque_;
  std::optional<std::pair<plan::NodeId, std::uint32_t>> first_;
};

// Whether nobody knows what its apply changes: an `sh`, or a module that declares nothing.
bool is_opaque(const plan::Action& action);

// The paths in a resolved value: itself, or the strings of a list.
std::vector<std::string> paths_of(const plan::Value& value);

}  // namespace cnplay::run
