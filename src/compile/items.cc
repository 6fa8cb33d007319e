// The walk over blocks: what may stand where, and the nodes that are no steps.
#include <algorithm>

#include "compile/builder.h"

namespace cnplay::compile {

using plan::NodeKind;

OpenScope::OpenScope(Builder& builder, const Scope* parent)
    : builder_(builder), outer_(builder.scope_), scope_(parent) {
  builder_.scope_ = &scope_;
  builder_.evaluator_.scope = &scope_;
}

OpenScope::~OpenScope() {
  builder_.scope_ = outer_;
  builder_.evaluator_.scope = outer_;
}

Discard::Discard(Builder& builder)
    : builder_(builder),
      nodes_(builder.context_.plan.nodes.size()),
      phases_(builder.context_.plan.phases.size()),
      responses_(builder.context_.plan.on_failure.size()),
      deadlines_(builder.context_.plan.deadlines.size()),
      steps_(builder.frame_->steps.size()),
      pivots_(builder.pivots_),
      paths_(builder.taken_paths_.size()),
      numbers_(builder.number_log_.size()) {
  for (const auto& section : builder.context_.plan.sections) {
    sections_.push_back(section.nodes.size());
  }
  ++builder_.discarded_;
}

Discard::~Discard() {
  plan::Plan& plan = builder_.context_.plan;
  plan.nodes.resize(nodes_);
  builder_.tolerances_.resize(nodes_);
  builder_.spans_.resize(nodes_);
  plan.phases.resize(phases_);
  plan.on_failure.resize(responses_);
  plan.deadlines.resize(deadlines_);
  plan.sections.resize(sections_.size());
  for (std::size_t i = 0; i < sections_.size(); ++i) plan.sections[i].nodes.resize(sections_[i]);
  builder_.frame_->shrink(steps_);
  builder_.pivots_ = pivots_;
  for (std::size_t i = paths_; i < builder_.taken_paths_.size(); ++i) {
    builder_.paths_.erase(builder_.taken_paths_[i]);
  }
  builder_.taken_paths_.resize(paths_);
  auto& log = builder_.number_log_;
  for (; log.size() > numbers_; log.pop_back()) {
    builder_.path_numbers_[log.back().first] = log.back().second;
  }
  --builder_.discarded_;
}

std::uint64_t Builder::epoch_of(const void* node, std::size_t index) {
  const auto [at, fresh] = epochs_.emplace(std::tuple(calls_.epoch, node, index), next_epoch_);
  if (fresh) ++next_epoch_;
  return at->second;
}

namespace {

// The name that an item declares in its block, if any.
const syntax::Name* declared_name(const syntax::Item& item) {
  if (const auto* n = std::get_if<syntax::Let>(&item.node)) return &n->name;
  if (const auto* n = std::get_if<syntax::LetCheck>(&item.node)) return &n->name;
  if (const auto* n = std::get_if<syntax::HostsDecl>(&item.node)) return &n->name;
  if (const auto* n = std::get_if<syntax::ParamDecl>(&item.node)) return &n->name;
  if (const auto* n = std::get_if<syntax::HostvarDecl>(&item.node)) return &n->name;
  if (const auto* n = std::get_if<syntax::SecretDecl>(&item.node)) return &n->name;
  return nullptr;
}

template <class... Ts>
bool is_one(const syntax::Item& item) {
  return (std::holds_alternative<Ts>(item.node) || ...);
}

bool is_declaration(const syntax::Item& item) {
  return is_one<syntax::Owner, syntax::HostsDecl, syntax::ParamDecl, syntax::HostvarDecl,
                syntax::SecretDecl, syntax::Require, syntax::Lock, syntax::Mode,
                syntax::PlayModifier>(item);
}

bool is_flow(const syntax::Item& item) {
  return is_one<syntax::Let, syntax::Step, syntax::Parallel, syntax::Sequence, syntax::For,
                syntax::If, syntax::Do>(item);
}

bool is_barrier(const syntax::Item& item) {
  return is_one<syntax::Phase, syntax::WaitUntil, syntax::Assert, syntax::Barrier, syntax::Pivot,
                syntax::Flush, syntax::Human, syntax::LetCheck>(item);
}

bool is_environment(const syntax::Item& item) {
  return is_one<syntax::Environment, syntax::SearchPath>(item);
}

std::string_view name_of(Place place) {
  switch (place) {
    case Place::play:
      return "a play";
    case Place::phase:
      return "a phase";
    case Place::procedure:
      return "a procedure";
    case Place::control:
      return "a `for` or `if`";
    case Place::parallel:
      return "`parallel`";
    case Place::sequence:
      return "`sequence`";
    case Place::on_failure:
      return "`on_failure`";
    case Place::always:
      return "`always`";
    case Place::step:
      return "a step";
    case Place::undo:
      return "an `undo`";
    case Place::handler:
      return "a handler";
    case Place::rollback:
      return "a rollback";
    case Place::check:
      return "a `check`";
  }
  return "";
}

// Where it does belong.
std::string belongs(const syntax::Item& item, Place place) {
  if (is_one<syntax::ActionItem, syntax::ShellItem>(item)) {
    return "write an action in a step: `step NAME on web { ... }`";
  }
  if (is_declaration(item)) return "it belongs to the head of the play";
  if (is_environment(item)) return "it belongs to a play, a phase or a step";
  if (is_one<syntax::Undo>(item)) {
    return place == Place::handler || place == Place::always || place == Place::on_failure ||
                   place == Place::rollback
               ? "what runs here is not undone: leave it out"
               : "write an `undo` in the step that it reverts";
  }
  if (is_one<syntax::UndoAll, syntax::Hold, syntax::Offer>(item)) {
    return "it belongs in `on_failure { ... }`";
  }
  if (is_one<syntax::OnFailure, syntax::Deadline>(item)) {
    return "it belongs to a play or a phase, not to a rollback or an answer to a failure";
  }
  if (is_one<syntax::Always, syntax::Handler, syntax::Rollback, syntax::Window>(item)) {
    return "it belongs to the play itself";
  }
  if (is_one<syntax::Report>(item)) return "write `always { report timings }`";
  if (is_one<syntax::Notify>(item)) return "it belongs in a step, or after an action";
  if (is_one<syntax::LetCheck>(item) && place != Place::step) {
    return "it asks before the work begins: put it in the play, before its steps";
  }
  if (is_one<syntax::TickItem>(item)) return "it belongs in `manual NAME \"...\" { ... }`";
  if (is_one<syntax::Human>(item) && place == Place::always) {
    return "`always` cannot wait for people: put the question before it, or in `on_failure { ... "
           "}`";
  }
  if (is_one<syntax::Returns, syntax::Clause, syntax::ScriptClause>(item)) {
    return "it belongs to a module, in a file of its own in `modules/`";
  }
  if (place == Place::step || place == Place::undo || place == Place::handler) {
    return "a step holds actions; put this before or after the step";
  }
  return "put it in the play or in a phase";
}

}  // namespace

bool Builder::allowed(const syntax::Item& item, const Position& position) {
  const Place place = position.place;
  const Place base = place == Place::control ? position.base : place;
  bool good = false;
  switch (base) {
    case Place::play:
      good = is_flow(item) || is_barrier(item) ||
             (place == Place::play &&
              (is_declaration(item) || is_environment(item) ||
               is_one<syntax::OnFailure, syntax::Always, syntax::Handler, syntax::Rollback,
                      syntax::Deadline, syntax::Window>(item)));
      break;
    case Place::phase:
      good = is_flow(item) || is_barrier(item) || (place == Place::phase && is_environment(item)) ||
             (place == Place::phase && !in_rollback(position) &&
              is_one<syntax::OnFailure, syntax::Deadline>(item));
      break;
    case Place::procedure:
      good = is_flow(item) || is_barrier(item) ||
             (place == Place::procedure && is_one<syntax::Handler>(item));
      break;
    case Place::parallel:
      good = is_flow(item);
      break;
    case Place::sequence:
      good = is_flow(item) || is_barrier(item);
      break;
    case Place::rollback:
      good = is_flow(item) || (is_barrier(item) && !is_one<syntax::LetCheck>(item));
      break;
    case Place::on_failure:
      good = is_flow(item) || is_one<syntax::Barrier, syntax::Human>(item) ||
             (place == Place::on_failure &&
              is_one<syntax::UndoAll, syntax::Hold, syntax::Offer>(item));
      break;
    case Place::always:
      good = is_flow(item) || is_one<syntax::Barrier>(item) ||
             (place == Place::always && is_one<syntax::Report>(item));
      break;
    default:
      break;
  }
  if (!good) {
    context_.error(
        "E0502",
        code(context_.text(item.keyword)) + " is not allowed in " + std::string(name_of(place)),
        item.keyword, "not here", belongs(item, place));
    return false;
  }
  if (is_barrier(item) && !position.inside.empty() &&
      !(std::holds_alternative<syntax::Barrier>(item.node) && base == Place::sequence) &&
      !(is_one<syntax::Assert, syntax::Barrier, syntax::Flush, syntax::Human>(item) &&
        position.inside == "`serial`")) {
    if (is_one<syntax::Pivot>(item)) ++pivots_;  // there is one, in the wrong place
    context_.error("E0520",
                   code(context_.text(item.keyword)) + " is not allowed inside " +
                       std::string(position.inside),
                   item.keyword, "waits for all hosts",
                   position.inside == "`serial`"
                       ? "the batches run one after another: put it before or after the phase"
                       : "put it before or after the block");
    return false;
  }
  return true;
}

void Builder::announce_names(const syntax::Block& block) {
  for (const auto& item : block.items) {
    if (const syntax::Name* name = declared_name(item)) {
      scope_->later.emplace(name->text, name->span);
    }
  }
}

void Builder::items(const syntax::Block& block, Position& position) {
  announce_names(block);
  const syntax::Block* outer_block = std::exchange(block_, &block);
  const std::size_t outer_index = index_;
  for (std::size_t i = 0; i < block.items.size() && !too_large_; ++i) {
    index_ = i;
    item(block.items[i], position);
  }
  block_ = outer_block;
  index_ = outer_index;
}

void Builder::item(const syntax::Item& item, Position& position) {
  const Position* outer = std::exchange(here_, &position);
  if (allowed(item, position)) {
    const auto& node = item.node;
    if (const auto* n = std::get_if<syntax::Let>(&node)) {
      const auto* call = std::get_if<syntax::Call>(&n->value.node);
      if (call && calls_.is_action(*call->callee)) {
        calls_.action(*call, calls_.find(*call->callee), {}, "", item.keyword);
        context_.error("E0502",
                       "an action is not allowed in " + std::string(name_of(position.place)),
                       n->value.span, "not in a step",
                       "write an action in a step: `step NAME on web { ... }`");
        declare(n->name, {}, "name");
      } else {
        let(*n);
      }
    }
    if (is_environment(item)) {
      const auto works = [](const syntax::Item& above) {
        return (is_flow(above) && !is_one<syntax::Let>(above)) || is_barrier(above);
      };
      const auto& above = block_->items;
      const bool late =
          std::any_of(above.begin(), above.begin() + static_cast<std::ptrdiff_t>(index_), works);
      environment_item(item, position.environment, block_, late);
    }
    if (const auto* n = std::get_if<syntax::Owner>(&node)) owner(*n);
    if (const auto* n = std::get_if<syntax::HostsDecl>(&node)) hosts(*n);
    if (const auto* n = std::get_if<syntax::ParamDecl>(&node)) param(*n);
    if (const auto* n = std::get_if<syntax::HostvarDecl>(&node)) hostvar(*n);
    if (const auto* n = std::get_if<syntax::SecretDecl>(&node)) secret(*n);
    if (const auto* n = std::get_if<syntax::Require>(&node)) require(*n);
    if (const auto* n = std::get_if<syntax::Lock>(&node)) lock(*n);
    if (const auto* n = std::get_if<syntax::Mode>(&node)) mode(*n);
    if (const auto* n = std::get_if<syntax::Step>(&node)) step(*n, item, position);
    if (const auto* n = std::get_if<syntax::Phase>(&node)) phase(*n, item, position);
    if (const auto* n = std::get_if<syntax::Parallel>(&node)) parallel(*n, item, position);
    if (const auto* n = std::get_if<syntax::Sequence>(&node)) {
      OpenScope scope(*this, scope_);
      Position inner = position;
      inner.place = position.inside.empty() ? position.place : Place::sequence;
      if (inner.place == Place::play || inner.place == Place::phase ||
          inner.place == Place::procedure || inner.place == Place::rollback) {
        inner.base = inner.place;
        inner.place = Place::control;
      }
      items(n->body, inner);
    }
    if (const auto* n = std::get_if<syntax::For>(&node)) {
      for_each(*n, position, [&](Position& inner) { items(n->body, inner); });
    }
    if (const auto* n = std::get_if<syntax::If>(&node)) {
      if_else(*n, position, [&](const syntax::Block& block) {
        OpenScope scope(*this, scope_);
        Position inner = position;
        inner.base = position.place == Place::control ? position.base : position.place;
        inner.place = Place::control;
        Flow flow = *position.flow;
        if (discarded_ > 0) inner.flow = &flow;
        items(block, inner);
      });
    }
    if (const auto* n = std::get_if<syntax::Do>(&node)) do_call(*n, item, position);
    if (const auto* n = std::get_if<syntax::LetCheck>(&node)) let_check(*n, item, position);
    if (const auto* n = std::get_if<syntax::WaitUntil>(&node)) wait(*n, item, position);
    if (const auto* n = std::get_if<syntax::Assert>(&node)) assertion(*n, item, position);
    if (const auto* n = std::get_if<syntax::Human>(&node)) human(*n, item, position);
    if (std::holds_alternative<syntax::Barrier>(node)) {
      barrier(NodeKind::barrier, "(barrier)", item.keyword, position);
    }
    if (std::holds_alternative<syntax::Flush>(node)) {
      barrier(NodeKind::flush, "(flush)", item.keyword, position);
    }
    if (const auto* n = std::get_if<syntax::Pivot>(&node)) pivot(*n, item, position);
    if (const auto* n = std::get_if<syntax::OnFailure>(&node)) on_failure(*n, item, position);
    if (const auto* n = std::get_if<syntax::Always>(&node)) always(*n, position);
    if (const auto* n = std::get_if<syntax::Deadline>(&node)) deadline(*n, item, position);
    if (const auto* n = std::get_if<syntax::Window>(&node)) window(*n, item);
    // A rollback is built when all that its steps may read is known: rollbacks().
  }
  here_ = outer;
}

// ---- paths and nodes

bool Builder::take_path(const std::string& path, Span at) {
  if (!paths_.emplace(path, at).second) return false;
  taken_paths_.push_back(path);
  return true;
}

std::string Builder::unique_path(const std::string& prefix, const std::string& base) {
  std::string first = prefix + "/" + base;
  if (take_path(first, {})) return first;
  int& number = path_numbers_.try_emplace(first, 1).first->second;
  if (discarded_ > 0) number_log_.emplace_back(first, number);
  std::string path;
  do {
    path = first + "-" + std::to_string(++number);
  } while (!take_path(path, {}));
  return path;
}

std::string Builder::claim_path(const std::string& prefix, const std::string& name, Span at,
                                std::string_view what) {
  if (what != "phase") context_.is_reserved(name.substr(0, name.find('[')), at, what);
  std::string path = prefix + "/" + name;
  if (take_path(path, at)) return path;
  const auto first = paths_.find(path);
  if (first->second == at) {
    context_.error("E0511", "two turns of a loop are called " + code(name), at,
                   "the same key twice", "a loop's list holds each value once");
  } else {
    context_.error_with(
        "E0511", std::string(what) + " " + code(name) + " is declared twice in one place", at,
        "again here", first->second, "first here",
        "give each a name of its own: reports and a resumed run tell them apart by it");
  }
  return unique_path(prefix, name);
}

std::string Builder::title_of(const std::optional<syntax::Expr>& title, std::string_view what) {
  if (!title) return "";
  const auto text = evaluator_.constant_text(
      *title, {"the title of " + std::string(what), "a title is known before the run"});
  return text ? *text : "";
}

plan::Node& Builder::add_node(NodeKind kind, std::string path, Span at, const Position& position) {
  plan::Plan& plan = context_.plan;
  is_too_large(plan.nodes.size() + turns_, at);
  plan::Node node;
  node.id = static_cast<plan::NodeId>(plan.nodes.size());
  node.kind = kind;
  node.title = path.substr(path.rfind('/') + 1);
  node.path = std::move(path);
  node.where = context_.where(at);
  node.phase = position.phase;
  node.tags = position.tags;
  if (kind != NodeKind::handler) plan.sections[position.section].nodes.push_back(node.id);
  plan.nodes.push_back(std::move(node));
  tolerances_.push_back(position.tolerance);
  spans_.push_back(at);
  return plan.nodes.back();
}

void Builder::barrier(NodeKind kind, std::string_view word, Span at, const Position& position,
                      std::string title) {
  plan::Node& node =
      add_node(kind, unique_path(position.prefix, std::string(word) + position.key), at, position);
  if (!title.empty()) {
    node.title = std::move(title);
  } else {
    node.title = std::string(word.substr(1, word.size() - 2));
  }
  position.flow->add_barrier(node);
}

// The one point through which a step waits for several branches.
void Builder::join(Span at, const Position& position) {
  if (position.flow->is_apart()) barrier(NodeKind::barrier, "(join)", at, position);
}

void Builder::wait(const syntax::WaitUntil& node, const syntax::Item& item,
                   const Position& position) {
  const Modifiers modifiers(context_, node.modifiers, kWaitPlace);
  const auto until = evaluator_.single(node.time, simple(Kind::time), {"the time of a `wait`", ""});
  const auto late_by = duration_of(evaluator_, modifiers.find("late_by"));
  const auto when = one_condition(modifiers, "whether a time is waited for");
  barrier(NodeKind::wait, "(wait)", item.keyword, position);
  plan::Node& made = context_.plan.nodes.back();
  if (until) made.until = *until;
  made.late_by = late_by;
  if (when) made.when = plan::Column(*when);
}

// What `when` says of something that is no step: one value for all hosts.
std::optional<plan::Value> Builder::one_condition(const Modifiers& modifiers,
                                                  std::string_view what) {
  const syntax::Modifier* modifier = modifiers.find("when");
  if (modifier == nullptr) return std::nullopt;
  evaluator_.secret_note = "a condition is shown and recorded";
  auto when = evaluator_.single(modifier->values[0], simple(Kind::bool_), {std::string(what), ""});
  evaluator_.secret_note.clear();
  return when;
}

// ---- phases

void Builder::phase(const syntax::Phase& node, const syntax::Item& item, const Position& position) {
  const Modifiers modifiers(context_, node.modifiers, kPhasePlace);
  const std::string name = node.name ? node.name->text : "phase";
  const std::string base =
      node.name ? claim_path(position.prefix, name + position.key, node.name->span, "phase")
                : unique_path(position.prefix, name + position.key);
  const auto index = static_cast<std::uint32_t>(context_.plan.phases.size());
  {
    plan::Phase made;
    made.path = base;
    made.title = title_of(node.title, "a phase");
    if (made.title.empty()) made.title = name;
    made.parent = position.phase;
    made.expect = duration_of(evaluator_, modifiers.find("expect"));
    made.budget = duration_of(evaluator_, modifiers.find("budget"));
    made.outage = modifiers.has("outage");
    if (const auto when = one_condition(modifiers, "whether a phase is carried out")) {
      made.when = *when;
    }
    context_.plan.phases.push_back(std::move(made));
  }
  Position inner = tagged(position, modifiers);
  inner.place = Place::phase;
  inner.prefix = base;
  inner.key.clear();
  inner.phase = index;
  if (const auto t = tolerance_of(evaluator_, modifiers.find("tolerate"))) inner.tolerance = *t;
  const syntax::Modifier* serial = modifiers.find("serial");
  if (serial && !position.inside.empty()) {
    context_.error("E0522", "`serial` inside of " + std::string(position.inside), serial->span,
                   "batches within batches", "write it once, at the outer phase");
    serial = nullptr;
  }
  inner.flow->wait_here();
  if (serial) {
    batches(node, item, inner, *serial);
  } else {
    phase_body(node, inner);
  }
  barrier(NodeKind::phase_end, "(end)", item.keyword, inner);
  context_.plan.phases[index].end = context_.plan.nodes.back().id;
}

void Builder::phase_body(const syntax::Phase& node, const Position& position, const Batch* batch) {
  OpenScope scope(*this, scope_);
  Position inner = position;
  inner.batch = batch;
  if (batch != nullptr && batch->named) declare_batch(*batch);
  const std::size_t pivots = pivots_;
  enter_block(node.body);
  items(node.body, inner);
  leave_block(node.body, pivots);
}

}  // namespace cnplay::compile
