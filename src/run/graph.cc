#include "run/graph.h"

#include <algorithm>
#include <cassert>
#include <map>

namespace cnplay::run {

using plan::EdgeKind;
using plan::HostIndex;
using plan::NodeId;
using plan::NodeKind;

Walk::Walk(const plan::Plan& plan, const plan::Section& section, const std::vector<bool>& live)
    : index_of_(plan.nodes.size(), plan::kNone) {
  for (const NodeId id : section.nodes) {
    const plan::Node& node = plan.node(id);
    if (node.kind == NodeKind::handler) continue;
    Point point;
    point.node = &node;
    point.single = node.kind != NodeKind::step;
    const std::size_t units = point.single ? 1 : node.hosts.size();
    point.left = units;
    point.state.assign(units, State::waiting);
    point.waits.assign(units, 0);
    index_of_[id] = static_cast<std::uint32_t>(points_.size());
    points_.push_back(std::move(point));
  }
  open_nodes_ = points_.size();
  for (std::uint32_t to = 0; to < points_.size(); ++to) {
    for (const plan::Edge& edge : points_[to].node->after) {
      const std::uint32_t from = index_of_[edge.from];
      if (from != plan::kNone) connect(from, to, edge.kind);
    }
  }
  // Hosts that take no part are dropped before anything is offered.
  for (std::uint32_t i = 0; i < points_.size(); ++i) {
    Point& point = points_[i];
    if (point.gates == 0) open(i);
  }
  for (HostIndex h = 0; h < live.size(); ++h) {
    if (!live[h]) drop(h);
  }
}

void Walk::connect(std::uint32_t from, std::uint32_t to, EdgeKind kind) {
  Point& f = points_[from];
  Point& t = points_[to];
  if (kind == EdgeKind::all_hosts || f.single || t.single) {
    f.gate_to.push_back(to);
    ++t.gates;
    return;
  }
  f.same_to.push_back(to);
  // Both sets are sorted: one pass finds the hosts they share.
  const auto& a = f.node->hosts;
  const auto& b = t.node->hosts;
  for (std::size_t i = 0, k = 0; i < a.size() && k < b.size(); ++work_) {
    if (a[i] < b[k]) {
      ++i;
    } else if (b[k] < a[i]) {
      ++k;
    } else {
      ++t.waits[k];
      ++i;
      ++k;
    }
  }
}

std::optional<std::size_t> Walk::position(const Point& point, HostIndex host) const {
  const auto& hosts = point.node->hosts;
  if (host < hosts.size() && hosts[host] == host) return host;  // a set of all hosts
  const auto it = std::lower_bound(hosts.begin(), hosts.end(), host);
  if (it == hosts.end() || *it != host) return std::nullopt;
  return static_cast<std::size_t>(it - hosts.begin());
}

void Walk::offer(std::uint32_t index, std::size_t position) {
  Point& point = points_[index];
  ++work_;
  if (point.gates != 0 || point.waits[position] != 0) return;
  if (point.state[position] != State::waiting) return;
  point.state[position] = State::queued;
  queue_.emplace_back(index, position);
}

void Walk::open(std::uint32_t index) {
  Point& point = points_[index];
  for (std::size_t i = 0; i < point.state.size(); ++i) offer(index, i);
  settle(index);
}

std::optional<Ready> Walk::pop() {
  while (!queue_.empty()) {
    const auto [index, position] = queue_.front();
    queue_.pop_front();
    Point& point = points_[index];
    if (point.state[position] != State::queued) continue;  // dropped meanwhile
    point.state[position] = State::running;
    Ready ready;
    ready.node = point.node->id;
    if (!point.single) ready.host = point.node->hosts[position];
    return ready;
  }
  return std::nullopt;
}

void Walk::finish(const Ready& ended) {
  points_[index_of_[ended.node]].worked = true;
  pass_over(ended);
}

bool Walk::is_last_chance(const Ready& ready) const {
  const Point& point = points_[index_of_[ready.node]];
  return point.left == 1 && !point.worked;
}

void Walk::pass_over(const Ready& ended) {
  const std::uint32_t index = index_of_[ended.node];
  assert(index != plan::kNone);
  const auto at = ended.host ? position(points_[index], *ended.host) : std::size_t{0};
  assert(at && points_[index].state[*at] == State::running);
  through(index, *at);
}

void Walk::through(std::uint32_t index, std::size_t at) {
  Point& point = points_[index];
  point.state[at] = State::done;
  --point.left;
  if (!point.single) {
    const HostIndex host = point.node->hosts[at];
    for (const std::uint32_t to : point.same_to) {
      ++work_;
      if (const auto p = position(points_[to], host)) {
        --points_[to].waits[*p];
        offer(to, *p);
      }
    }
  }
  settle(index);
}

// A point whose hosts are all gone still keeps those after it waiting until it would have been
// reached: others rely on it for their own order.
void Walk::settle(std::uint32_t index) {
  std::vector<std::uint32_t> settled{index};  // a chain of empty points may be long: no recursion
  while (!settled.empty()) {
    Point& point = points_[settled.back()];
    settled.pop_back();
    if (point.complete || point.left != 0 || point.gates != 0) continue;
    point.complete = true;
    --open_nodes_;
    for (const std::uint32_t to : point.gate_to) {
      ++work_;
      Point& next = points_[to];
      if (--next.gates != 0) continue;
      for (std::size_t i = 0; i < next.state.size(); ++i) offer(to, i);
      settled.push_back(to);
    }
  }
}

void Walk::drop(HostIndex host) {
  for (std::uint32_t i = 0; i < points_.size(); ++i) {
    Point& point = points_[i];
    ++work_;
    if (point.single || (point.left == 1 && !point.worked)) continue;
    const auto at = position(point, host);
    if (!at) continue;
    const State state = point.state[*at];
    if (state == State::waiting || state == State::queued) through(i, *at);
  }
}

std::optional<NodeId> Walk::next_of(HostIndex host) const {
  for (const Point& point : points_) {
    if (point.single) continue;
    const auto at = position(point, host);
    if (at && point.state[*at] != State::done) return point.node->id;
  }
  return std::nullopt;
}

std::optional<NodeId> Walk::only_next(const std::vector<NodeId>& through, HostIndex host) const {
  std::map<std::uint32_t, std::uint32_t> freed;  // by index: how many of its predecessors are these
  for (const NodeId id : through) {
    for (const std::uint32_t to : points_[index_of_[id]].same_to) ++freed[to];
  }
  std::optional<NodeId> next;
  for (const auto& [index, predecessors] : freed) {
    const Point& point = points_[index];
    if (std::ranges::find(through, point.node->id) != through.end()) continue;
    const auto at = position(point, host);
    if (!at || point.gates != 0 || point.state[*at] != State::waiting) continue;
    if (point.waits[*at] != predecessors) continue;
    if (next) return std::nullopt;
    next = point.node->id;
  }
  return next;
}

}  // namespace cnplay::run
