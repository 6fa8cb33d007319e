#include "compile/graph.h"

#include <algorithm>

namespace cnplay::compile {

using plan::EdgeKind;

HostMask HostMask::of(std::size_t hosts, const std::vector<plan::HostIndex>& members) {
  HostMask mask(hosts, false);
  for (const plan::HostIndex h : members) mask.words_[h / 64] |= std::uint64_t{1} << (h % 64);
  return mask;
}

bool HostMask::any() const {
  return std::ranges::any_of(words_, [](std::uint64_t word) { return word != 0; });
}

bool HostMask::meets(const HostMask& other) const {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if ((words_[i] & other.words_[i]) != 0) return true;
  }
  return false;
}

void HostMask::remove(const HostMask& other) {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
}

void HostMask::keep(const HostMask& other) {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
}

void Flow::all_edges(plan::Node& node) const {
  // What a barrier held is held by what came behind it; it is named only if nothing did.
  for (const End& end : ends_) {
    if (!end.barrier || !end.followed) node.after.push_back({end.node, EdgeKind::all_hosts});
  }
}

void Flow::add_step(plan::Node& node) {
  const HostMask mask = HostMask::of(hosts_, node.hosts);
  if (node.once) {
    add_barrier(node);
    return;
  }
  for (End& end : ends_) {
    if (!end.open.meets(mask)) continue;
    node.after.push_back({end.node, end.barrier ? EdgeKind::all_hosts : EdgeKind::same_host});
    end.open.remove(mask);
    end.followed = true;
  }
  std::erase_if(ends_, [](const End& end) { return !end.open.any(); });
  ends_.push_back({node.id, false, mask, false});
}

void Flow::add_barrier(plan::Node& node) {
  all_edges(node);
  ends_.clear();
  ends_.push_back({node.id, true, HostMask(hosts_, true), false});
}

bool Flow::at_barrier() const {
  return std::ranges::all_of(ends_, [](const End& end) { return end.barrier && !end.followed; });
}

void Flow::join(const std::vector<Flow>& branches) {
  if (branches.empty()) return;
  const std::vector<End> before = std::move(ends_);
  ends_.clear();
  for (End end : before) {
    // A host that went on in any of the branches is held by what it met there.
    bool everywhere = true;
    for (const Flow& branch : branches) {
      const auto at = std::ranges::find(branch.ends_, end.node, &End::node);
      if (at == branch.ends_.end()) {
        everywhere = false;
        break;
      }
      end.open.keep(at->open);
      end.followed = end.followed || at->followed;
    }
    if (everywhere && end.open.any()) ends_.push_back(std::move(end));
  }
  for (const Flow& branch : branches) {
    for (const End& end : branch.ends_) {
      const bool old = std::ranges::find(before, end.node, &End::node) != before.end();
      if (!old) ends_.push_back(end);
    }
  }
}

}  // namespace cnplay::compile
