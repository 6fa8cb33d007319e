// Steps: their hosts, batches, actions and way back.
#include <algorithm>

#include "compile/builder.h"
#include "plan/eval.h"

namespace cnplay::compile {

using plan::NodeKind;

std::optional<Builder::Target> Builder::target(const Modifiers& modifiers, Span at,
                                               std::string& label, std::string_view what) {
  const syntax::Modifier* on = modifiers.find("on");
  if (!on) {
    if (!modifiers.faulty()) {
      context_.error("E0507", std::string(what) + " without hosts", at, "on which hosts?",
                     "write `on web`");
    }
    return std::nullopt;
  }
  const syntax::Expr& expr = on->values[0];
  const Evaluated value = evaluator_.check(expr, simple(Kind::hosts));
  if (value.poison()) return std::nullopt;
  label = value.label.empty() ? context_.text(expr.span) : value.label;
  // What `--limit` leaves nothing of is left out by the caller, and so is what a batch has none of.
  if (value.whole.empty() && !value.of_batch) {
    context_.error("E0508", std::string(what) + " on no host", expr.span, "this set is empty",
                   "choose a set with hosts in it");
    return std::nullopt;
  }
  Target target{context_.selected_of(value.hosts), value.whole};
  target.of_batch = value.of_batch;
  target.in_batch = value.of_batch || value.depends.in_batch;
  return target;
}

// What `when` says. Whether a step runs can be seen, so no secret may decide it.
Evaluated Builder::check_condition(const syntax::Expr& condition) {
  evaluator_.secret_note = "whether an action runs is shown and recorded";
  Evaluated value = evaluator_.check(condition, simple(Kind::bool_));
  evaluator_.secret_note.clear();
  return value;
}

namespace {

// The name of a step that has none: of the first thing it does.
std::string base_name(const syntax::Block& block) {
  for (const auto& item : block.items) {
    if (const auto* n = std::get_if<syntax::ActionItem>(&item.node)) {
      if (const auto* call = std::get_if<syntax::Call>(&n->call.node))
        return dotted_name(*call->callee);
    }
    if (const auto* n = std::get_if<syntax::Let>(&item.node)) {
      const auto* call = std::get_if<syntax::Call>(&n->value.node);
      if (call && dotted_name(*call->callee).find('.') != std::string::npos) {
        return dotted_name(*call->callee);
      }
    }
    if (std::holds_alternative<syntax::ShellItem>(item.node)) return "sh";
  }
  return "step";
}

}  // namespace

void Builder::step(const syntax::Step& node, const syntax::Item& item, const Position& position) {
  const Modifiers modifiers(context_, node.modifiers, kStepPlace);
  std::string label;
  const Span named_at = node.name ? node.name->span : item.keyword;
  auto on = position.batch ? target_in_batch(modifiers, named_at, label, *position.batch)
                           : target(modifiers, named_at, label, "a step");
  const syntax::Modifier* once = modifiers.find("once");
  const syntax::Modifier* serial = modifiers.find("serial");
  if (once && serial) {
    context_.error_with("E0510", "`once` together with `serial`", serial->span,
                        "one host has no batches", once->span, "runs on one host",
                        "keep one of the two");
    serial = nullptr;
  }
  const bool in_batches = position.batch != nullptr || position.inside == "`serial`";
  if (in_batches && serial) {
    context_.error("E0522", "`serial` inside a `serial` phase", serial->span,
                   "batches within batches", "say it once, at the phase");
    serial = nullptr;
  } else if (in_batches && once && (position.batch == nullptr || !position.batch->named)) {
    context_.error("E0510", "`once` inside a `serial` phase", once->span,
                   "would run in every batch", "put the step before or after the phase");
  }
  if (serial && serial->values.size() > 1) {
    context_.error("E0505", "`of` makes no sense at a step", serial->values[1].span, "not here",
                   "the hosts of a step are those of its `on`: write `serial 1` alone");
  }
  if (on && !once) check_serial_set(*on, modifiers);
  const bool no_batch = position.batch != nullptr && position.batch->hosts->empty();
  if (no_batch && node.name) limited_out_.insert(node.name->text);
  if (on && on->hosts.empty() && !on->of_batch) {
    return leave_out_by_limit(node, item, position, modifiers);
  }
  const bool walk_only = !on || discarded_ > 0;
  if (on && position.batch && !take_part_in(*position.batch, modifiers, *on) && !walk_only) {
    position.flow->wait_here();  // it keeps its place in the order
    return;
  }
  if (on && once) {
    on->hosts.resize(std::min<std::size_t>(on->hosts.size(), 1));
    on->set.resize(std::min<std::size_t>(on->set.size(), 1));
    if (context_.input.stands_in) on->set.push_back(plan::kNone);
  }
  const std::string base =
      node.name
          ? claim_path(position.prefix, node.name->text + position.key, node.name->span, "step")
          : unique_path(position.prefix, base_name(node.body) + position.key);
  if (walk_only) {
    // For its faults alone: with no hosts, nothing is asked of the inventory.
    step_node(node, item, position, base, {}, {}, label, modifiers);
    return;
  }
  Position place = position;
  place.beside_batch = on->beside_batch;
  if (!serial) return step_node(node, item, place, base, on->hosts, on->set, label, modifiers);
  const auto batches = batches_of(evaluator_, *serial, on->hosts);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    place.flow->wait_here();
    const bool alone = batches.size() == 1;
    step_node(node, item, place, alone ? base : base + "[" + std::to_string(i + 1) + "]",
              batches[i], alone ? on->set : batches[i], label, modifiers);
  }
  position.flow->wait_here();
}

// A step of whose hosts `--limit` leaves none: read for its faults alone, and said to be left out.
void Builder::leave_out_by_limit(const syntax::Step& node, const syntax::Item& item,
                                 const Position& position, const Modifiers& modifiers) {
  const Span at = node.name ? node.name->span : item.keyword;
  if (discarded_ == 0) {
    if (node.name) limited_out_.insert(node.name->text);
    context_.diags.warning("E0706", "`--limit` leaves out this step",
                           {at, "none of its hosts is chosen"},
                           "the rest of the play runs without it; widen the limit to have it run");
  }
  position.flow->wait_here();  // it keeps its place in the order: the sets above and below differ
  Discard discard(*this);
  Flow flow = *position.flow;
  Position inner = position;
  inner.flow = &flow;
  step_node(node, item, inner, unique_path(position.prefix, base_name(node.body)), {}, {}, "",
            modifiers);
}

void Builder::step_node(const syntax::Step& node, const syntax::Item& item,
                        const Position& position, const std::string& path,
                        const std::vector<HostIndex>& hosts, const std::vector<HostIndex>& set,
                        const std::string& label, const Modifiers& modifiers) {
  const Span at = node.name ? node.name->span : item.keyword;
  if (!hosts.empty()) join(item.keyword, position);
  const plan::NodeId id =
      add_node(NodeKind::step, path, item.keyword, tagged(position, modifiers)).id;
  spans_[id] = at;
  {
    plan::Node& made = context_.plan.nodes[id];
    made.hosts = hosts;
    made.once = modifiers.has("once");
    if (!hosts.empty()) position.flow->add_step(made, set);
  }
  const std::string title = title_of(node.title, "a step");
  const auto timeout = duration_of(evaluator_, modifiers.find("timeout"));
  const auto expect = duration_of(evaluator_, modifiers.find("expect"));
  const auto retry = retry_of(evaluator_, modifiers.find("retry"));
  if (const auto t = tolerance_of(evaluator_, modifiers.find("tolerate"))) tolerances_[id] = *t;

  std::set<HostIndex> about = position.about;
  std::set<HostIndex>* const outer_about = std::exchange(evaluator_.about, &about);
  OpenScope scope(*this, scope_);
  Body body;
  body.node = id;
  body.hosts = &hosts;
  body.label = label;
  body.at = at;
  body.step_name = node.name ? node.name->text : "";
  body.once = modifiers.has("once");
  body.environment = position.environment;
  body.become = user_of(evaluator_, modifiers.find("as")).value_or("");
  std::optional<plan::Column> when;
  if (const auto* modifier = modifiers.find("when")) {
    const syntax::Expr& condition = modifier->values[0];
    const Evaluated value = check_condition(condition);
    if (!value.poison()) when = evaluator_.column(value, hosts, label, condition.span);
  }
  body_items(node.body, body);
  if (body.empty) {
    context_.error("E0517", "a step without actions", at, "does nothing",
                   "add an action, or take the step out");
  }
  std::vector<plan::Action> undo_actions;
  for (std::size_t i = 0; i < body.undos.size(); ++i) {
    if (i > 0) {
      context_.error_with("E0513", "a step has one `undo`", body.undos[i]->keyword,
                          "a second `undo`", body.undos[0]->keyword, "the first one",
                          "put their actions in one `undo`");
    }
    // A procedure may serve both ways: on the way back nothing is registered for undo.
    const bool both_ways = in_rollback(position) && frame_->procedure != nullptr;
    if (position.section != 0 && !both_ways) {
      context_.error(
          "E0502",
          "`undo` is not allowed in a step of " +
              std::string(in_rollback(position) ? "a rollback"
                          : position.base == Place::always || position.place == Place::always
                              ? "`always`"
                              : "`on_failure`"),
          body.undos[i]->keyword, "not here", "what runs here is not undone: leave it out");
    }
    undo(*body.undos[i], body, undo_actions);
    if (both_ways) undo_actions.clear();
  }
  for (const auto* modifier : modifiers.notifies()) {
    if (const auto* ref = std::get_if<syntax::NameRef>(&modifier->values[0].node)) {
      body.notify_all.push_back(ref->name);
    }
  }
  for (const auto& name : body.notify_all) {
    for (std::size_t i = 0; i < body.actions.size(); ++i) notify(name, id, i, hosts);
    if (body.actions.empty()) notify(name, id, 0, {});
  }
  for (const auto& [action, name] : body.notifies) notify(name, id, action, hosts);

  plan::Node& made = context_.plan.nodes[id];
  if (!title.empty()) {
    made.title = title;
  } else if (node.name) {
    made.title = node.name->text;
  }
  made.timeout = timeout;
  made.expect = expect;
  made.testing = modifiers.has("testing");
  if (retry) made.retry = *retry;
  if (when) made.when = std::move(*when);
  made.actions = std::move(body.actions);
  made.undo = std::move(undo_actions);
  give_environment(made, body.environment, hosts, label);
  evaluator_.about = outer_about;
  const syntax::Modifier* even_if_out = modifiers.find("even if out");
  if (position.beside_batch && even_if_out == nullptr) {
    made.made_from.assign(about.begin(), about.end());
  } else if (even_if_out != nullptr && !position.beside_batch && !hosts.empty()) {
    context_.error("E0505", "`even if out` makes no sense here", even_if_out->span,
                   "not a step on other hosts in a `serial` phase",
                   "it is for a step on other hosts than those of `serial N of SET`");
  }
  wait_for_facts(made, *position.flow);
  if (!node.name) return;

  // Batches of one step are one step to those who read its facts.
  const std::uint64_t batch = position.beside_batch ? position.batch->id : 0;
  StepRecord* record = frame_->find(&node, position.iteration, batch);
  if (!record) {
    auto facts = std::make_shared<StepFacts>();
    facts->name = node.name->text;
    facts->declared = node.name->span;
    facts->actions.assign(body.facts.begin(), body.facts.end());
    frame_->add({node.name->text, &node, position.iteration, position.turns, position.branches,
                 batch, node.name->span, std::move(facts), std::move(body.facts)});
    return;
  }
  for (std::size_t i = 0; i < body.facts.size() && i < record->actions.size(); ++i) {
    auto& copies = record->actions[i]->copies;
    copies.insert(copies.end(), body.facts[i]->copies.begin(), body.facts[i]->copies.end());
  }
}

// Of another host a fact can be read once its step has ended there.
void Builder::wait_for_facts(plan::Node& node, Flow& flow) {
  const auto look = [&](const plan::Column& column) {
    for (const plan::Value& value : column.values()) {
      plan::reads_fact(value, [&](const plan::FactRef& fact) {
        if (fact.host && node.hosts != std::vector{*fact.host}) flow.read_across(node, fact.node);
        return false;
      });
    }
  };
  look(node.when);
  for (const plan::Action& action : node.actions) {
    look(action.when);
    for (const plan::Param& param : action.params) look(param.value);
  }
}

// ---- what a step, handler or undo holds

void Builder::body_items(const syntax::Block& block, Body& body) {
  for (const auto& item : block.items) body_item(item, body);
}

void Builder::body_item(const syntax::Item& item, Body& body) {
  const auto& node = item.node;
  if (body.place == Place::check && refuse_in_check(item, body)) return;
  if (const auto* n = std::get_if<syntax::ActionItem>(&node)) {
    body.empty = false;
    const auto* call = std::get_if<syntax::Call>(&n->call.node);
    if (!call) return;
    const Signature* signature = calls_.find(*call->callee);
    add_action(calls_.action(*call, signature, *body.hosts, body.label, n->call.span), n->modifiers,
               nullptr, n->call.span, body);
    return;
  }
  if (const auto* n = std::get_if<syntax::Let>(&node)) {
    const auto* call = std::get_if<syntax::Call>(&n->value.node);
    if (call && calls_.is_action(*call->callee)) {
      body.empty = false;
      const Signature* signature = calls_.find(*call->callee);
      add_action(calls_.action(*call, signature, *body.hosts, body.label, n->value.span),
                 n->modifiers, &n->name, n->value.span, body);
    } else {
      let(*n);
    }
    return;
  }
  if (const auto* n = std::get_if<syntax::ShellItem>(&node)) {
    body.empty = false;
    if (n->let) {
      context_.error(
          "E0407", "a plain `sh` has no facts to name", n->let->span, "nothing to read from it",
          "leave out `let " + n->let->text + " =`, or write a module that `returns` facts");
      declare(*n->let, {}, "name");
    }
    calls_.environment = names_in(body.environment, *body.hosts);
    add_action(calls_.shell(*n, *body.hosts, body.label, item.keyword), n->modifiers, nullptr,
               item.keyword, body);
    return;
  }
  if (const auto* n = std::get_if<syntax::Notify>(&node); n && body.place == Place::step) {
    body.notify_all.push_back(n->handler);
    return;
  }
  if (std::holds_alternative<syntax::Undo>(node) && body.place == Place::step) {
    body.undos.push_back(&item);
    return;
  }
  if (body.place == Place::step || body.place == Place::handler) {
    if (environment_item(item, body.environment, &body, !body.actions.empty())) {
      return;
    }
  }
  if (const auto* n = std::get_if<syntax::If>(&node)) {
    if_else(*n, *here_, [&](const syntax::Block& block) {
      OpenScope scope(*this, scope_);
      if (discarded_ == 0) {
        body_items(block, body);
        return;
      }
      Body aside;
      const std::vector<HostIndex> nobody;
      aside.node = body.node;
      aside.hosts = &nobody;
      aside.place = body.place;
      aside.facts = body.facts;
      aside.actions = body.actions;
      aside.environment = body.environment;
      body_items(block, aside);
      body.empty = body.empty && aside.empty;
    });
    return;
  }
  if (const auto* n = std::get_if<syntax::For>(&node)) {
    Position turn = *here_;
    Flow flow = *turn.flow;
    turn.flow = &flow;
    for_each(*n, turn, [&](Position&) { body_items(n->body, body); });
    return;
  }
  const std::string_view what = body.place == Place::undo      ? "an `undo`"
                                : body.place == Place::handler ? "a handler"
                                : body.place == Place::check   ? "a `check`"
                                                               : "a step";
  body.empty = false;
  context_.error(
      "E0502", code(context_.text(item.keyword)) + " is not allowed in " + std::string(what),
      item.keyword, "not here",
      body.place == Place::check ? "a `check` holds calls of modules; put this before or after it"
      : std::holds_alternative<syntax::Undo>(node) ? "what runs here is not undone: leave it out"
      : std::holds_alternative<syntax::Notify>(node)
          ? "only a step notifies a handler"
          : std::string(what) + " holds actions; put this before or after the step");
}

void Builder::add_action(plan::Action action, const std::vector<syntax::Modifier>& modifiers,
                         const syntax::Name* let, Span at, Body& body) {
  const Modifiers words(context_, modifiers,
                        body.place == Place::step    ? kActionPlace
                        : body.place == Place::check ? kCheckActionPlace
                                                     : kUndoActionPlace);
  action.become = user_of(evaluator_, words.find("as")).value_or(body.become);
  if (const auto* modifier = words.find("when")) {
    const syntax::Expr& condition = modifier->values[0];
    const Evaluated value = check_condition(condition);
    if (!value.poison()) {
      if (auto when = evaluator_.column(value, *body.hosts, body.label, condition.span)) {
        action.when = std::move(*when);
      }
    }
  }
  const std::size_t index = body.actions.size();
  for (const auto* modifier : words.notifies()) {
    if (const auto* ref = std::get_if<syntax::NameRef>(&modifier->values[0].node)) {
      body.notifies.emplace_back(index, ref->name);
    }
  }
  if (let) action.name = let->text;
  if (body.place != Place::undo) {
    auto facts = std::make_shared<ActionFacts>();
    facts->let = let ? let->text : "";
    facts->label = body.step_name.empty() ? facts->let : body.step_name + "." + facts->let;
    facts->facts = action.returns;
    facts->hosts = body.label;
    facts->copies.push_back({body.node, static_cast<std::uint32_t>(index), *body.hosts});
    facts->once = body.once && !body.hosts->empty();
    facts->unknown = action.module.empty();
    facts->declared = let ? let->span : at;
    if (let) {
      Evaluated value;
      if (!facts->unknown) value.type = simple(Kind::facts);
      value.facts = facts;
      declare(*let, std::move(value), "action");
    }
    body.facts.push_back(std::move(facts));
  } else if (let) {
    context_.error("E0505", "`let` makes no sense in an `undo`", let->span,
                   "nothing can read its facts", "leave out `let " + let->text + " =`");
    declare(*let, {}, "name");
  }
  body.actions.push_back(std::move(action));
}

void Builder::undo(const syntax::Item& item, Body& body, std::vector<plan::Action>& into) {
  const auto& node = std::get<syntax::Undo>(item.node);
  OpenScope scope(*this, scope_);
  auto facts = std::make_shared<StepFacts>();
  facts->name = body.step_name;
  facts->declared = body.at;
  facts->saved = true;
  for (const auto& action : body.facts) {
    auto own = std::make_shared<ActionFacts>(*action);
    own->label = own->let.empty() ? "saved" : "saved." + own->let;
    own->saved = true;
    own->once = false;
    facts->actions.push_back(std::move(own));
  }
  Evaluated saved;
  saved.type = simple(Kind::step);
  saved.step = std::move(facts);
  scope_->replace("saved",
                  {std::make_shared<const Evaluated>(std::move(saved)), item.keyword, "saved"});

  Body back;
  back.node = body.node;
  back.hosts = body.hosts;
  back.label = body.label;
  back.become = body.become;
  back.environment = body.environment;
  back.place = Place::undo;
  back.at = item.keyword;
  body_items(node.body, back);
  if (back.empty) {
    context_.error("E0517", "an `undo` without actions", item.keyword, "reverts nothing",
                   "add an action, or leave out the `undo`");
  }
  for (auto& action : back.actions) into.push_back(std::move(action));
}

void Builder::notify(const syntax::Name& handler, plan::NodeId node, std::size_t action,
                     const std::vector<HostIndex>& hosts) {
  const auto at = frame_->handlers.find(handler.text);
  if (at == frame_->handlers.end()) {
    std::vector<std::string> names;
    for (const auto& [name, record] : frame_->handlers) names.push_back(name);
    const std::string near = diag::did_you_mean(handler.text, names);
    context_.error("E0512", "unknown handler " + code(handler.text), handler.span, "not declared",
                   !near.empty()   ? "did you mean " + code(near) + "?"
                   : names.empty() ? "declare it: `handler " + handler.text + " { ... }`"
                                   : "there are " + enumerate(names));
    return;
  }
  at->second.notified = true;
  if (hosts.empty() || discarded_ > 0) return;
  at->second.hosts.insert(hosts.begin(), hosts.end());
  at->second.uses.push_back({node, action});
}

}  // namespace cnplay::compile
