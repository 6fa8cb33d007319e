#include "run/dry_run.h"

#include <algorithm>
#include <filesystem>

namespace cnplay::run {

namespace {

std::string normal(const std::string& path) {
  std::string text = std::filesystem::path(path).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

// Both normal.
bool under(const std::string& path, const std::string& ancestor) {
  if (path == ancestor || ancestor == "/") return true;
  return path.size() > ancestor.size() && path.starts_with(ancestor) &&
         path[ancestor.size()] == '/';
}

}  // namespace

bool path_under(const std::string& path, const std::string& ancestor) {
  return under(normal(path), normal(ancestor));
}

void DryRun::would_change(plan::NodeId node, std::uint32_t action, plan::HostIndex host,
                          const std::vector<std::string>& paths, const std::string& preview) {
  const std::pair<plan::NodeId, std::uint32_t> here{node, action};
  if (!first_ || here < *first_) first_ = here;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string path = paths[i].empty() ? "/" : normal(paths[i]);
    changes_[host].push_back({path, i == 0 ? preview : "", node});
  }
}

DryRun::View DryRun::view(plan::HostIndex host, const std::string& path) const {
  View view{path, std::nullopt};
  if (path.empty()) return view;
  const std::string asked = normal(path);
  const Change* best = nullptr;
  for (const Change& change : changes_[host]) {
    const bool inside = under(asked, change.path);
    if (!change.preview.empty() && inside) {
      // The deepest preview, and of the same path the latest, shows most.
      if (best == nullptr || change.path.size() >= best->path.size()) best = &change;
    } else if (inside || under(change.path, asked)) {
      view.depends = change.node;
    }
  }
  if (best != nullptr && !view.depends) {
    const std::size_t cut = best->path == "/" ? 0 : best->path.size();
    view.path = best->preview + asked.substr(cut);
  }
  return view;
}

void DryRun::not_made(plan::NodeId node, std::uint32_t action, plan::HostIndex host, bool opaque) {
  not_made_.emplace(node, action, host);
  if (opaque) opaque_[host] = node;
}

const plan::Dependence* DryRun::unmet(const std::vector<plan::Dependence>& all,
                                      plan::HostIndex host) const {
  for (const plan::Dependence& one : all) {
    const bool here = one.hosts.empty() || std::ranges::binary_search(one.hosts, host);
    if (here && not_made_.contains({one.node, one.action, host})) return &one;
  }
  return nullptr;
}

std::optional<plan::NodeId> DryRun::opaque_before(plan::HostIndex host) const {
  const auto at = opaque_.find(host);
  return at == opaque_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<plan::NodeId> DryRun::changed_before(plan::NodeId node, std::uint32_t action) const {
  if (first_ && *first_ < std::pair{node, action}) return first_->first;
  return std::nullopt;
}

bool is_opaque(const plan::Action& action) {
  return action.apply != plan::kNone && action.writes.empty() && action.touches.empty() &&
         action.reboots.empty();
}

std::vector<std::string> paths_of(const plan::Value& value) {
  std::vector<std::string> paths;
  if (const auto* text = value.as<std::string>()) paths.push_back(*text);
  if (const auto* list = value.as<plan::List>()) {
    for (const plan::Value& item : *list) {
      if (const auto* text = item.as<std::string>()) paths.push_back(*text);
    }
  }
  return paths;
}

}  // namespace cnplay::run
