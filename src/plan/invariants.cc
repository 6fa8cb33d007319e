#include <set>
#include <unordered_set>

#include "plan/names.h"
#include "plan/plan.h"

namespace cnplay::plan {
namespace {

// The first violation, in words; the checks stop there.
class Checker {
 public:
  explicit Checker(const Plan& plan) : plan_(plan) {}

  std::string first() {
    check_hosts();
    check_sections();
    for (NodeId id = 0; id < plan_.nodes.size() && found_.empty(); ++id) check_node(id);
    check_phases();
    check_responses();
    check_ways_back();
    for (const auto& [name, value] : plan_.params) check_value(value, "param " + name);
    return found_;
  }

 private:
  // `what` is asked for only when something is wrong: most plans are right, and large.
  template <class Text>
  void expect(bool holds, Text&& what) {
    if (!holds && found_.empty()) {
      if constexpr (std::is_invocable_v<Text>) {
        found_ = what();
      } else {
        found_ = what;
      }
    }
  }

  void check_hosts() {
    std::unordered_set<std::string> names;
    for (const Host& host : plan_.hosts) {
      expect(!host.name.empty(), "a host has no name");
      expect(names.insert(host.name).second, [&] { return "two hosts are named " + host.name; });
      expect(host.local == (host.name == kLocal),
             [&] { return "`local` is the controller, and it alone: " + host.name; });
      expect(!host.local || (host.groups.empty() && host.connection == Connection{}),
             "`local` is of no inventory");
      check_secret(host.connection.password, host.name);
      check_secret(host.connection.become_password, host.name);
    }
    for (const Notification& n : plan_.notifications) {
      check_secret(n.token, "a notification");
      check_secret(n.secret_url, "a notification");
      check_secret(n.password, "a notification");
    }
    for (const HostSet& set : plan_.sets) check_host_list(set.hosts, "host set " + set.name);
    for (const SecretSource& secret : plan_.secrets) {
      const bool made = secret.kind == SecretSource::Kind::generate;
      expect(made ? secret.arguments.size() == 3 : !secret.arguments.empty(),
             [&] { return "the secret " + secret.name + " does not say where it comes from"; });
    }
  }

  void check_host_list(const std::vector<HostIndex>& hosts, const std::string& of) {
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      expect(hosts[i] < plan_.hosts.size(), [&] { return of + ": a host that does not exist"; });
      expect(i == 0 || hosts[i - 1] < hosts[i],
             [&] { return of + ": its hosts are not in inventory order"; });
    }
  }

  void check_secret(const std::optional<SecretRef>& ref, const std::string& of) {
    expect(!ref || ref->index < plan_.secrets.size(),
           [&] { return of + ": a secret that does not exist"; });
  }

  void check_sections() {
    section_of_.assign(plan_.nodes.size(), kNone);
    for (std::uint32_t s = 0; s < plan_.sections.size(); ++s) {
      expect((plan_.sections[s].kind == SectionKind::main) == (s == 0),
             "the main section is the first, and the only one");
      for (const NodeId id : plan_.sections[s].nodes) {
        expect(id < plan_.nodes.size(), "a section has a node that does not exist");
        if (!found_.empty()) return;
        expect(section_of_[id] == kNone,
               [&] { return "node " + plan_.nodes[id].path + " stands in two sections"; });
        section_of_[id] = s;
      }
    }
    for (NodeId id = 0; id < plan_.nodes.size(); ++id) {
      expect(section_of_[id] != kNone || plan_.nodes[id].kind == NodeKind::handler,
             [&] { return "node " + plan_.nodes[id].path + " stands in no section"; });
    }
  }

  void check_node(NodeId id) {
    const Node& node = plan_.nodes[id];
    const std::string of = "node " + node.path;
    expect(node.id == id, of + ": its id is not its index");
    expect(!node.path.empty(), "a node has no path");
    expect(paths_.insert(node.path).second, "two nodes have the path " + node.path);
    const bool works = node.kind == NodeKind::step || node.kind == NodeKind::handler;
    expect(works == !node.hosts.empty(),
           of + ": only steps and handlers have hosts, and each must have some");
    expect(node.kind != NodeKind::batch_end || !node.made_from.empty(), of + ": an empty batch");
    check_host_list(node.made_from, of + ", made from");
    expect(!node.once || node.hosts.size() == 1, of + ": `once` is on one host");
    check_host_list(node.hosts, of);
    expect(node.phase == kNone || node.phase < plan_.phases.size(), of + ": no such phase");
    expect((node.kind == NodeKind::wait) == !node.until.is_none(), of + ": waits have a time");
    expect((node.kind == NodeKind::assertion) == node.holds.is_deferred() &&
               (node.holds.is_none() || node.holds.is_deferred()),
           of + ": assertions, and they alone, say what must hold");
    expect((node.kind == NodeKind::human) == node.human.has_value(),
           of + ": only a human step asks people, and each must ask something");
    if (node.human) check_human(*node.human, of);
    expect(works || (node.actions.empty() && node.undo.empty()), of + ": actions of no step");
    for (const Edge& edge : node.after) {
      expect(edge.from < id, of + ": an edge that does not point back");
      if (!found_.empty()) return;
      expect(section_of_[edge.from] == section_of_[id], of + ": an edge leaves its section");
    }
    self_ = id;
    hosts_ = node.hosts.size();
    check_column(node.when, of + ", when");
    check_value(node.until, of + ", until");
    check_environment(node, of);
    check_value(node.holds, of + ", assertion");
    check_value(node.if_not, of + ", message");
    expect(std::all_of(node.actions.begin(), node.actions.end(),
                       [&](const Action& a) { return a.alone == is_check(node); }),
           of + ": some of its actions are only checked, and others applied");
    in_undo_ = false;
    for (position_ = 0; position_ < node.actions.size(); ++position_) {
      check_action(node.actions[position_], of);
    }
    in_undo_ = true;
    for (const Action& action : node.undo) check_action(action, of + ", undo");
    in_undo_ = false;
  }

  void check_environment(const Node& node, const std::string& of) {
    const bool none = node.environment.empty() && node.search_path.empty();
    expect(none || !node.hosts.empty(), of + ": the environment of no script");
    const auto is_text = [](const Value& v) { return v.as<std::string>() != nullptr; };
    const std::string* last = nullptr;
    for (const EnvironmentVariable& variable : node.environment) {
      expect(!variable.name.empty() && (last == nullptr || *last < variable.name),
             of + ": its environment is not sorted");
      last = &variable.name;
      check_column(variable.value, of + ", " + variable.name);
      for (const Value& value : variable.value.values()) {
        expect(value.is_none() || is_text(value), of + ": " + variable.name + " is not a text");
      }
    }
    check_column(node.search_path, of + ", search path");
    for (const Value& value : node.search_path.values()) {
      const List* list = value.as<List>();
      expect(list != nullptr && std::all_of(list->begin(), list->end(), is_text),
             of + ": its search path is not a list of texts");
    }
  }

  void check_human(const Human& human, const std::string& of) {
    const bool manual = human.kind == HumanKind::manual;
    expect(human.count > 0, of + ": nobody is asked");
    expect(manual || human.items.empty(), of + ": only a manual step has items");
    expect(manual || human.questions.size() == (human.kind == HumanKind::ask ? 1 : 0),
           of + ": it has the questions of another kind of human step");
    for (const Value& item : human.items) check_value(item, of + ", item");
    for (const Question& question : human.questions) {
      expect(!question.name.empty(), of + ": a question without a name");
      check_value(question.text, of + ", " + question.name);
    }
    expect(!human.fallback.needs_run_time(), of + ": a default that is not known");
    expect(!manual || human.fallback.is_none(), of + ": work has no default");
  }

  void check_action(const Action& action, const std::string& node) {
    const std::string of = node + ", " + action.module;
    for (const ScriptId script :
         {action.check, action.apply, action.verify_script, action.preview, action.preflight}) {
      expect(script == kNone || script < plan_.scripts.size(), of + ": no such script");
    }
    expect(action.check != kNone || action.apply != kNone, of + ": neither check nor apply");
    expect(!action.alone || (action.check != kNone && action.apply == kNone && !in_undo_),
           of + ": it is only checked, and has an apply or stands in an undo");
    expect((action.verify == Verify::by_script) == (action.verify_script != kNone),
           of + ": verify does not fit its script");
    check_column(action.when, of + ", when");
    std::set<std::string> names;
    for (const Param& param : action.params) {
      expect(names.insert(param.name).second, of + ": two parameters are named " + param.name);
      expect(!param.value.empty(), of + ": " + param.name + " has no value");
      secret_found_ = false;
      check_column(param.value, of + ", " + param.name);
      expect(param.secret || !secret_found_,
             of + ": " + param.name + " holds a secret and is not marked so");
    }
    for (const auto* list : {&action.writes, &action.reads}) {
      for (const std::string& name : *list) {
        expect(names.contains(name), of + ": no parameter `" + name + "` to read or write");
      }
    }
    for (const std::string& name :
         {action.sends, action.sends_tree, action.fetches, action.fetches_to}) {
      expect(name.empty() || names.contains(name), of + ": no parameter `" + name + "` for a file");
    }
    for (const Dependence& d : action.depends_on) {
      expect(d.node < plan_.nodes.size() && d.action < plan_.nodes[d.node].actions.size(),
             of + ": depends on an action that the plan does not have");
    }
    expect(action.reboots.empty() || names.contains(action.reboots),
           of + ": no parameter `" + action.reboots + "` that bounds a reboot");
    for (const Param& param : action.params) {
      if (param.name != action.sends_tree) continue;
      expect(names.contains(param.name + "_manifest"), of + ": no list of a tree's files");
      for (const Value& value : param.value.values()) {
        const auto* text = value.as<std::string>();
        expect(text && std::any_of(plan_.trees.begin(), plan_.trees.end(),
                                   [&](const Tree& tree) { return tree.name == *text; }),
               of + ": sends a tree that the plan does not have");
      }
    }
    for (const Param& param : action.params) {
      if (param.name != action.sends) continue;
      for (const Value& value : param.value.values()) {
        const auto* text = value.as<std::string>();
        expect(text && std::any_of(plan_.files.begin(), plan_.files.end(),
                                   [&](const File& file) { return file.name == *text; }),
               of + ": sends a file that the plan does not have");
      }
    }
    for (const NodeId handler : action.notify) {
      expect(handler < plan_.nodes.size() && plan_.nodes[handler].kind == NodeKind::handler,
             of + ": notifies what is not a handler");
    }
  }

  void check_column(const Column& column, const std::string& of) {
    expect(column.uniform() || column.index().size() == hosts_,
           [&] { return of + ": a column that does not fit the hosts"; });
    for (const std::uint32_t i : column.index()) {
      expect(i < column.values().size(), [&] { return of + ": a column's index is out of range"; });
    }
    for (const Value& value : column.values()) check_value(value, of);
  }

  void check_value(const Value& value, const std::string& of) {
    if (const auto* list = value.as<List>()) {
      for (const Value& item : *list) check_value(item, of);
    } else if (const auto* record = value.as<Record>()) {
      for (const auto& member : *record) check_value(member.second, of);
    } else if (const auto* secret = value.as<SecretRef>()) {
      check_secret(*secret, of);
      secret_found_ = true;
    } else if (const auto* deferred = value.as<Deferred>()) {
      expect(deferred->expr != nullptr, [&] { return of + ": an empty expression"; });
      if (deferred->expr) {
        seen_.clear();
        check_expr(*deferred->expr, of);
      }
    }
  }

  void check_expr(const Expr& e, const std::string& of) {
    if (!seen_.insert(&e).second || !found_.empty()) return;
    if (e.op == Op::fact) check_fact(e.fact, of);
    if (e.op == Op::secret) {
      expect(e.value.as<SecretRef>() != nullptr,
             [&] { return of + ": a secret without its name"; });
    }
    const bool named = e.op == Op::member || e.op == Op::call;
    expect(!named || e.names.size() == 1, [&] { return of + ": an operator without its name"; });
    expect(operands_fit(e), [&] {
      return of + ": `" + std::string(name_of(e.op)) + "` with a wrong number of operands";
    });
    if (!e.value.is_deferred()) check_value(e.value, of);
    if (const auto* inner = e.value.as<Deferred>(); inner != nullptr && inner->expr) {
      check_expr(*inner->expr, of);
    }
    for (const auto& operand : e.operands) {
      expect(operand != nullptr, [&] { return of + ": an empty operand"; });
      if (operand) check_expr(*operand, of);
    }
  }

  static bool operands_fit(const Expr& e) {
    switch (e.op) {
      case Op::constant:
      case Op::now:
      case Op::fact:
      case Op::secret:
        return e.operands.empty();
      case Op::concat:
      case Op::list:
      case Op::call:
        return true;
      case Op::record:
        return e.names.size() == e.operands.size();
      case Op::member:
      case Op::negate:
      case Op::not_:
        return e.operands.size() == 1;
      case Op::conditional:
        return e.operands.size() == 3;
      default:
        return e.operands.size() == 2;
    }
  }

  void check_fact(const FactRef& fact, const std::string& of) {
    expect(fact.node < plan_.nodes.size(), [&] { return of + ": a fact of no node"; });
    if (!found_.empty()) return;
    const Node& from = plan_.nodes[fact.node];
    const bool handler = self_ < plan_.nodes.size() && plan_.nodes[self_].kind == NodeKind::handler;
    expect(fact.node <= self_ || handler, [&] { return of + ": a fact of a later step"; });
    expect(fact.node != self_ || in_undo_ || fact.action < position_,
           [&] { return of + ": a fact of the action itself or of a later one"; });
    if (from.human) return check_answer(fact, *from.human, of);
    expect(fact.action < from.actions.size(), [&] { return of + ": a fact of no action"; });
    expect(!fact.host || *fact.host < plan_.hosts.size(),
           [&] { return of + ": a fact of a host that does not exist"; });
    if (!found_.empty()) return;
    bool declared = false;
    for (const FactDecl& decl : from.actions[fact.action].returns) {
      declared = declared || decl.name == fact.name;
    }
    expect(declared, [&] {
      return of + ": " + from.actions[fact.action].module + " has no fact `" + fact.name + "`";
    });
  }

  void check_answer(const FactRef& fact, const Human& human, const std::string& of) {
    bool asked = false;
    for (const Question& question : human.questions) asked = asked || question.name == fact.name;
    expect(asked && fact.action == 0 && !fact.host,
           [&] { return of + ": an answer that nobody is asked for, `" + fact.name + "`"; });
  }

  void check_phases() {
    std::unordered_set<std::string> paths;
    for (std::uint32_t i = 0; i < plan_.phases.size(); ++i) {
      const Phase& phase = plan_.phases[i];
      const std::string of = "phase " + phase.path;
      expect(!phase.path.empty() && paths.insert(phase.path).second,
             of + ": its path is empty, or another phase has it");
      expect(phase.parent == kNone || phase.parent < i, of + ": its parent comes later");
      self_ = phase.end;
      check_value(phase.when, of + ", when");
      expect(phase.end == kNone || (phase.end < plan_.nodes.size() &&
                                    plan_.nodes[phase.end].kind == NodeKind::phase_end),
             of + ": its end is not the end of a phase");
    }
  }

  void check_responses() {
    self_ = static_cast<NodeId>(plan_.nodes.size());
    hosts_ = 0;
    for (const OnFailure& on : plan_.on_failure) {
      expect(on.phase == kNone || on.phase < plan_.phases.size(), "on_failure: no such phase");
      for (const Response& response : on.responses) {
        const bool section =
            response.kind == ResponseKind::section || response.kind == ResponseKind::offer;
        expect(!section || (response.section < plan_.sections.size() &&
                            plan_.sections[response.section].kind == SectionKind::on_failure),
               "on_failure: no such section");
        check_value(response.message, "on_failure");
        if (response.kind == ResponseKind::offer) check_offer(response);
      }
    }
  }

  void check_offer(const Response& offer) {
    expect(!offer.rollbacks.empty(), "an offer of nothing");
    for (const std::string& name : offer.rollbacks) {
      expect(find_rollback(plan_, name) != nullptr, [&] { return "no rollback " + name; });
    }
    if (!found_.empty()) return;
    const auto& nodes = plan_.sections[offer.section].nodes;
    expect(nodes.size() == 1 && plan_.nodes[nodes[0]].human, "an offer that asks nobody");
    if (!found_.empty()) return;
    const Human& human = *plan_.nodes[nodes[0]].human;
    expect(human.kind == (offer.rollbacks.size() == 1 ? HumanKind::approve : HumanKind::ask),
           "an offer that asks something else");
  }

  void check_ways_back() {
    std::set<std::string> names;
    for (const Rollback& way : plan_.rollbacks) {
      expect(!way.name.empty() && names.insert(way.name).second, [&] {
        return "the name of the rollback `" + way.name + "` is empty, or another rollback has it";
      });
      expect(way.section < plan_.sections.size() &&
                 plan_.sections[way.section].kind == SectionKind::rollback,
             [&] { return "the rollback " + way.name + " has no section"; });
    }
    std::set<std::uint32_t> phases;
    for (const Deadline& deadline : plan_.deadlines) {
      expect(deadline.phase == kNone || deadline.phase < plan_.phases.size(),
             "a deadline of no phase");
      expect(phases.insert(deadline.phase).second, "two deadlines of one phase");
      expect(!deadline.at.is_none(), "a deadline without a time");
      expect(names.contains(deadline.rollback), "a deadline without a rollback");
      check_value(deadline.at, "a deadline");
    }
    if (plan_.window) {
      expect(!plan_.window->from.is_none() && !plan_.window->to.is_none(),
             "a window without a beginning or an end");
      check_value(plan_.window->from, "window");
      check_value(plan_.window->to, "window");
    }
  }

  const Plan& plan_;
  std::string found_;
  std::vector<std::uint32_t> section_of_;
  std::unordered_set<std::string> paths_;
  // Where the checks stand.
  NodeId self_ = kNone;
  std::size_t hosts_ = 0;
  std::size_t position_ = 0;
  bool in_undo_ = false;
  bool secret_found_ = false;
  std::unordered_set<const Expr*> seen_;
};

}  // namespace

std::string check_invariants(const Plan& plan) { return Checker(plan).first(); }

}  // namespace cnplay::plan
