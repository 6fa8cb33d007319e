#include "plan/succession.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace cnplay::plan {
namespace {

template <class T, class Name>
std::vector<std::uint32_t> matched(const std::vector<T>& before, const std::vector<T>& after,
                                   Name name) {
  std::unordered_map<std::string, std::uint32_t> there;
  for (std::uint32_t i = 0; i < after.size(); ++i) there.emplace(name(after[i]), i);
  std::vector<std::uint32_t> out;
  out.reserve(before.size());
  for (const T& one : before) {
    const auto found = there.find(name(one));
    out.push_back(found == there.end() ? kNone : found->second);
  }
  return out;
}

// nullopt: the node is not for this host.
std::optional<std::size_t> position(const Node& node, HostIndex host) {
  if (node.hosts.empty()) return 0;
  const auto it = std::lower_bound(node.hosts.begin(), node.hosts.end(), host);
  if (it == node.hosts.end() || *it != host) return std::nullopt;
  return static_cast<std::size_t>(it - node.hosts.begin());
}

}  // namespace

Succession::Succession(const Plan& before, const Plan& after)
    : before_(before),
      after_(after),
      nodes_(matched(before.nodes, after.nodes, [](const Node& n) { return n.path; })),
      hosts_(matched(before.hosts, after.hosts, [](const Host& h) { return h.name; })),
      phases_(matched(before.phases, after.phases, [](const Phase& p) { return p.path; })) {
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id] != kNone && after.node(nodes_[id]).kind != before.node(id).kind) {
      nodes_[id] = kNone;
    }
  }
}

const Succession::Looked& Succession::look(NodeId id, HostIndex host) const {
  const auto [it, fresh] = looked_.try_emplace({id, host});
  Looked& looked = it->second;
  if (!fresh || nodes_[id] == kNone) return looked;
  const Node& was = before_.node(id);
  const Node& is = after_.node(nodes_[id]);
  if (was.hosts.empty() != is.hosts.empty()) return looked;
  if (!was.hosts.empty() && hosts_[host] == kNone) return looked;
  const auto old = position(was, host);
  const auto now = position(is, was.hosts.empty() ? 0 : hosts_[host]);
  if (!old || !now) return looked;
  looked.same = hash(before_, was, *old) == hash(after_, is, *now);
  const bool one_environment =
      environment_hash(before_, was, *old) == environment_hash(after_, is, *now);
  const auto alike = [&](const std::vector<Action>& a, const std::vector<Action>& b) {
    std::uint32_t count = 0;
    while (one_environment && count < a.size() && count < b.size() &&
           whole_hash(before_, a[count], *old) == whole_hash(after_, b[count], *now)) {
      ++count;
    }
    return count;
  };
  looked.common = alike(was.actions, is.actions);
  looked.same_undo = was.undo.size() == is.undo.size() &&
                     alike(was.undo, is.undo) == was.undo.size() &&
                     (one_environment || was.undo.empty());
  return looked;
}

bool Succession::same(NodeId id, HostIndex host) const { return look(id, host).same; }
bool Succession::same_undo(NodeId id, HostIndex host) const { return look(id, host).same_undo; }
std::uint32_t Succession::common(NodeId id, HostIndex host) const { return look(id, host).common; }

}  // namespace cnplay::plan
