// A phase that is carried out batch by batch: which hosts each batch has, and what of the phase's
// steps runs on them.
#include <algorithm>
#include <map>
#include <string_view>

#include "compile/builder.h"

namespace cnplay::compile {

using plan::NodeKind;

void Builder::batches(const syntax::Phase& node, const syntax::Item& item, Position inner,
                      const syntax::Modifier& serial) {
  inner.inside = "`serial`";
  Batch batch;
  batch.named = serial.values.size() > 1;
  SerialSet found;
  if (batch.named) {
    const Evaluated of = evaluator_.check(serial.values[1], simple(Kind::hosts));
    found.set = of.whole;
    found.hosts = context_.selected_of(of.hosts);
    found.at = serial.values[1].span;
    if (!of.poison() && of.whole.empty()) {
      context_.error("E0508", "`serial` of no host", found.at, "this set is empty",
                     "choose a set with hosts in it");
    }
  } else {
    find_serial_set(node, inner, found);
    if (found.reported) return;
  }
  batch.of = &found.set;
  batch.of_span = found.at;
  const auto cut = batches_of(evaluator_, serial, found.hosts, begun_batches(inner, found.hosts));
  auto outer_targets = std::exchange(batch_targets_, {});
  if (cut.empty()) {
    // Its body may hold faults of its own.
    if (!found.set.empty() && context_.input.limited && discarded_ == 0) {
      context_.diags.warning(
          "E0706", "`--limit` leaves out this phase",
          {node.name ? node.name->span : item.keyword,
           "none of the hosts of its batches is chosen"},
          "the rest of the play runs without it; widen the limit to have it run");
    }
    Discard discard(*this);
    Flow flow = *inner.flow;
    Position aside = inner;
    aside.flow = &flow;
    const std::vector<HostIndex> nobody;
    batch.hosts = &nobody;
    phase_body(node, aside, &batch);
  }
  const std::string base = inner.prefix;
  const std::size_t nodes = context_.plan.nodes.size();
  const std::size_t errors = context_.diags.errors();
  for (std::size_t i = 0; i < cut.size() && !too_large_; ++i) {
    // What is wrong in one batch is wrong in the next as well.
    if (context_.diags.errors() != errors) break;
    if (is_too_large(context_.plan.nodes.size() + turns_, serial.span)) break;
    ++turns_;
    batch.hosts = &cut[i];
    batch.id = epoch_of(&node, i);
    inner.prefix = base + "[" +
                   (cut[i].size() == 1 ? context_.host_name(cut[i][0]) : std::to_string(i + 1)) +
                   "]";
    inner.flow->wait_here();
    const std::size_t steps = frame_->steps.size();
    phase_body(node, inner, &batch);
    frame_->end_batch(steps, batch.id);
    barrier(NodeKind::batch_end, "(batch)", item.keyword, inner);
    context_.plan.nodes.back().made_from = cut[i];
  }
  large_loop(nodes, serial.span);
  batch_targets_ = std::move(outer_targets);
}

// The batches of this phase that have begun in the run in which the play is to be continued.
std::vector<std::vector<HostIndex>> Builder::begun_batches(
    const Position& inner, const std::vector<HostIndex>& hosts) const {
  std::vector<std::vector<HostIndex>> out;
  if (context_.input.begun_batches.empty()) return out;
  std::map<std::string_view, HostIndex> by_name;
  for (const HostIndex h : hosts) by_name.emplace(context_.host_name(h), h);
  for (const Input::Batch& begun : context_.input.begun_batches) {
    if (begun.phase != context_.plan.phases[inner.phase].path) continue;
    std::vector<HostIndex> batch;
    for (const std::string& name : begun.hosts) {
      if (const auto h = by_name.find(name); h != by_name.end()) batch.push_back(h->second);
    }
    std::ranges::sort(batch);
    if (!batch.empty()) out.push_back(std::move(batch));
  }
  return out;
}

// `batch`: the hosts of the batch at hand.
void Builder::declare_batch(const Batch& batch) {
  Evaluated value;
  const std::vector<HostIndex>& hosts = batch.hosts->empty() ? *batch.of : *batch.hosts;
  if (!hosts.empty()) {
    value.type = simple(Kind::hosts);
    value.hosts = value.whole = hosts;
    value.label = "batch";
    value.of_batch = true;
    value.depends.in_batch = true;
  }
  const auto held = std::make_shared<const Evaluated>(std::move(value));
  if (scope_->declare("batch", {held, batch.of_span, "hosts of a batch"})) return;
  context_.error_with("E0104", "`batch` is declared twice", batch.of_span,
                      "here `batch` is the hosts of the current batch",
                      scope_->find("batch")->declared, "first declared here",
                      "give the other one another name");
}

// Found by a first walk, which is taken back.
void Builder::find_serial_set(const syntax::Phase& node, Position inner, SerialSet& found) {
  serial_set_ = &found;
  {
    Discard discard(*this);
    Flow flow = *inner.flow;
    inner.flow = &flow;
    phase_body(node, inner);
  }
  serial_set_ = nullptr;
}

// Without `of` the batches are cut from the one set that all steps are on.
void Builder::check_serial_set(const Target& on, const Modifiers& modifiers) {
  if (serial_set_ == nullptr || serial_set_->reported) return;
  const Span at = modifiers.find("on")->values[0].span;
  if (serial_set_->set.empty()) {
    *serial_set_ = {on.set, on.hosts, at, false};
    return;
  }
  if (serial_set_->set == on.set) return;
  serial_set_->reported = true;
  context_.error_with("E0532", "the steps of a `serial` phase are on different hosts", at,
                      "on " + code(context_.text(at)), serial_set_->at,
                      "on " + code(context_.text(serial_set_->at)),
                      "name the hosts to take batch by batch: `serial 1 of SET`; steps on other "
                      "hosts then run once for each batch");
}

// The target of a step of a batch: most are the same set in each batch, and are made out once.
std::optional<Builder::Target> Builder::target_in_batch(const Modifiers& modifiers, Span at,
                                                        std::string& label, const Batch& batch) {
  const syntax::Modifier* on = modifiers.find("on");
  if (on == nullptr) return target(modifiers, at, label, "a step");
  const auto key = std::pair(&on->values[0], calls_.epoch);
  auto known = batch_targets_.find(key);
  if (known == batch_targets_.end()) {
    auto found = target(modifiers, at, label, "a step");
    if (!found) return found;
    const bool whole = !found->of_batch && found->set == *batch.of;
    if (found->in_batch) return found;
    known = batch_targets_.emplace(key, KnownTarget{*std::move(found), label, whole}).first;
  }
  label = known->second.label;
  if (!known->second.whole) return known->second.target;
  Target target;
  target.hosts = target.set = *batch.hosts;
  target.whole = true;
  return target;
}

// Which part of its hosts a step of a batch is for; false: of none, or it was refused.
bool Builder::take_part_in(const Batch& batch, const Modifiers& modifiers, Target& on) {
  const Span at = modifiers.find("on")->values[0].span;
  const syntax::Modifier* once = modifiers.find("once");
  if (on.of_batch) return !on.hosts.empty();
  if (on.whole) {
    if (once == nullptr) return true;
    context_.error("E0510", "`once` in a batch", once->span, "would run in every batch",
                   "write `on batch[0]`, or put the step before or after the phase");
    return false;
  }
  std::vector<HostIndex> common;
  std::ranges::set_intersection(on.set, *batch.of, std::back_inserter(common));
  if (common.empty()) {
    on.beside_batch = true;
    return true;
  }
  const bool part = common.size() == on.set.size();
  const std::string text = context_.text(at);
  const bool one_word = text.find(' ') == std::string::npos;
  context_.error_with(
      "E0533", "a step on only some hosts of a `serial` phase", at,
      count_of(common.size(), "host") + " of " + code(context_.text(batch.of_span)), batch.of_span,
      "cut into batches",
      part ? "write `on " + (one_word ? text : "(" + text + ")") +
                 " & batch`: the part of the batch at hand"
           : "make two steps: one on `batch`, or on a part of it, and one on the other hosts");
  return false;
}

// A loop, or the batches of a phase, that makes the plan large: the one that makes most of it is
// named.
void Builder::large_loop(std::size_t nodes_before, Span at) {
  constexpr std::size_t kMany = 20'000;
  const std::size_t made = context_.plan.nodes.size() - nodes_before;
  if (discarded_ > 0 || made <= kMany || made < largest_loop_.nodes) return;
  largest_loop_ = {made, at};
}

void Builder::warn_of_large_loop() {
  if (largest_loop_.nodes == 0) return;
  context_.diags.warning("E0707",
                         "the plan has " + std::to_string(context_.plan.nodes.size()) + " steps",
                         {largest_loop_.at, std::to_string(largest_loop_.nodes) + " of them"},
                         "larger batches, or one script that loops on the host, make it smaller");
}

}  // namespace cnplay::compile
