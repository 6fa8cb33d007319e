// Puts plans together by hand, for tests of the rooms below compile/. Header-only.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plan/plan.h"

namespace cnplay::testing {

using namespace cnplay::plan;  // NOLINT: tests speak of nothing else

using ExprPtr = std::shared_ptr<const Expr>;

inline ExprPtr constant(Value v) {
  Expr e;
  e.value = std::move(v);
  return std::make_shared<const Expr>(std::move(e));
}
inline ExprPtr text(std::string s) { return constant(Value(std::move(s))); }
inline ExprPtr now_expr() {
  Expr e;
  e.op = Op::now;
  return std::make_shared<const Expr>(std::move(e));
}
inline ExprPtr fact(NodeId node, std::uint32_t action, std::string name,
                    std::optional<HostIndex> host = {}) {
  Expr e;
  e.op = Op::fact;
  e.fact = FactRef{node, action, std::move(name), host};
  return std::make_shared<const Expr>(std::move(e));
}
inline ExprPtr secret_expr(std::uint32_t index) {
  Expr e;
  e.op = Op::secret;
  e.value = Value(SecretRef{index});
  return std::make_shared<const Expr>(std::move(e));
}
inline ExprPtr op(Op o, std::vector<ExprPtr> operands, std::vector<std::string> names = {}) {
  Expr e;
  e.op = o;
  e.operands = std::move(operands);
  e.names = std::move(names);
  return std::make_shared<const Expr>(std::move(e));
}
inline Value deferred(ExprPtr e) { return Value(Deferred{std::move(e)}); }

inline Param param(std::string name, Value v, bool secret = false) {
  return Param{std::move(name), Column(std::move(v)), secret, false};
}
inline Param path_param(std::string name, Column column) {
  return Param{std::move(name), std::move(column), false, true};
}

class PlanBuilder {
 public:
  Plan plan;

  PlanBuilder() { plan.sections.push_back(Section{SectionKind::main, {}, false}); }

  HostIndex host(std::string name, std::vector<std::string> groups = {}) {
    Host h;
    h.name = std::move(name);
    h.groups = std::move(groups);
    h.connection.address = "10.0.1." + std::to_string(plan.hosts.size() + 1);
    h.connection.user = "ubuntu";
    plan.hosts.push_back(std::move(h));
    return static_cast<HostIndex>(plan.hosts.size() - 1);
  }
  ScriptId script(std::string text) {
    plan.scripts.push_back(
        Script{std::move(text), "modules/x.play:" + std::to_string(plan.scripts.size() + 1)});
    return static_cast<ScriptId>(plan.scripts.size() - 1);
  }
  std::uint32_t phase(std::string path, std::string title, std::uint32_t parent = kNone) {
    Phase p;
    p.path = std::move(path);
    p.title = std::move(title);
    p.parent = parent;
    plan.phases.push_back(std::move(p));
    return static_cast<std::uint32_t>(plan.phases.size() - 1);
  }
  // An action with a check and an apply.
  Action action(std::string module, std::vector<Param> params = {},
                std::vector<std::string> facts = {}) {
    Action a;
    a.check = script("# check of " + module + "\nok\n");
    a.apply = script("# apply of " + module + "\n");
    a.module = std::move(module);
    a.params = std::move(params);
    for (std::string& f : facts) a.returns.push_back(FactDecl{std::move(f), FactType::string});
    a.where = "update_code.play:30";
    return a;
  }
  NodeId node(NodeKind kind, std::string path, std::vector<Edge> after, std::uint32_t phase = kNone,
              std::uint32_t section = 0) {
    Node n;
    n.id = static_cast<NodeId>(plan.nodes.size());
    n.kind = kind;
    n.path = std::move(path);
    n.title = n.path.substr(n.path.rfind('/') + 1);
    n.where = "update_code.play:" + std::to_string(20 + plan.nodes.size());
    n.after = std::move(after);
    n.phase = phase;
    plan.sections[section].nodes.push_back(n.id);
    plan.nodes.push_back(std::move(n));
    return plan.nodes.back().id;
  }
  Node& step(std::string path, std::vector<HostIndex> hosts, std::vector<Action> actions,
             std::vector<Edge> after, std::uint32_t phase = kNone, std::uint32_t section = 0) {
    Node& n = plan.nodes[node(NodeKind::step, std::move(path), std::move(after), phase, section)];
    n.hosts = std::move(hosts);
    n.actions = std::move(actions);
    return n;
  }
};

inline std::vector<Edge> all(std::initializer_list<NodeId> from) {
  std::vector<Edge> out;
  for (const NodeId id : from) out.push_back(Edge{id, EdgeKind::all_hosts});
  return out;
}
inline std::vector<Edge> same(std::initializer_list<NodeId> from) {
  std::vector<Edge> out;
  for (const NodeId id : from) out.push_back(Edge{id, EdgeKind::same_host});
  return out;
}

}  // namespace cnplay::testing
