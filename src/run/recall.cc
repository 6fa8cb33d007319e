#include "run/recall.h"

#include "run/context.h"
#include "run/people.h"

namespace cnplay::run {
namespace {

using events::Outcome;

void recall_action(const plan::Plan& plan, const plan::Plan& recorded, const events::ActionEnded& e,
                   FactStore& facts) {
  if (e.part == events::Part::undo || e.part == events::Part::rollback) return;
  if (e.node >= plan.nodes.size()) {
    // Of a former plan of the run: what it found is not what this one's action would.
    const auto is = node_of_now(recorded, e.node);
    if (is && e.applied && *is < plan.nodes.size()) facts.touch(*is, e.host);
    return;
  }
  const auto& actions = plan.node(e.node).actions;
  if (e.action >= actions.size()) return;  // the record of another plan
  if (e.applied) facts.touch(e.node, e.host);
  for (const auto& [name, text] : e.facts) {
    if (text.raw().find("[secret ") == std::string::npos) continue;
    facts.touch(e.node, e.host);
    return;
  }
  const bool good = e.outcome == Outcome::ok || e.outcome == Outcome::changed;
  if (actions[e.action].returns.empty() || (!good && !e.applied)) return;
  auto read = read_facts(actions[e.action], e.facts, false);
  if (!read) return;
  if (e.applied) facts.save(e.node, e.action, e.host, *read);
  if (good) facts.set(e.node, e.action, e.host, *std::move(read), false);
}

}  // namespace

std::optional<plan::NodeId> node_of_now(const plan::Plan& recorded, plan::NodeId node) {
  const std::string& path = recorded.node(node).path;
  for (plan::NodeId id = 0; id < node; ++id) {
    if (recorded.node(id).path == path) return id;
  }
  return std::nullopt;
}

events::ActionEnded ended_of(const events::RanAhead& ran) {
  events::ActionEnded ended;
  ended.node = ran.node;
  ended.host = ran.host;
  ended.action = ran.action;
  ended.part = events::Part::forward;
  ended.task = ran.task;
  ended.outcome = ran.outcome;
  ended.message = ran.message;
  ended.reason = ran.reason;
  ended.facts = ran.facts;
  ended.applied = ran.applied;
  return ended;
}

void recall(const plan::Plan& plan, const plan::Plan& recorded,
            const std::vector<events::Event>& record, FactStore& facts) {
  std::vector<events::HumanAnswered> answers;
  for (const events::Event& event : record) {
    if (const auto* e = std::get_if<events::ActionEnded>(&event.what)) {
      recall_action(plan, recorded, *e, facts);
    } else if (const auto* r = std::get_if<events::RanAhead>(&event.what)) {
      recall_action(plan, recorded, ended_of(*r), facts);
    } else if (std::holds_alternative<events::HumanStarted>(event.what)) {
      answers.clear();
    } else if (const auto* a = std::get_if<events::HumanAnswered>(&event.what)) {
      answers.push_back(*a);
    } else if (const auto* h = std::get_if<events::HumanEnded>(&event.what)) {
      if (h->node >= plan.nodes.size() || !plan.node(h->node).human) continue;
      const plan::Human& human = *plan.node(h->node).human;
      if (h->how == events::HumanEnd::answered) {
        facts.set(h->node, 0, 0, answer_facts(human, answers), false);
      } else if (h->how == events::HumanEnd::fell_back) {
        facts.set(h->node, 0, 0, fallback_facts(human), false);
      }
    }
  }
}

bool of_the_way_forward(const Context& context, const plan::FactRef& ref) {
  return context.rollback_of[ref.node] == plan::kNone;
}

}  // namespace cnplay::run
