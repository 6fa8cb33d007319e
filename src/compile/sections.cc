// What is beside the main way: pivots and answers to failures, closers, handlers.
#include <algorithm>

#include "compile/builder.h"

namespace cnplay::compile {

using plan::kNone;
using plan::NodeKind;

namespace {

const syntax::Item* find_on_failure(const syntax::Block& block, std::string_view side) {
  for (const auto& item : block.items) {
    const auto* node = std::get_if<syntax::OnFailure>(&item.node);
    if (node && (node->side ? node->side->text : "") == side) return &item;
  }
  return nullptr;
}

}  // namespace

void Builder::enter_block(const syntax::Block& block) {
  after_pivot_handled_.push_back(find_on_failure(block, "after") != nullptr);
  // Each side once.
  std::map<std::string, Span> seen;
  for (const auto& item : block.items) {
    const auto* node = std::get_if<syntax::OnFailure>(&item.node);
    if (!node) continue;
    const std::string side = node->side ? node->side->text : "";
    const auto [first, fresh] = seen.emplace(side, item.keyword);
    if (!fresh) {
      context_.error_with("E0513", "two answers to the same failure", item.keyword, "again here",
                          first->second, "first here", "put both in one `on_failure`");
    }
  }
}

void Builder::leave_block(const syntax::Block& block, std::size_t pivots_before) {
  after_pivot_handled_.pop_back();
  if (pivots_ != pivots_before) return;
  for (const auto& item : block.items) {
    const auto* node = std::get_if<syntax::OnFailure>(&item.node);
    if (!node || !node->side) continue;
    context_.error("E0515", "`on_failure " + node->side->text + " pivot` without a pivot",
                   node->side->span, "there is no pivot here",
                   "write `on_failure { ... }`, or add `pivot \"...\"`");
  }
}

void Builder::pivot(const syntax::Pivot& node, const syntax::Item& item, const Position& position) {
  ++pivots_;
  const std::string title = title_of(node.title, "a pivot");
  if (position.section != 0) {
    context_.error("E0502", "`pivot` is not allowed in an answer to a failure", item.keyword,
                   "not here", "leave it out");
    return;
  }
  if (position.place == Place::control) {
    context_.error("E0520", "`pivot` is not allowed in a `for` or `if`", item.keyword,
                   "there is one point of no return", "put it before or after the block");
    return;
  }
  if (block_) {
    for (std::size_t i = 0; i < index_; ++i) {
      if (!std::holds_alternative<syntax::Pivot>(block_->items[i].node)) continue;
      context_.error_with(
          "E0514", "a second pivot in one place", item.keyword, "again here",
          block_->items[i].keyword, "the first one",
          "`before` and `after` must be clear: give the second one a phase of its own");
      break;
    }
  }
  if (std::ranges::find(after_pivot_handled_, true) == after_pivot_handled_.end()) {
    diag::Diagnostic d;
    d.code = "E0501";
    d.summary = "nothing handles a failure after the pivot";
    d.subject = {item.keyword, "automatic undo ends here"};
    for (std::size_t i = index_ + 1; block_ && i < block_->items.size(); ++i) {
      const auto* step = std::get_if<syntax::Step>(&block_->items[i].node);
      if (!step) continue;
      d.context.push_back({step->name ? step->name->span : block_->items[i].keyword, "can fail"});
      break;
    }
    // What can fail is the subject; the pivot explains it.
    if (!d.context.empty()) std::swap(d.subject, d.context[0]);
    d.help = "add `on_failure after pivot { hold \"...\" }`";
    context_.diags.add(std::move(d));
  }
  barrier(NodeKind::pivot, "(pivot)", item.keyword, position, title);
}

// ---- on_failure and always

void Builder::on_failure(const syntax::OnFailure& node, const syntax::Item& item,
                         const Position& position) {
  plan::OnFailure made;
  made.phase = position.phase;
  if (node.side) {
    made.side = node.side->text == "before" ? plan::Side::before_pivot : plan::Side::after_pivot;
  }
  section_items(node.body, position, plan::SectionKind::on_failure, &made);
  if (node.body.items.empty()) {
    context_.error("E0517", "`on_failure` without an answer", item.keyword, "says nothing",
                   "write `undo all`, or `hold \"...\"`");
  }
  context_.plan.on_failure.push_back(std::move(made));
}

void Builder::always(const syntax::Always& node, const Position& position) {
  section_items(node.body, position, plan::SectionKind::always, nullptr);
}

// The items of an `on_failure` or `always`. Steps that stand side by side make one section.
void Builder::section_items(const syntax::Block& block, const Position& position,
                            plan::SectionKind kind, plan::OnFailure* responses) {
  const bool failure = kind == plan::SectionKind::on_failure;
  OpenScope scope(*this, scope_);
  Flow flow;
  Position inner = position;
  inner.place = failure ? Place::on_failure : Place::always;
  inner.base = inner.place;
  inner.prefix = unique_path(position.prefix, failure ? "on_failure" : "always");
  inner.key.clear();
  inner.phase = kNone;
  inner.batch = nullptr;
  inner.inside = {};
  inner.branches.clear();
  inner.flow = &flow;
  bool open = false;
  const auto open_section = [&] {
    if (open) return;
    open = true;
    flow = Flow();
    inner.section = static_cast<std::uint32_t>(context_.plan.sections.size());
    context_.plan.sections.push_back({kind, {}, false});
    if (responses) {
      plan::Response response;
      response.kind = plan::ResponseKind::section;
      response.section = inner.section;
      responses->responses.push_back(std::move(response));
    }
  };
  // A procedure's and a loop's places are told apart from the main way by the section alone.
  for (std::size_t i = 0; i < block.items.size(); ++i) {
    const syntax::Item& item = block.items[i];
    if (responses) {
      plan::Response response;
      if (std::holds_alternative<syntax::Offer>(item.node)) {
        // Those that stand together are one question.
        i += offer(block, i, inner, *responses) - 1;
        open = false;
        continue;
      }
      if (std::holds_alternative<syntax::UndoAll>(item.node)) {
        response.kind = plan::ResponseKind::undo_all;
        responses->responses.push_back(std::move(response));
        open = false;
        continue;
      }
      if (const auto* hold = std::get_if<syntax::Hold>(&item.node)) {
        response.kind = plan::ResponseKind::hold;
        const Position* outer = std::exchange(here_, &inner);
        if (auto message = evaluator_.single(hold->message, simple(Kind::string),
                                             {"the message of a `hold`", ""})) {
          response.message = std::move(*message);
        }
        here_ = outer;
        responses->responses.push_back(std::move(response));
        open = false;
        continue;
      }
    }
    if (const auto* report = std::get_if<syntax::Report>(&item.node); report && !failure) {
      open_section();
      if (report->what.text != "timings") {
        const std::string near = diag::did_you_mean(report->what.text, {"timings"});
        context_.error("E0102", "there is no report " + code(report->what.text), report->what.span,
                       "unknown report",
                       near.empty() ? "write `report timings`" : "did you mean `timings`?");
      }
      context_.plan.sections[inner.section].report_timings = true;
      continue;
    }
    if (!std::holds_alternative<syntax::Let>(item.node)) open_section();
    this->item(item, inner);
  }
  // A section of nothing but `let`s or refused items is none.
  if (responses) {
    std::erase_if(responses->responses, [&](const plan::Response& response) {
      return response.kind == plan::ResponseKind::section &&
             context_.plan.sections[response.section].nodes.empty();
    });
  }
}

// ---- handlers

void Builder::find_handlers(const syntax::Block& block) {
  for (const auto& item : block.items) {
    const auto* node = std::get_if<syntax::Handler>(&item.node);
    if (!node) continue;
    if (!node->name) {
      context_.error("E0118", "a handler without a name", item.keyword, "nobody can notify it",
                     "write `handler reload { ... }`");
      continue;
    }
    HandlerRecord record;
    record.node = node;
    record.declared = node->name->span;
    const auto [first, fresh] = frame_->handlers.emplace(node->name->text, std::move(record));
    if (!fresh) {
      context_.error_with("E0104", "handler " + code(node->name->text) + " is declared twice",
                          node->name->span, "again here", first->second.declared, "first here",
                          "give one of them another name");
    }
  }
}

void Builder::handlers(const Position& position) {
  for (auto& [name, record] : frame_->handlers) {
    const syntax::Handler& node = *record.node;
    const Modifiers modifiers(context_, node.modifiers, kHandlerPlace);
    if (!record.notified && discarded_ == 0) {
      context_.error("E0519", "nothing notifies handler " + code(name), record.declared,
                     "would never run",
                     "write `notify " + name + "` after an action, or take it out");
    }
    std::vector<HostIndex> hosts(record.hosts.begin(), record.hosts.end());
    std::string label = name;
    if (modifiers.has("on")) {
      const auto wanted = target(modifiers, record.declared, label, "a handler");
      if (wanted && wanted->hosts.empty()) hosts.clear();
      if (wanted && !wanted->hosts.empty() && !hosts.empty()) {
        std::vector<HostIndex> both;
        std::ranges::set_intersection(hosts, wanted->hosts, std::back_inserter(both));
        if (both.empty()) {
          context_.error("E0508", "handler " + code(name) + " on no host that notifies it",
                         modifiers.find("on")->values[0].span, "none of these hosts notifies it",
                         "leave out `on`: a handler runs on the hosts that notify it");
        }
        hosts = std::move(both);
      }
    }
    Position inner = position;
    inner.place = Place::handler;
    inner.phase = kNone;
    const Position* outer = std::exchange(here_, &inner);
    // `--limit` leaves no host that notifies it: read for its faults alone.
    std::optional<Discard> discard;
    if (context_.input.limited && hosts.empty()) discard.emplace(*this);
    {
      OpenScope scope(*this, scope_);
      Body body;
      body.place = Place::handler;
      body.hosts = &hosts;
      body.label = label;
      body.at = record.declared;
      body.step_name = name;
      body.environment = inner.environment;
      body.become = user_of(evaluator_, modifiers.find("as")).value_or("");
      const plan::NodeId id =
          add_node(NodeKind::handler, unique_path(position.prefix, "handler:" + name),
                   record.declared, inner)
              .id;
      body.node = id;
      const std::string title = title_of(node.title, "a handler");
      const auto timeout = duration_of(evaluator_, modifiers.find("timeout"));
      const auto expect = duration_of(evaluator_, modifiers.find("expect"));
      const auto retry = retry_of(evaluator_, modifiers.find("retry"));
      std::optional<plan::Column> when;
      if (const auto* modifier = modifiers.find("when")) {
        const Evaluated value = check_condition(modifier->values[0]);
        if (!value.poison())
          when = evaluator_.column(value, hosts, label, modifier->values[0].span);
      }
      body_items(node.body, body);
      if (body.empty) {
        context_.error("E0517", "a handler without actions", record.declared, "does nothing",
                       "add an action, or take the handler out");
      }
      plan::Node& made = context_.plan.nodes[id];
      made.hosts = hosts;
      made.title = title.empty() ? name : title;
      made.timeout = timeout;
      made.expect = expect;
      if (retry) made.retry = *retry;
      if (when) made.when = std::move(*when);
      made.actions = std::move(body.actions);
      give_environment(made, body.environment, hosts, label);
      for (const auto& use : record.uses) {
        if (discard) break;
        context_.plan.nodes[use.node].actions[use.action].notify.push_back(id);
      }
    }
    here_ = outer;
  }
}

}  // namespace cnplay::compile
