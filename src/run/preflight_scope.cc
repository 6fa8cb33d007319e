// What of the plan a run needs at all, and whether the clock lets it begin.
#include "plan/eval.h"
#include "run/preflight.h"
#include "run/undo_left.h"

namespace cnplay::run {
namespace {

bool holds(const plan::Value& value, std::uint32_t secret);

bool holds(const plan::Expr& e, std::uint32_t secret) {
  if (holds(e.value, secret)) return true;
  for (const auto& operand : e.operands) {
    if (holds(*operand, secret)) return true;
  }
  return false;
}

// Whether a secret stands somewhere in a value.
bool holds(const plan::Value& value, std::uint32_t secret) {
  if (const auto* ref = value.as<plan::SecretRef>()) return ref->index == secret;
  if (const auto* deferred = value.as<plan::Deferred>()) return holds(*deferred->expr, secret);
  if (const auto* list = value.as<plan::List>()) {
    for (const plan::Value& item : *list) {
      if (holds(item, secret)) return true;
    }
  }
  if (const auto* record = value.as<plan::Record>()) {
    for (const auto& member : *record) {
      if (holds(member.second, secret)) return true;
    }
  }
  return false;
}

bool holds(const std::vector<plan::Action>& actions, std::uint32_t secret) {
  for (const plan::Action& action : actions) {
    for (const plan::Param& param : action.params) {
      for (const plan::Value& value : param.value.values()) {
        if (holds(value, secret)) return true;
      }
    }
  }
  return false;
}

}  // namespace

void Preflight::find_scope() {
  const WayBack* way = context_.options.way_back;
  if (way != nullptr && way->undo()) {
    takes_part_.assign(context_.plan.nodes.size(), false);
    const plan::Plan& recorded = way->recorded != nullptr ? *way->recorded : context_.plan;
    to_undo_ = undo_left(context_.plan, recorded, *way->record, way->undone);
    for (const UndoLog::Step& step : to_undo_) takes_part_[step.node] = true;
    return;
  }
  const plan::Section* back = context_.way_back();
  takes_part_.assign(context_.plan.nodes.size(), back == nullptr);
  if (back == nullptr) return;
  for (const plan::NodeId id : back->nodes) {
    takes_part_[id] = true;
    for (const plan::Action& action : context_.plan.node(id).actions) {
      for (const plan::NodeId handler : action.notify) takes_part_[handler] = true;
    }
  }
}

// Whoever goes back is not asked for what the way forward alone needs.
bool Preflight::uses(std::uint32_t secret) const {
  if (context_.options.way_back == nullptr) return true;
  for (const plan::Node& node : context_.plan.nodes) {
    const auto& actions = context_.options.way_back->undo() ? node.undo : node.actions;
    if (takes_part_[node.id] && holds(actions, secret)) return true;
  }
  return false;
}

// The window, and deadlines that are over: a run that would be given up at once does not begin. A
// way back is taken whenever it is needed.
void Preflight::look_at_the_clock() {
  if (again_ || context_.options.way_back != nullptr) return;
  const plan::Plan& plan = context_.plan;
  plan::Environment environment;
  environment.now = context_.options.now;
  environment.fact = [](const plan::FactRef&, plan::HostIndex) {
    return std::optional<plan::Value>();
  };
  const auto time_of = [&](const plan::Value& value) -> std::optional<Time> {
    const auto known = plan::resolve(value, 0, environment);
    const Time* time = known ? known->as<Time>() : nullptr;
    return time ? std::optional(*time) : std::nullopt;
  };
  const auto refuse = [&](const std::string& what, std::string help) {
    if (context_.dry() || alone_) {
      context_.emit.notice("a run would be refused now: " + what);
    } else {
      problem(std::nullopt, Kind::here, what, std::move(help));
    }
  };
  const Instant now = context_.clock.now();
  if (plan.window) {
    const auto from = time_of(plan.window->from);
    const auto to = time_of(plan.window->to);
    const std::string where = plan.window->where + ": the window ";
    if (from && now < from->at) {
      refuse(where + "opens at " + format_time(*from) + ", in " + human_duration(from->at - now),
             "start it then; until then, `cnplay preflight` checks everything that it needs");
    }
    if (to && now >= to->at) {
      refuse(where + "was over at " + format_time(*to),
             "agree on a new one, and write it into the play");
    }
  }
  for (const plan::Deadline& deadline : plan.deadlines) {
    const auto at = time_of(deadline.at);
    if (!at || now < at->at) continue;
    refuse(deadline.where + ": " +
               (deadline.phase == plan::kNone ? std::string("the play")
                                              : "`" + plan.phases[deadline.phase].title + "`") +
               " must have ended at " + format_time(*at) + ", which is over",
           "it would be rolled back before anything could be done: set a later time");
  }
}

}  // namespace cnplay::run
