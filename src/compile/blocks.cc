// Blocks that say how often and in which order: parallel, for, if.
#include <algorithm>

#include "compile/builder.h"

namespace cnplay::compile {

void Builder::parallel(const syntax::Parallel& node, const syntax::Item& item,
                       const Position& position) {
  if (!node.modifiers.empty()) Modifiers(context_, node.modifiers, {"`parallel`", {}});
  OpenScope scope(*this, scope_);
  Position inner = position;
  inner.place = Place::parallel;
  inner.inside = "`parallel`";
  join(item.keyword, position);
  position.flow->wait_here();
  const Flow before = *position.flow;
  std::deque<Flow> branches;
  const std::uint32_t id = next_parallel_++;
  announce_names(node.body);
  for (const auto& item : node.body.items) parallel_item(item, inner, before, branches, id);
  position.flow->join({branches.begin(), branches.end()});
}

void Builder::parallel_item(const syntax::Item& item, Position& position, const Flow& before,
                            std::deque<Flow>& branches, std::uint32_t id) {
  const auto open_branch = [&](Position from) {
    branches.push_back(before);
    from.flow = &branches.back();
    from.branches.emplace_back(id, static_cast<std::uint32_t>(branches.size()));
    return from;
  };
  if (const auto* n = std::get_if<syntax::If>(&item.node)) {
    if_else(*n, position, [&](const syntax::Block& block) {
      OpenScope scope(*this, scope_);
      std::deque<Flow> nowhere;
      for (const auto& each : block.items) {
        parallel_item(each, position, before, discarded_ > 0 ? nowhere : branches, id);
      }
    });
  } else if (const auto* n = std::get_if<syntax::For>(&item.node)) {
    for_each(*n, position, [&](Position& turn) {
      Position inner = open_branch(turn);
      inner.place = Place::sequence;
      items(n->body, inner);
    });
  } else if (std::holds_alternative<syntax::Let>(item.node)) {
    this->item(item, position);
  } else {
    Position inner = open_branch(position);
    this->item(item, inner);
  }
}

namespace {

std::string key_of(const plan::Value& value, std::size_t index) {
  const auto text = plan::text_of(value);
  if (!text || text->empty() || text->size() > 60 || value.as<plan::Record>()) {
    return std::to_string(index + 1);
  }
  std::string out = *text;
  for (char& c : out) {
    if (c == '/' || c == '[' || c == ']' || static_cast<unsigned char>(c) < 32) c = '_';
  }
  return out;
}

}  // namespace

// What the variable of a loop is, turn by turn; nullopt after a report.
std::optional<std::vector<Builder::Turn>> Builder::turns_of(const syntax::For& node) {
  const Evaluated list = evaluator_.check(node.list);
  if (list.poison()) return std::nullopt;
  std::vector<Turn> turns;
  if (is(list.type, Kind::hosts) || is(list.type, Kind::host)) {
    for (const HostIndex h : context_.selected_of(list.hosts)) {
      const std::string& name = context_.host_name(h);
      Evaluated value;
      value.type = simple(Kind::host);
      value.hosts = value.whole = {h};
      value.label = name;
      value.of_batch = list.of_batch;
      value.depends.in_batch = list.depends.in_batch;
      if (list.of_batch) value.depends.batch = {h};
      turns.push_back({std::move(value), plan::Value(name), name});
    }
    return turns;
  }
  if (!is(list.type, Kind::list)) {
    context_.error("E0203", "expected a list or hosts, found " + with_article(list.type),
                   node.list.span, with_article(list.type), "write a list: `[\"a\", \"b\"]`");
    return std::nullopt;
  }
  const auto items = evaluator_.constant(
      list, node.list.span, {"the list of a `for`", "the steps must be known before the run"});
  if (!items) return std::nullopt;
  for (const plan::Value& item : *items->as<plan::List>()) {
    turns.push_back({known(list.type->of, item), item, key_of(item, turns.size())});
    turns.back().variable.depends.in_batch = list.depends.in_batch;
    turns.back().variable.depends.batch = list.depends.batch;
  }
  return turns;
}

void Builder::for_each(const syntax::For& node, Position& position,
                       const std::function<void(Position&)>& body) {
  auto turns = turns_of(node);
  const auto carry_out = [&](Turn turn, std::size_t index) {
    ++turns_;
    OpenScope scope(*this, scope_);
    // A turn of a host is the same one in whatever set the host is looped over.
    const bool host = is(turn.variable.type, Kind::host);
    const std::size_t place = host ? turn.variable.host() : index;
    const std::uint64_t outer = std::exchange(calls_.epoch, epoch_of(&node, place));
    std::set<HostIndex> about = turn.variable.depends.batch;
    declare(node.variable, std::move(turn.variable), "loop variable");
    Position inner = position;
    inner.base = position.place == Place::control ? position.base : position.place;
    inner.place = Place::control;
    if (!turn.key.empty()) inner.key += "[" + turn.key + "]";
    inner.iteration.push_back(calls_.epoch);
    inner.turns.push_back(std::move(turn.value));
    inner.about.insert(about.begin(), about.end());
    body(inner);
    calls_.epoch = outer;
  };
  if (too_large_) return;
  if (!turns) {
    // Its body may hold faults of its own.
    Discard discard(*this);
    Flow flow = *position.flow;
    Position inner = position;
    inner.flow = &flow;
    const Position saved = std::exchange(position, inner);
    carry_out({}, 0);
    position = saved;
    return;
  }
  // A list that is written out has as many values in each turn of the loops around it.
  const std::size_t outer_product = product_;
  if (std::holds_alternative<syntax::ListLit>(node.list.node)) {
    product_ *= std::max<std::size_t>(turns->size(), 1);
  }
  is_too_large(product_, node.list.span);
  const std::size_t nodes = context_.plan.nodes.size();
  for (std::size_t i = 0; i < turns->size() && !too_large_; ++i) {
    if (is_too_large(context_.plan.nodes.size() + turns_, node.list.span)) break;
    carry_out(std::move((*turns)[i]), i);
  }
  product_ = outer_product;
  large_loop(nodes, node.list.span);
}

// Reports it once.
bool Builder::is_too_large(std::size_t size, Span at) {
  constexpr std::size_t kMost = 1'000'000;
  if (size <= kMost || too_large_) return too_large_;
  too_large_ = true;
  context_.error("E0705", "the play has more than a million steps and turns of loops", at,
                 "too many from here on",
                 "loop over fewer values, or let one script loop on the host");
  return true;
}

void Builder::if_else(const syntax::If& node, const Position&,
                      const std::function<void(const syntax::Block&)>& body) {
  const auto condition =
      evaluator_.constant(node.condition, simple(Kind::bool_),
                          {"the condition of an `if`",
                           "the steps must be known before the run; a step that may be left "
                           "out has a `when`"});
  const bool* truth = condition ? condition->as<bool>() : nullptr;
  const auto walk = [&](const syntax::Block& block, bool taken) {
    if (taken) {
      body(block);
    } else {
      Discard discard(*this);
      body(block);
    }
  };
  // The branch that is not taken first: it knows nothing of the names in the other one.
  const bool taken = truth != nullptr && *truth;
  if (node.otherwise && taken) walk(*node.otherwise, false);
  walk(node.then, taken);
  if (node.otherwise && !taken) walk(*node.otherwise, truth != nullptr);
}

}  // namespace cnplay::compile
