// Rollbacks: whole plans for the way back, what offers them, and the times by which they are taken.
#include <algorithm>

#include "compile/builder.h"
#include "plan/eval.h"

namespace cnplay::compile {

using plan::HumanKind;
using plan::kNone;
using plan::NodeKind;

void Builder::announce_rollbacks(const syntax::Block& block) {
  for (const auto& item : block.items) {
    const auto* node = std::get_if<syntax::Rollback>(&item.node);
    if (!node) continue;
    const auto [first, fresh] = rollbacks_.emplace(node->name.text, node->name.span);
    if (!fresh) {
      context_.error_with("E0104", "rollback " + code(node->name.text) + " is declared twice",
                          node->name.span, "again here", first->second, "first here",
                          "give one of them another name");
    }
  }
}

bool Builder::is_rollback(const syntax::Name& name) {
  if (rollbacks_.contains(name.text)) return true;
  std::vector<std::string> names;
  for (const auto& [known, span] : rollbacks_) names.push_back(known);
  const std::string near = diag::did_you_mean(name.text, names);
  context_.error("E0521", "there is no rollback " + code(name.text), name.span, "not declared",
                 !near.empty() ? "did you mean " + code(near) + "?"
                 : names.empty()
                     ? "write it in the play: `rollback " + name.text + " \"...\" { step ... }`"
                     : "there are " + enumerate(names));
  return false;
}

bool Builder::in_rollback(const Position& position) const {
  return context_.plan.sections[position.section].kind == plan::SectionKind::rollback;
}

void Builder::rollbacks(const syntax::Block& block, const Position& position) {
  for (const auto& item : block.items) {
    if (const auto* node = std::get_if<syntax::Rollback>(&item.node)) {
      rollback(*node, item, position);
    }
  }
  entitle_offers();
}

void Builder::rollback(const syntax::Rollback& node, const syntax::Item& item,
                       const Position& position) {
  const Position* outer = std::exchange(here_, &position);
  const Modifiers modifiers(context_, node.modifiers, kRollbackPlace);
  plan::Rollback made;
  made.name = node.name.text;
  made.title = title_of(node.title, "a rollback");
  if (made.title.empty()) made.title = made.name;
  made.section = static_cast<std::uint32_t>(context_.plan.sections.size());
  made.where = context_.where(item.keyword);
  context_.plan.sections.push_back({plan::SectionKind::rollback, {}, false});
  Flow flow;
  Position inner = position;
  inner.place = Place::rollback;
  inner.base = Place::rollback;
  inner.prefix = unique_path(position.prefix, "rollback:" + made.name);
  inner.section = made.section;
  inner.flow = &flow;
  if (const auto t = tolerance_of(evaluator_, modifiers.find("tolerate"))) inner.tolerance = *t;
  // Another rollback knows nothing of the steps of this one.
  const std::size_t steps = frame_->steps.size();
  {
    OpenScope scope(*this, scope_);
    items(node.body, inner);
  }
  frame_->shrink(steps);
  if (node.body.items.empty()) {
    context_.error("E0517", "a rollback without steps", item.keyword, "reverts nothing",
                   "add a step: `step NAME on web { ... }`");
  }
  context_.plan.rollbacks.push_back(std::move(made));
  here_ = outer;
}

// ---- what offers them

// From `first` on, the offers that stand side by side; how many there are.
std::size_t Builder::offer(const syntax::Block& block, std::size_t first, const Position& position,
                           plan::OnFailure& responses) {
  plan::Response response;
  response.kind = plan::ResponseKind::offer;
  std::map<std::string, Span> seen;
  const std::vector<syntax::Modifier>* written = nullptr;  // one question: at one of them
  std::size_t end = first;
  for (; end < block.items.size(); ++end) {
    const auto* node = std::get_if<syntax::Offer>(&block.items[end].node);
    if (!node) break;
    if (written && !node->modifiers.empty()) {
      context_.error_with("E0504", "two offers of one question have modifiers",
                          node->modifiers.front().span, "again here", written->front().span,
                          "first here", "write all modifiers at one of them: they hold for both");
    } else if (!node->modifiers.empty()) {
      written = &node->modifiers;
    }
    if (!is_rollback(node->rollback)) continue;
    const auto [before, fresh] = seen.emplace(node->rollback.text, node->rollback.span);
    if (fresh) {
      response.rollbacks.push_back(node->rollback.text);
    } else {
      context_.error_with("E0513", code(node->rollback.text) + " is offered twice",
                          node->rollback.span, "again here", before->second, "first here",
                          "leave one out");
    }
  }
  if (response.rollbacks.empty()) return end - first;
  Flow flow;
  Position inner = position;
  inner.flow = &flow;
  inner.section = static_cast<std::uint32_t>(context_.plan.sections.size());
  response.section = inner.section;
  context_.plan.sections.push_back({plan::SectionKind::on_failure, {}, false});
  plan::Node& made = add_node(NodeKind::human, unique_path(position.prefix, "offer"),
                              block.items[first].keyword, inner);
  made.human.emplace();
  if (response.rollbacks.size() == 1) {
    made.human->kind = HumanKind::approve;
  } else {
    made.human->kind = HumanKind::ask;
    plan::Question question;
    question.name = "offer";
    question.type = plan::FactType::string;
    question.choices = response.rollbacks;
    question.choices.emplace_back(plan::kNoRollback);
    made.human->questions.push_back(std::move(question));
  }
  flow.add_barrier(made);
  if (written) offer_words(*written, made);
  responses.responses.push_back(std::move(response));
  return end - first;
}

// Who may decide, until when, and what holds then.
void Builder::offer_words(const std::vector<syntax::Modifier>& written, plan::Node& made) {
  plan::Human& human = *made.human;
  const bool one = human.kind == HumanKind::approve;
  const Modifiers modifiers(context_, written, one ? kOfferPlace : kOffersPlace);
  human.by = people(modifiers.find("by"));
  made.timeout = duration_of(evaluator_, modifiers.find("timeout"));
  if (one) people_count(modifiers.find("count"), human);
  if (one) return human_default("offer", modifiers, simple(Kind::poison), human);
  offer_default(modifiers, human);
}

// Of several: one of them by its name, or none.
void Builder::offer_default(const Modifiers& modifiers, plan::Human& human) {
  const syntax::Expr* given = default_of(modifiers);
  if (given == nullptr) return;
  const syntax::Expr& expr = *given;
  const auto* ref = std::get_if<syntax::NameRef>(&expr.node);
  const std::string word = std::holds_alternative<syntax::NoneLit>(expr.node)
                               ? std::string(plan::kNoRollback)
                           : ref ? ref->name.text
                                 : "";
  const auto& choices = human.questions.front().choices;
  if (std::ranges::find(choices, word) != choices.end()) {
    human.fallback = plan::Value(word);
    return;
  }
  context_.error("E0525", "not one of these offers", expr.span,
                 "none of the rollbacks that are offered",
                 "write `default " + choices.front() + "`, or `default none`");
}

// What people are asked names the titles, which are known by now.
void Builder::entitle_offers() {
  plan::Plan& plan = context_.plan;
  for (const plan::OnFailure& on : plan.on_failure) {
    for (const plan::Response& response : on.responses) {
      if (response.kind != plan::ResponseKind::offer) continue;
      const bool one = response.rollbacks.size() == 1;
      std::string text = one ? "Run the rollback " : "Which rollback: ";
      for (std::size_t i = 0; i < response.rollbacks.size(); ++i) {
        const plan::Rollback* way = plan::find_rollback(plan, response.rollbacks[i]);
        if (way == nullptr) continue;  // reported
        text += (i == 0 ? "" : ", ") + code(way->name);
        if (way->title != way->name) text += " (" + way->title + ")";
      }
      text += one ? "?" : ", or " + std::string(plan::kNoRollback) + "?";
      for (const plan::NodeId id : plan.sections[response.section].nodes) {
        plan.nodes[id].title = text;
      }
    }
  }
}

// ---- times

void Builder::deadline(const syntax::Deadline& node, const syntax::Item& item,
                       const Position& position) {
  const auto at = evaluator_.single(node.time, simple(Kind::time), {"a deadline", ""});
  const bool known = is_rollback(node.rollback);
  // The batches of a `serial` phase are one phase.
  const auto [first, fresh] = deadlines_.emplace(position.phase, item.keyword);
  if (!fresh && first->second != item.keyword) {
    context_.error_with(
        "E0526",
        std::string("two deadlines of one ") + (position.phase == kNone ? "play" : "phase"),
        item.keyword, "again here", first->second, "first here", "keep one");
  }
  for (const plan::Deadline& other : context_.plan.deadlines) {
    if (other.phase == position.phase) return;
  }
  if (!at || !known) return;
  context_.plan.deadlines.push_back(
      {position.phase, *at, node.rollback.text, context_.where(item.keyword)});
}

void Builder::window(const syntax::Window& node, const syntax::Item& item) {
  const auto from = evaluator_.single(node.from, simple(Kind::time), {"a window", ""});
  const auto to = evaluator_.single(node.to, simple(Kind::time), {"a window", ""});
  if (window_) {
    context_.error_with("E0526", "two windows of one play", item.keyword, "again here", *window_,
                        "first here", "keep one");
    return;
  }
  window_ = item.keyword;
  if (!from || !to) return;
  const auto any = [](const plan::FactRef&) { return true; };
  for (const auto& [value, expr] : {std::pair(&*from, &node.from), std::pair(&*to, &node.to)}) {
    if (!plan::reads_fact(*value, any)) continue;
    context_.error("E0526", "this time is not known before the run", expr->span,
                   "reads what hosts or people say", "write a time, or one that depends on `now`");
    return;
  }
  const auto* begin = from->as<Time>();
  const auto* end = to->as<Time>();
  if (begin && end && end->at <= begin->at) {
    context_.error("E0526", "this window ends before it begins", item.keyword, "never open",
                   "write the earlier time first");
    return;
  }
  context_.plan.window = plan::Window{*from, *to, context_.where(item.keyword)};
}

}  // namespace cnplay::compile
