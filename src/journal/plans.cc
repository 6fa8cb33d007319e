#include "journal/plans.h"

#include <algorithm>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>

#include "events/fields.h"
#include "plan/succession.h"

namespace cnplay::journal {
namespace {

using events::fields;
using plan::HostIndex;
using plan::kNone;
using plan::NodeId;

// Of an action that is only told of: what names other parts of its plan is left out.
plan::Action told(const plan::Action& action) {
  plan::Action out;
  out.module = action.module;
  out.name = action.name;
  out.returns = action.returns;
  out.where = action.where;
  return out;
}

class Merger {
 public:
  Merger(const plan::Plan& old, const plan::Plan& before, const plan::Plan& after)
      : old_(old), before_(before), after_(after), between_(before, after), out_(after) {}

  // The event in terms of the merged plan.
  void renumber(events::Event& event) {
    std::visit(
        [&](auto& e) {
          whose(e);
          fields(*this, e);
        },
        event.what);
  }
  plan::Plan take() { return std::move(out_); }

  // --- as an archive of events/fields.h
  void node(const char*, NodeId& id) {
    const bool is = host_ ? stands(id, *host_) : id < before_.nodes.size();
    const NodeId there = is ? between_.node(id) : kNone;
    id = there != kNone && here_ ? there : gone(id);
  }
  // Of a RunResumed: from here on. If that is gone, from what is left of what stood behind it.
  void node(const char* key, std::optional<NodeId>& id) {
    if (!id) return;
    while (*id + 1 < before_.nodes.size() && between_.node(*id) == kNone) ++*id;
    node(key, *id);
  }
  void node(const char* key, std::vector<NodeId>& ids) {
    for (NodeId& id : ids) node(key, id);
  }
  void host(const char*, HostIndex& h) { h = host_of(h); }
  void host(const char* key, std::optional<HostIndex>& h) {
    if (h) host(key, *h);
  }
  void host(const char* key, std::vector<HostIndex>& all) {
    for (HostIndex& h : all) host(key, h);
  }
  void phase(const char*, std::uint32_t& p) { p = phase_of(p); }
  void operator()(const char*, std::vector<events::HostSummary>& all) { each(all); }
  void operator()(const char*, std::vector<events::StepTiming>& all) { each(all); }
  void operator()(const char*, std::vector<plan::PastStep>& all) { each(all); }
  void operator()(const char*, std::optional<plan::Past>& past) {
    if (past) fields(*this, *past);
  }
  template <class T>
  void operator()(const char*, T&) {}

 private:
  template <class T>
  void each(std::vector<T>& all) {
    host_.reset();  // whatever these are about, it is no single host
    here_ = true;
    for (T& one : all) fields(*this, one);
  }

  // What decides whether the event is about the node as it is now.
  template <class E>
  void whose(const E& e) {
    host_.reset();
    here_ = true;
    if constexpr (requires { e.node, e.host; }) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(e.host)>, HostIndex>) {
        host_ = e.host;
      }
    }
    if constexpr (requires { e.node, e.host, e.action; }) {
      if (e.node >= before_.nodes.size()) return;
      bool undo = false;
      if constexpr (requires { e.part; }) undo = e.part == events::Part::undo;
      here_ =
          undo ? between_.same_undo(e.node, e.host) : e.action < between_.common(e.node, e.host);
    }
    if constexpr (std::is_same_v<E, events::HumanStarted> ||
                  std::is_same_v<E, events::HumanAnswered> ||
                  std::is_same_v<E, events::HumanEnded>) {
      if (e.node < before_.nodes.size()) here_ = between_.same(e.node, 0);
    }
  }

  // Whether the node is for this host in the plan of now.
  bool stands(NodeId id, HostIndex host) const {
    if (id >= before_.nodes.size() || host >= before_.hosts.size()) return false;
    const NodeId there = between_.node(id);
    if (there == kNone) return false;
    const auto& hosts = after_.node(there).hosts;
    return std::binary_search(hosts.begin(), hosts.end(), between_.host(host));
  }

  HostIndex host_of(HostIndex h) {
    if (h < before_.hosts.size() && between_.host(h) != kNone) return between_.host(h);
    const auto [it, fresh] = hosts_.try_emplace(h, static_cast<HostIndex>(out_.hosts.size()));
    if (fresh) out_.hosts.push_back(old_.hosts.at(h));
    return it->second;
  }
  std::uint32_t phase_of(std::uint32_t p) {
    if (p == kNone) return kNone;
    if (p < before_.phases.size() && between_.phase(p) != kNone) return between_.phase(p);
    const auto known = phases_.find(p);
    if (known != phases_.end()) return known->second;
    plan::Phase phase = old_.phases.at(p);
    phase.parent = phase_of(phase.parent);
    phase.end = kNone;
    const auto made = static_cast<std::uint32_t>(out_.phases.size());
    out_.phases.push_back(std::move(phase));
    phases_.emplace(p, made);
    return made;
  }
  NodeId gone(NodeId id) {
    const auto known = nodes_.find(id);
    if (known != nodes_.end()) return known->second;
    const plan::Node& was = old_.nodes.at(id);
    plan::Node node;
    node.id = static_cast<NodeId>(out_.nodes.size());
    node.kind = was.kind;
    node.path = was.path;
    node.title = was.title;
    node.where = was.where;
    node.phase = phase_of(was.phase);
    node.left_out = was.left_out;
    node.once = was.once;
    for (const HostIndex h : was.hosts) node.hosts.push_back(host_of(h));
    std::sort(node.hosts.begin(), node.hosts.end());
    for (const plan::Action& a : was.actions) node.actions.push_back(told(a));
    for (const plan::Action& a : was.undo) node.undo.push_back(told(a));
    if (was.human) {
      plan::Human& human = node.human.emplace();
      human.kind = was.human->kind;
      human.by = was.human->by;
      human.count = was.human->count;
      human.questions = was.human->questions;
      for (plan::Question& question : human.questions) question.text = {};
    }
    nodes_.emplace(id, node.id);
    out_.nodes.push_back(std::move(node));
    return nodes_.at(id);
  }

  const plan::Plan& old_;
  const plan::Plan& before_;
  const plan::Plan& after_;
  const plan::Succession between_;
  plan::Plan out_;
  std::map<NodeId, NodeId> nodes_;
  std::map<std::uint32_t, std::uint32_t> phases_;
  std::map<HostIndex, HostIndex> hosts_;
  // Of the event at hand.
  std::optional<HostIndex> host_;
  bool here_ = true;
};

}  // namespace

void merge(plan::Plan& merged, const plan::Plan& before, const plan::Plan& after,
           std::vector<events::Event>& events) {
  Merger merger(merged, before, after);
  for (events::Event& event : events) merger.renumber(event);
  merged = merger.take();
}

}  // namespace cnplay::journal
