#include "support/run/builder.h"

#include <algorithm>

namespace cnplay::run::test {

using plan::EdgeKind;
using plan::HostIndex;
using plan::NodeId;
using plan::NodeKind;

Builder::Builder(std::size_t hosts) {
  plan.play = plan.title = "play";
  plan.inventory = "test";
  for (std::size_t i = 0; i < hosts; ++i) {
    plan::Host host;
    host.name = "h" + std::to_string(i);
    plan.hosts.push_back(host);
  }
  plan.sections.push_back({plan::SectionKind::main, {}, false});
  plan.nodes.reserve(200);  // nodes are handed out by reference
}

std::vector<HostIndex> Builder::all() const {
  std::vector<HostIndex> hosts;
  for (HostIndex h = 0; h < plan.hosts.size(); ++h) hosts.push_back(h);
  return hosts;
}

plan::Node& Builder::add(NodeKind kind, const std::string& name) {
  plan::Node node;
  node.id = static_cast<NodeId>(plan.nodes.size());
  node.kind = kind;
  node.path = "play/" + std::to_string(node.id) + "/" + name;
  node.title = name;
  node.where = "play.play:" + std::to_string(node.id + 1);
  node.phase = phase_;
  plan.sections[section_].nodes.push_back(node.id);
  plan.nodes.push_back(std::move(node));
  return plan.nodes.back();
}

void Builder::link(plan::Node& node) {
  const bool gate = node.kind != NodeKind::step || node.once;
  const std::vector<HostIndex> every = all();
  std::vector<NodeId> tails{node.id};
  for (const NodeId id : tails_) {
    const plan::Node& from = plan.node(id);
    const bool wide = gate || from.kind != NodeKind::step || from.once;
    node.after.push_back({id, wide ? EdgeKind::all_hosts : EdgeKind::same_host});
    // Whoever comes later must still wait for hosts that this node does not know, and hosts that
    // are not here for what all of them wait for.
    const std::vector<HostIndex>& those = wide ? every : from.hosts;
    const bool covered =
        gate || std::includes(node.hosts.begin(), node.hosts.end(), those.begin(), those.end());
    if (!covered) tails.push_back(id);
  }
  tails_ = std::move(tails);
}

plan::Node& Builder::step(const std::string& name, std::vector<HostIndex> hosts) {
  plan::Node& node = add(NodeKind::step, name);
  node.hosts = std::move(hosts);
  action(node);
  link(node);
  return node;
}

plan::Node& Builder::once(const std::string& name, HostIndex host) {
  plan::Node& node = add(NodeKind::step, name);
  node.hosts = {host};
  node.once = true;
  action(node);
  link(node);
  return node;
}

plan::Node& Builder::handler(const std::string& name) { return handler(name, all()); }

plan::Node& Builder::handler(const std::string& name, std::vector<HostIndex> hosts) {
  plan::Node& node = add(NodeKind::handler, name);
  plan.sections[section_].nodes.pop_back();  // handlers stand in no section
  node.hosts = std::move(hosts);
  action(node);
  return node;
}

plan::Node& Builder::barrier(const std::string& name) {
  plan::Node& node = add(NodeKind::barrier, name);
  link(node);
  return node;
}

plan::Node& Builder::pivot(const std::string& name) {
  plan::Node& node = add(NodeKind::pivot, name);
  link(node);
  return node;
}

plan::Node& Builder::wait(const std::string& name, plan::Value until) {
  plan::Node& node = add(NodeKind::wait, name);
  node.until = std::move(until);
  link(node);
  return node;
}

plan::Node& Builder::assertion(const std::string& name, plan::Value holds) {
  plan::Node& node = add(NodeKind::assertion, name);
  node.holds = std::move(holds);
  node.if_not = plan::Value(name);
  link(node);
  return node;
}

plan::Node& Builder::human(const std::string& name, plan::HumanKind kind) {
  plan::Node& node = add(NodeKind::human, name);
  node.human.emplace();
  node.human->kind = kind;
  if (kind == plan::HumanKind::ask) {
    plan::Question question;
    question.name = name;
    node.human->questions.push_back(std::move(question));
  }
  link(node);
  return node;
}

plan::Node& Builder::flush() {
  plan::Node& node = add(NodeKind::flush, "flush");
  link(node);
  return node;
}

std::uint32_t Builder::phase(const std::string& name, const std::function<void()>& inside) {
  const auto id = static_cast<std::uint32_t>(plan.phases.size());
  plan::Phase phase;
  phase.path = "play/" + name;
  phase.title = name;
  phase.parent = phase_;
  plan.phases.push_back(phase);
  const std::uint32_t outer = phase_;
  phase_ = id;
  inside();
  plan::Node& end = add(NodeKind::phase_end, name + " end");
  link(end);
  plan.phases[id].end = end.id;
  phase_ = outer;
  return id;
}

plan::Node& Builder::batch(std::vector<HostIndex> hosts, const std::function<void()>& inside) {
  inside();
  plan::Node& end = add(NodeKind::batch_end, "batch end");
  end.made_from = std::move(hosts);
  link(end);
  return end;
}

void Builder::parallel(std::initializer_list<std::function<void()>> branches) {
  const std::vector<NodeId> before = tails_;
  std::vector<NodeId> after;
  for (const auto& branch : branches) {
    tails_ = before;
    branch();
    for (const NodeId id : tails_) {
      if (std::find(after.begin(), after.end(), id) == after.end()) after.push_back(id);
    }
  }
  tails_ = after;
}

std::uint32_t Builder::section(plan::SectionKind kind, const std::function<void()>& inside) {
  const auto id = static_cast<std::uint32_t>(plan.sections.size());
  plan.sections.push_back({kind, {}, false});
  const std::uint32_t outer = section_;
  std::vector<NodeId> tails;
  std::swap(tails, tails_);
  section_ = id;
  inside();
  section_ = outer;
  std::swap(tails, tails_);
  return id;
}

plan::ScriptId Builder::script(const std::string& text) {
  plan.scripts.push_back({text, "modules/test.play:1"});
  return static_cast<plan::ScriptId>(plan.scripts.size() - 1);
}

plan::Action& Builder::action(plan::Node& node) {
  const std::string name = node.title + "#" + std::to_string(node.actions.size());
  plan::Action action;
  action.module = "test." + node.title;
  action.check = script(name + " check");
  action.apply = script(name + " apply");
  action.where = node.where;
  node.actions.push_back(std::move(action));
  return node.actions.back();
}

plan::Action& Builder::undo(plan::Node& node) {
  const std::string name = node.title + "!" + std::to_string(node.undo.size());
  plan::Action action;
  action.module = "test.undo_" + node.title;
  action.check = script(name + " check");
  action.apply = script(name + " apply");
  action.where = node.where;
  node.undo.push_back(std::move(action));
  return node.undo.back();
}

plan::Param Builder::param(const std::string& name, plan::Value value, bool path) {
  plan::Param param;
  param.name = name;
  param.value = plan::Column(std::move(value));
  param.path = path;
  return param;
}

plan::Param Builder::secret_key(std::uint32_t index) {
  plan::Param key = param("key", plan::Value(plan::SecretRef{index}));
  key.secret = true;
  return key;
}

plan::Value Builder::fact(NodeId node, const std::string& name, std::uint32_t action) {
  auto expr = std::make_shared<plan::Expr>();
  expr->op = plan::Op::fact;
  expr->fact.node = node;
  expr->fact.action = action;
  expr->fact.name = name;
  return plan::Value(plan::Deferred{expr});
}

plan::OnFailure& Builder::on_failure(plan::Side side, std::uint32_t phase,
                                     std::vector<plan::Response> responses) {
  plan.on_failure.push_back({side, phase, std::move(responses)});
  return plan.on_failure.back();
}

}  // namespace cnplay::run::test
