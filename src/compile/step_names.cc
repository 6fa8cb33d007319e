// Steps as names that later ones read facts of: of the play, of the turns of a loop, of a procedure
// that was done.
#include <algorithm>

#include "compile/builder.h"

namespace cnplay::compile {
namespace {

bool has_step(const syntax::Block& block, const std::string& name) {
  return std::ranges::any_of(block.items, [&](const syntax::Item& item) {
    if (const auto* n = std::get_if<syntax::Step>(&item.node))
      return n->name && n->name->text == name;
    if (const auto* n = std::get_if<syntax::Human>(&item.node))
      return n->name && n->name->text == name;
    if (const auto* n = std::get_if<syntax::Phase>(&item.node)) return has_step(n->body, name);
    if (const auto* n = std::get_if<syntax::Parallel>(&item.node)) return has_step(n->body, name);
    if (const auto* n = std::get_if<syntax::Sequence>(&item.node)) return has_step(n->body, name);
    if (const auto* n = std::get_if<syntax::Rollback>(&item.node)) return has_step(n->body, name);
    if (const auto* n = std::get_if<syntax::For>(&item.node)) return has_step(n->body, name);
    if (const auto* n = std::get_if<syntax::If>(&item.node)) {
      return has_step(n->then, name) || (n->otherwise && has_step(*n->otherwise, name));
    }
    return false;
  });
}

// In how many loops, from the outermost on, both stand in the same turn.
std::size_t common(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  const auto end = std::ranges::mismatch(a, b).in1;
  return static_cast<std::size_t>(end - a.begin());
}

StepsOf::One one_of(const StepRecord& record, std::size_t from_turn);

// What a step, or what was done under a name, is to those who read it.
Evaluated value_of(const StepRecord& record) {
  if (record.answers) return *record.answers;
  Evaluated out;
  out.type = simple(Kind::step);
  if (record.call == nullptr) {
    out.step = record.facts;
    return out;
  }
  auto steps = std::make_shared<StepsOf>();
  steps->name = record.name;
  steps->declared = record.declared;
  steps->procedure = true;
  for (const StepRecord& inner : record.done) steps->all.push_back(one_of(inner, 0));
  out.steps = std::move(steps);
  return out;
}

StepsOf::One one_of(const StepRecord& record, std::size_t from_turn) {
  return {record.name,
          {record.turns.begin() + static_cast<std::ptrdiff_t>(from_turn), record.turns.end()},
          record.declared,
          std::make_shared<const Evaluated>(value_of(record))};
}

void merge(StepRecord& into, const StepRecord& batch) {
  for (std::size_t i = 0; i < batch.actions.size() && i < into.actions.size(); ++i) {
    auto& copies = into.actions[i]->copies;
    const auto& more = batch.actions[i]->copies;
    copies.insert(copies.end(), more.begin(), more.end());
  }
  for (const StepRecord& inner : batch.done) {
    const auto same = std::ranges::find_if(into.done, [&](const StepRecord& known) {
      return known.name == inner.name && known.node == inner.node && known.call == inner.call &&
             known.turns == inner.turns;
    });
    if (same == into.done.end()) {
      into.done.push_back(inner);
    } else {
      merge(*same, inner);
    }
  }
}

}  // namespace

// What was done under a procedure's name. Batches of one call are one to those who read of it.
void Builder::remember_call(const syntax::Do& node, const syntax::Procedure& procedure, Span at,
                            const Position& position, std::vector<StepRecord> steps) {
  StepRecord record;
  record.name = procedure.name.text;
  record.call = &node;
  record.iteration = position.iteration;
  record.turns = position.turns;
  record.branches = position.branches;
  record.declared = at;
  record.done = std::move(steps);
  const bool in_batch =
      std::ranges::any_of(record.done, [](const StepRecord& inner) { return inner.batch != 0; });
  if (in_batch) record.batch = position.batch->id;
  if (StepRecord* known = frame_->find(&node, position.iteration, record.batch)) {
    return merge(*known, record);
  }
  frame_->add(std::move(record));
}

bool Builder::is_unordered(const syntax::Name& name, const StepRecord& record) {
  for (const auto& [id, branch] : record.branches) {
    const auto same = std::ranges::find(here_->branches, id, [](const auto& b) { return b.first; });
    if (same == here_->branches.end() || same->second == branch) continue;
    context_.error_with("E0120", "step " + code(record.name) + " may not have run yet", name.span,
                        "is in another branch of `parallel`", record.declared, "the step",
                        "put both in one `sequence`, or read the fact after the `parallel`");
    return true;
  }
  return false;
}

void Frame::add(StepRecord record) {
  const void* node = record.call != nullptr ? static_cast<const void*>(record.call) : record.node;
  if (node != nullptr) written[{node, record.iteration, record.batch}] = steps.size();
  named[record.name].push_back(steps.size());
  steps.push_back(std::move(record));
}

void Frame::shrink(std::size_t size) {
  for (; steps.size() > size; steps.pop_back()) {
    std::vector<std::size_t>& places = named[steps.back().name];
    if (!places.empty() && places.back() == steps.size() - 1) places.pop_back();
    const StepRecord& last = steps.back();
    written.erase({last.call != nullptr ? static_cast<const void*>(last.call) : last.node,
                   last.iteration, last.batch});
  }
}

void Frame::end_batch(std::size_t from, std::uint64_t batch) {
  for (std::size_t i = from; i < steps.size(); ++i) {
    if (steps[i].batch != batch) continue;
    std::erase(named[steps[i].name], i);
    in_batches.insert(steps[i].name);
  }
}

StepRecord* Frame::find(const void* node, const std::vector<std::uint64_t>& iteration,
                        std::uint64_t batch) {
  const auto at = written.find({node, iteration, batch});
  return at == written.end() ? nullptr : &steps[at->second];
}

std::optional<Evaluated> Builder::find_step(const syntax::Name& name) {
  static const std::vector<std::size_t> kNone;
  const auto called = frame_->named.find(name.text);
  const std::vector<std::size_t>& places = called == frame_->named.end() ? kNone : called->second;
  // A step of this name goes before a procedure's.
  const bool is_step = std::ranges::any_of(
      places, [&](std::size_t place) { return frame_->steps[place].call == nullptr; });
  const StepRecord* found = nullptr;
  const StepRecord* other = nullptr;
  std::vector<const StepRecord*> in_loops;  // that share most turns with this place
  std::size_t shared = 0;
  const auto& here = here_->iteration;
  for (const std::size_t place : places) {
    const StepRecord& record = frame_->steps[place];
    if (is_step && record.call != nullptr) continue;
    const auto& path = record.iteration;
    const std::size_t turns = common(path, here);
    if (turns < path.size()) {
      if (turns > shared) in_loops.clear();
      shared = std::max(turns, shared);
      if (turns == shared) in_loops.push_back(&record);
    } else if (!found || path.size() > found->iteration.size()) {
      found = &record;
      other = nullptr;
    } else if (path.size() == found->iteration.size()) {
      other = &record;
    }
  }
  if (found && other) {
    const bool done = found->call != nullptr;
    context_.error_with(
        "E0123",
        (done ? code(name.text) + " is done twice" : "there are two steps " + code(name.text)),
        name.span, "which one?", other->declared, "one of them",
        done ? "read the fact in the procedure, or do it once" : "give the steps different names");
    return Evaluated{};
  }
  if (!found && in_loops.empty()) {
    const syntax::Block& body = frame_->procedure ? frame_->procedure->body : play_->body;
    if (limited_out_.contains(name.text)) {
      context_.error("E0530", code(name.text) + " is left out by `--limit`", name.span,
                     "its facts are needed here",
                     "widen the limit: the hosts of both steps must be in it");
      return Evaluated{};
    }
    if (!has_step(body, name.text)) return std::nullopt;
    if (frame_->in_batches.contains(name.text) && here_->batch == nullptr) {
      context_.error("E0534", code(name.text) + " is done once for each batch", name.span,
                     "in which batch?",
                     "read its facts in the phase that is done batch by batch: its facts are known "
                     "only in its batch");
      return Evaluated{};
    }
    context_.error("E0119", "step " + code(name.text) + " has not run yet here", name.span,
                   "is further down, or is this step",
                   "facts are read in later steps; in the step itself name the action alone");
    return Evaluated{};
  }
  Evaluated out;
  if (found) {
    if (is_unordered(name, *found)) return Evaluated{};
    out = value_of(*found);
  } else {
    auto steps = std::make_shared<StepsOf>();
    steps->name = name.text;
    steps->declared = in_loops.back()->declared;
    for (const StepRecord* record : in_loops) {
      if (is_unordered(name, *record)) return Evaluated{};
      steps->all.push_back(one_of(*record, shared));
    }
    out.type = simple(Kind::step);
    out.steps = std::move(steps);
  }
  out.depends.cause = name.span;
  return out;
}

// ---- choosing one

// Of those that share a name: the one, or those of which a turn is still to be said.
Evaluated Evaluator::chosen_of(StepsOf steps, Span at) {
  const auto open = [](const StepsOf::One& one) { return !one.turns.empty(); };
  if (steps.all.size() == 1 && !open(steps.all.front())) return *steps.all.front().step;
  if (!std::ranges::all_of(steps.all, open)) {
    context_.error_with("E0123", "there are two steps " + code(steps.name), at, "which one?",
                        steps.all.back().declared, "one of them", "give the steps different names");
    return poison();
  }
  Evaluated out;
  out.type = simple(Kind::step);
  out.depends.cause = at;
  out.steps = std::make_shared<const StepsOf>(std::move(steps));
  return out;
}

// `server_stop.stop`.
Evaluated Evaluator::step_of(const StepsOf& steps, const syntax::Member& member) {
  const std::string& name = member.name.text;
  if (!steps.procedure) {
    context_.error_with("E0123", "there is a step " + code(steps.name) + " for each turn of a loop",
                        member.object->span, "which one?", steps.declared, "the step",
                        "read its facts inside the loop, or say which turn: `" + steps.name + "[" +
                            text_of_turn(steps.all.front().turns.front()) + "]." + name + "`");
    return poison();
  }
  StepsOf of{name, steps.declared, {}, false};
  std::vector<std::string> names;
  for (const StepsOf::One& one : steps.all) {
    if (one.name == name) of.all.push_back(one);
    if (std::ranges::find(names, one.name) == names.end()) names.push_back(one.name);
  }
  if (!of.all.empty()) {
    of.declared = of.all.front().declared;
    return chosen_of(std::move(of), member.name.span);
  }
  const std::string near = diag::did_you_mean(name, names);
  context_.error_with("E0107", code(steps.name) + " has no step called " + code(name),
                      member.name.span, "no such step", steps.declared, "done here",
                      !near.empty()   ? "did you mean " + code(near) + "?"
                      : names.empty() ? "its steps have no names"
                                      : "its steps: " + enumerate(names));
  return poison();
}

// `code["a"]`: of the turn in which the loop's variable was that.
Evaluated Evaluator::turn_of(const StepsOf& steps, const syntax::Index& node) {
  Evaluated which = check(*node.index);
  if (which.poison()) return poison();
  if (is(which.type, Kind::host))
    which.values = Values(plan::Value(context_.host_name(which.host())));
  const auto value = constant(which, node.index->span,
                              {"which turn of a loop is meant",
                               "which steps exist is known before "
                               "the run"});
  if (!value) return poison();
  if (steps.procedure) {
    context_.error_with("E0540", code(steps.name) + " was not done in a loop", node.index->span,
                        "the loop has no turns", steps.declared, "done here",
                        "leave out the index");
    return poison();
  }
  StepsOf of{steps.name, steps.declared, {}, false};
  std::vector<std::string> turns;
  for (StepsOf::One one : steps.all) {
    const std::string text = text_of_turn(one.turns.front());
    if (std::ranges::find(turns, text) == turns.end()) turns.push_back(text);
    if (one.turns.front() != *value) continue;
    one.turns.erase(one.turns.begin());
    of.all.push_back(std::move(one));
  }
  if (!of.all.empty()) return chosen_of(std::move(of), node.object->span);
  constexpr std::size_t kShown = 8;
  if (turns.size() > kShown) turns.resize(kShown), turns.emplace_back("...");
  context_.error_with("E0540", "no turn of the loop is " + text_of_turn(*value), node.index->span,
                      "nothing was done for it", steps.declared, "the step",
                      "there are " + enumerate(turns));
  return poison();
}

std::string Evaluator::text_of_turn(const plan::Value& value) {
  const auto* text = value.as<std::string>();
  return text != nullptr ? "\"" + *text + "\"" : plan::text_of(value).value_or("...");
}

}  // namespace cnplay::compile
