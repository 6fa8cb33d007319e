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
  // Read top to bottom, its branches come after what stands above, on whatever hosts: a dump beside
  // the update must not begin before the site is down everywhere. Within a branch of another one,
  // or within a batch, this would hold hosts that have nothing to do with it.
  if (position.inside.empty() && !position.flow->at_barrier()) {
    barrier(plan::NodeKind::barrier, "(parallel)", item.keyword, position);
  }
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

void Builder::for_each(const syntax::For& node, Position& position,
                       const std::function<void(Position&)>& body) {
  const Evaluated list = evaluator_.check(node.list);
  std::optional<plan::Value> items;
  if (!list.poison()) {
    if (!is(list.type, Kind::list)) {
      context_.error("E0203", "expected a list, found " + with_article(list.type), node.list.span,
                     with_article(list.type), "write a list: `[\"a\", \"b\"]`");
    } else {
      items =
          evaluator_.constant(list, node.list.span,
                              {"the list of a `for`", "which steps exist is known before the run"});
    }
  }
  const auto turn = [&](Evaluated value, std::size_t index, const std::string& key) {
    ++turns_;
    OpenScope scope(*this, scope_);
    const std::uint64_t outer = std::exchange(calls_.epoch, epoch_of(&node, index));
    declare(node.variable, std::move(value), "loop variable");
    Position inner = position;
    inner.base = position.place == Place::control ? position.base : position.place;
    inner.place = Place::control;
    if (!key.empty()) inner.key += "[" + key + "]";
    inner.iteration.push_back(calls_.epoch);
    inner.turns.push_back(items ? (*items->as<plan::List>())[index] : plan::Value());
    body(inner);
    calls_.epoch = outer;
  };
  if (too_large_) return;
  if (!items) {
    // Its body may hold faults of its own.
    Discard discard(*this);
    Flow flow = *position.flow;
    Position inner = position;
    inner.flow = &flow;
    const Position saved = std::exchange(position, inner);
    turn({}, 0, "");
    position = saved;
    return;
  }
  const auto& values = *items->as<plan::List>();
  // A list that is written out has as many values in each turn of the loops around it.
  const std::size_t outer_product = product_;
  if (std::holds_alternative<syntax::ListLit>(node.list.node)) {
    product_ *= std::max<std::size_t>(values.size(), 1);
  }
  is_too_large(product_, node.list.span);
  for (std::size_t i = 0; i < values.size() && !too_large_; ++i) {
    if (is_too_large(context_.plan.nodes.size() + turns_, node.list.span)) break;
    Evaluated value = known(list.type->of, values[i]);
    turn(std::move(value), i, key_of(values[i], i));
  }
  product_ = outer_product;
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
                           "which steps exist is known before the run; a step that may be left "
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
  walk(node.then, truth && *truth);
  if (node.otherwise) walk(*node.otherwise, truth && !*truth);
}

}  // namespace cnplay::compile
