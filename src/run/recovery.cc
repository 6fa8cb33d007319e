#include "run/recovery.h"

#include <utility>
#include <vector>

namespace cnplay::run {

using events::HumanEnd;
using events::Part;
using plan::HostIndex;
using plan::NodeId;

void Recovery::run_section(const plan::Section& section, Part part) {
  section_.open(section, part);
  drive_();
  if (section_.begin_handlers()) drive_();
  section_.close();
}

void Recovery::respond() {
  section_.reset();
  section_.include_failed_hosts();
  // Services must not run on with half of a new configuration while things are undone.
  if (section_.begin_handlers()) drive_();
  if (section_.stopping()) return;
  if (ending_.late) {
    // The play has decided it: people are not asked.
    return roll_back(
        *plan::find_rollback(context_.plan, context_.plan.deadlines[*ending_.late].rollback));
  }
  const plan::OnFailure* answer = answer_for(*ending_.failed_at);
  if (answer == nullptr) return undo_all();
  for (const plan::Response& response : answer->responses) {
    if (section_.stopping()) return;
    switch (response.kind) {
      case plan::ResponseKind::undo_all:
        undo_all();
        break;
      case plan::ResponseKind::hold:
        hold(response);
        break;
      case plan::ResponseKind::offer:
        if (offer(response)) return;
        if (&response == &answer->responses.back()) {
          context_.emit(events::Held{"nothing was undone"});
          ending_.held = true;
        }
        break;
      case plan::ResponseKind::section:
        run_section(context_.plan.sections[response.section], Part::on_failure);
        break;
    }
  }
}

// The innermost phase around the failing node is asked first, the play last; the first that has
// something to say for this side of the pivot answers alone.
const plan::OnFailure* Recovery::answer_for(NodeId node) const {
  for (std::uint32_t phase = context_.plan.node(node).phase;;
       phase = context_.plan.phases[phase].parent) {
    const bool past = section_.pivots().is_past(phase);
    for (const plan::OnFailure& answer : context_.plan.on_failure) {
      if (answer.phase != phase) continue;
      if (answer.side == plan::Side::any || (answer.side == plan::Side::after_pivot) == past) {
        return &answer;
      }
    }
    if (phase == plan::kNone) return nullptr;
  }
}

void Recovery::hold(const plan::Response& response) {
  const plan::Environment environment = context_.environment();
  const auto value = plan::resolve(response.message, 0, environment);
  const auto text = value ? plan::text_of(*value) : std::nullopt;
  context_.emit(events::Held{text.value_or("held")});
  ending_.held = true;
}

void Recovery::undo_all() {
  const std::vector<UndoLog::Step> steps = undo_.reverse();
  undo_.clear();  // each is undone once, whatever else is asked for
  section_.open_undo();
  ending_.undo_ran = true;
  ending_.undo_complete = true;
  events::UndoStarted started;
  for (const UndoLog::Step& step : steps) started.nodes.push_back(step.node);
  context_.emit(std::move(started));
  for (const UndoLog::Step& step : steps) {
    if (section_.stopping()) ending_.undo_complete = false;
    if (section_.stopping()) break;
    for (const HostIndex h : step.hosts) {
      if (context_.hosts[h].connected) {
        Unit unit;
        unit.node = step.node;
        unit.host = h;
        unit.part = Part::undo;
        section_.queue(unit);
      } else {
        ending_.undo_complete = false;
        undo_.undone(step.node, h, false);
        context_.emit.notice("`" + context_.plan.node(step.node).title +
                             "` could not be undone on " + context_.name(h) +
                             ": there is no connection");
      }
    }
    drive_();
  }
  context_.emit(events::UndoEnded{ending_.undo_complete && !undo_.left_some()});
}

// Whether that is the answer to the failure: a rollback was carried out, or it is not decided yet.
bool Recovery::offer(const plan::Response& response) {
  for (const std::string& name : response.rollbacks) context_.emit(events::RollbackOffered{name});
  section_.human_steps().forget_last();
  run_section(context_.plan.sections[response.section], Part::on_failure);
  if (ending_.parked || ending_.aborted || ending_.sick) return true;
  if (!context_.replay.problem().empty()) return true;
  section_.reset();  // a no has stopped what answers the failure, and is an answer
  const auto name = chosen(response);
  if (!name) {
    ending_.offered = response.rollbacks;
    return false;
  }
  roll_back(*plan::find_rollback(context_.plan, *name));
  return true;
}

// The rollback that people chose; nullopt: none.
std::optional<std::string> Recovery::chosen(const plan::Response& response) const {
  const auto how = section_.human_steps().last_end();
  if (how != HumanEnd::answered && how != HumanEnd::fell_back) return std::nullopt;
  plan::FactRef ref;
  ref.node = context_.plan.sections[response.section].nodes.front();
  if (response.rollbacks.size() == 1) {
    const bool* yes = context_.plan.node(ref.node).human->fallback.as<bool>();
    const bool accepted = how == HumanEnd::answered || (yes != nullptr && *yes);
    return accepted ? std::optional(response.rollbacks.front()) : std::nullopt;
  }
  ref.name = context_.plan.node(ref.node).human->questions.front().name;
  const auto value = context_.facts.get(ref, 0);
  const auto* name = value ? value->as<std::string>() : nullptr;
  if (name == nullptr || *name == plan::kNoRollback) return std::nullopt;
  return *name;
}

void Recovery::roll_back(const plan::Rollback& rollback) {
  section_.reset();
  undo_.clear();
  ending_.rolled_back = rollback.name;
  context_.emit(events::RollbackStarted{rollback.name});
  bool everywhere = true;
  for (const NodeId id : context_.plan.sections[rollback.section].nodes) {
    for (const HostIndex h : context_.plan.node(id).hosts) {
      everywhere = everywhere && context_.hosts[h].connected;
    }
  }
  run_section(context_.plan.sections[rollback.section], Part::rollback);
  if (ending_.parked) return;
  ending_.rollback_complete = everywhere && !section_.failed_in_rollback() &&
                              !section_.stopping() && !ending_.rollback_failed &&
                              !ending_.aborted && !ending_.sick;
  context_.emit(events::RollbackEnded{rollback.name, ending_.rollback_complete});
}

}  // namespace cnplay::run
