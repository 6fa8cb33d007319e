// `let todo = check on web { ... }`: a step whose modules are checked alone, and whether one of
// them would change something on one of its hosts.
#include "compile/builder.h"

namespace cnplay::compile {

// What a `check` holds. True: it was reported, and is left out.
bool Builder::refuse_in_check(const syntax::Item& item, Body& body) {
  const auto refuse = [&](Span at, const std::string& what, std::string label, std::string help) {
    body.empty = false;
    context_.error("E0535", what, at, std::move(label), std::move(help));
    return true;
  };
  if (std::holds_alternative<syntax::ShellItem>(item.node)) {
    return refuse(item.keyword, "`sh` is not allowed in a `check`", "its effect is not known",
                  "call modules: they have a check of their own");
  }
  if (const auto* n = std::get_if<syntax::Let>(&item.node)) {
    const auto* call = std::get_if<syntax::Call>(&n->value.node);
    if (call == nullptr || !calls_.is_action(*call->callee)) return false;
    const Span named{n->name.span.begin, n->value.span.begin};
    const Span statement{item.span.begin, n->value.span.begin};
    body.empty = false;
    context_.diags.add({diag::Severity::error,
                        "E0535",
                        "the facts of a module in a `check` cannot be read",
                        {named, "a `check` has one answer"},
                        {},
                        {},
                        "leave out `let " + n->name.text + " =`",
                        {{statement, ""}}});
    return true;
  }
  return false;
}

// The actions of a `check`: what they would change is found out, and nothing else.
void Builder::check_alone(Body& body) {
  for (std::size_t i = 0; i < body.actions.size(); ++i) {
    plan::Action& action = body.actions[i];
    const Span at = body.facts[i]->declared;
    if (action.module.empty()) continue;  // reported
    if (action.check == plan::kNone) {
      context_.error("E0535", code(action.module) + " has no check", at,
                     "whether it would change something cannot be found out",
                     "leave it out of the `check`");
    } else if (action.apply == plan::kNone && action.fetches.empty()) {
      context_.error("E0535", code(action.module) + " changes nothing", at,
                     "there is nothing that it would change",
                     "put it in a step of its own: `step NAME on web { ... }`");
    }
    action.alone = true;
    action.apply = action.verify_script = action.preview = action.preflight = plan::kNone;
    action.verify = plan::Verify::none;
    action.reboots.clear();
    action.returns = {{std::string(plan::kWouldChange), plan::FactType::bool_}};
  }
}

void Builder::let_check(const syntax::LetCheck& node, const syntax::Item& item,
                        const Position& position) {
  const Modifiers modifiers(context_, node.modifiers, kCheckPlace);
  std::string label;
  const auto on = target(modifiers, item.keyword, label, "a `check`");
  const bool limited_out = on && on->hosts.empty() && discarded_ == 0;
  Evaluated answer = known(simple(Kind::bool_), plan::Value(true));
  if (limited_out) {
    context_.diags.warning("E0706", "`--limit` leaves out this `check`",
                           {node.name.span, "none of its hosts is chosen"},
                           code(node.name.text) + " counts as true: widen the limit to find out");
  }
  if (!on || on->hosts.empty()) {
    Discard discard(*this);
    Flow flow = *position.flow;
    Position inner = position;
    inner.flow = &flow;
    check_node(node, item, inner, {}, {}, label, modifiers);
  } else {
    const plan::NodeId id = check_node(node, item, position, on->hosts, on->set, label, modifiers);
    answer.values = Values(context_.fact(id, 0, std::string(plan::kWouldChange), {}));
    answer.depends.fact = true;
  }
  // What follows is about all of its hosts.
  position.flow->wait_here();
  declare(node.name, std::move(answer), "check");
}

plan::NodeId Builder::check_node(const syntax::LetCheck& node, const syntax::Item& item,
                                 const Position& position, const std::vector<HostIndex>& hosts,
                                 const std::vector<HostIndex>& set, const std::string& label,
                                 const Modifiers& modifiers) {
  if (!hosts.empty()) join(item.keyword, position);
  const std::string path =
      claim_path(position.prefix, node.name.text + position.key, node.name.span, "check");
  const plan::NodeId id =
      add_node(plan::NodeKind::step, path, item.keyword, tagged(position, modifiers)).id;
  spans_[id] = node.name.span;
  context_.plan.nodes[id].hosts = hosts;
  if (!hosts.empty()) position.flow->add_step(context_.plan.nodes[id], set);
  const auto timeout = duration_of(evaluator_, modifiers.find("timeout"));
  const auto expect = duration_of(evaluator_, modifiers.find("expect"));
  const auto retry = retry_of(evaluator_, modifiers.find("retry"));
  if (const auto t = tolerance_of(evaluator_, modifiers.find("tolerate"))) tolerances_[id] = *t;
  OpenScope scope(*this, scope_);
  Body body;
  body.node = id;
  body.hosts = &hosts;
  body.label = label;
  body.place = Place::check;
  body.at = item.keyword;
  body.step_name = node.name.text;
  body.become = user_of(evaluator_, modifiers.find("as")).value_or("");
  body_items(node.body, body);
  if (body.empty) {
    context_.error("E0517", "a `check` without modules", item.keyword, "asks nothing",
                   "say what would be done: `check on web { git.rebase(...) }`");
  }
  check_alone(body);
  plan::Node& made = context_.plan.nodes[id];
  made.title = node.name.text;
  made.timeout = timeout;
  made.expect = expect;
  if (retry) made.retry = *retry;
  made.actions = std::move(body.actions);
  give_environment(made, position.environment, hosts, label);
  wait_for_facts(made, *position.flow);
  return id;
}

}  // namespace cnplay::compile
