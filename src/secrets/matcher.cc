#include "secrets/matcher.h"

#include <deque>

namespace cnplay::secrets {
namespace {

constexpr int kFew = 4;  // children that are looked for one by one

}  // namespace

Matcher::State Matcher::child(State state, std::uint8_t byte) const {
  const Node& node = nodes_[state];
  if (state == kRoot || node.table != 0) return tables_[node.table][byte];
  State at = node.child;
  while (at != 0 && nodes_[at].byte != byte) at = nodes_[at].sibling;
  return at;
}

void Matcher::add(std::string_view text, std::int32_t id) {
  State at = kRoot;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    State next = child(at, byte);
    if (next == 0) {
      next = static_cast<State>(nodes_.size());
      Node node;
      node.byte = byte;
      node.depth = nodes_[at].depth + 1;
      node.sibling = nodes_[at].child;
      nodes_[at].child = next;
      nodes_.push_back(node);
      if (at == kRoot) tables_[0][byte] = next;
    }
    at = next;
  }
  if (at != kRoot && nodes_[at].pattern < 0) nodes_[at].pattern = id;
}

void Matcher::build() {
  std::deque<State> queue;
  for (State at = nodes_[kRoot].child; at != 0; at = nodes_[at].sibling) queue.push_back(at);
  while (!queue.empty()) {
    const State at = queue.front();
    queue.pop_front();
    nodes_[at].ends = nodes_[at].pattern >= 0 ? at : nodes_[nodes_[at].fallback].ends;
    int children = 0;
    for (State next = nodes_[at].child; next != 0; next = nodes_[next].sibling) {
      nodes_[next].fallback = step(nodes_[at].fallback, nodes_[next].byte);
      queue.push_back(next);
      ++children;
    }
    if (children <= kFew) continue;
    Table table{};
    for (State next = nodes_[at].child; next != 0; next = nodes_[next].sibling) {
      table[nodes_[next].byte] = next;
    }
    nodes_[at].table = static_cast<std::uint32_t>(tables_.size());
    tables_.push_back(table);
  }
}

Matcher::State Matcher::step(State state, std::uint8_t byte) const {
  for (;;) {
    const State next = child(state, byte);
    if (next != 0 || state == kRoot) return next;
    state = nodes_[state].fallback;
  }
}

std::int32_t Matcher::some_pattern(State state) const {
  while (nodes_[state].pattern < 0 && nodes_[state].child != 0) state = nodes_[state].child;
  return nodes_[state].pattern;
}

}  // namespace cnplay::secrets
