// Rollbacks: offered to people after a failure, taken for a deadline, or a run of their own.
#include "run/recall.h"
#include "run/runner.h"
#include "run/undo_left.h"

namespace cnplay::run {

using events::HumanEnd;
using events::Part;
using plan::HostIndex;
using plan::NodeId;

// Whether that is the answer to the failure: a way back was taken, or it is not decided yet.
bool Runner::offer(const plan::Response& response) {
  for (const std::string& name : response.rollbacks) context_.emit(events::RollbackOffered{name});
  human_end_.reset();
  run_section(context_.plan.sections[response.section], Part::on_failure);
  if (ending_.parked || ending_.aborted || ending_.sick) return true;
  if (!context_.replay.problem().empty()) return true;
  resume();  // a no has stopped what answers the failure, and is an answer
  const auto name = chosen(response);
  if (!name) {
    ending_.offered = response.rollbacks;
    return false;
  }
  roll_back(*plan::find_rollback(context_.plan, *name));
  return true;
}

// What people said; nullopt: none.
std::optional<std::string> Runner::chosen(const plan::Response& response) const {
  if (human_end_ != HumanEnd::answered && human_end_ != HumanEnd::fell_back) return std::nullopt;
  plan::FactRef ref;
  ref.node = context_.plan.sections[response.section].nodes.front();
  if (response.rollbacks.size() == 1) {
    const bool* yes = context_.plan.node(ref.node).human->fallback.as<bool>();
    const bool taken = human_end_ == HumanEnd::answered || (yes != nullptr && *yes);
    return taken ? std::optional(response.rollbacks.front()) : std::nullopt;
  }
  ref.name = context_.plan.node(ref.node).human->questions.front().name;
  const auto value = context_.facts.get(ref, 0);
  const auto* name = value ? value->as<std::string>() : nullptr;
  if (name == nullptr || *name == plan::kNoRollback) return std::nullopt;
  return *name;
}

// It stands on its own: hosts that have failed on the way forward take part, failures are counted
// anew, and what was registered for undo is not undone besides.
void Runner::roll_back(const plan::Rollback& way) {
  resume();
  undo_.clear();
  ending_.rolled_back = way.name;
  context_.emit(events::RollbackStarted{way.name});
  bool everywhere = true;
  for (const NodeId id : context_.plan.sections[way.section].nodes) {
    for (const HostIndex h : context_.plan.node(id).hosts) {
      everywhere = everywhere && context_.hosts[h].connected;
    }
  }
  run_section(context_.plan.sections[way.section], Part::rollback);
  if (ending_.parked) return;
  ending_.rollback_complete = everywhere && failed_back_.empty() && !stopping_ &&
                              !ending_.rollback_failed && !ending_.aborted && !ending_.sick;
  context_.emit(events::RollbackEnded{way.name, ending_.rollback_complete});
}

// The section at hand stops: going forward that is the run's failure, in what answers one its end.
void Runner::fail_at(NodeId node) {
  if (part_ == Part::rollback && !ending_.rollback_failed) ending_.rollback_failed = node;
  if (part_ == Part::rollback || ending_.failed_at) return stop();
  declare(node);
}

void Runner::host_failed_on_the_way_back(NodeId node, HostIndex host) {
  context_.hosts[host].failed = true;
  live_[host] = false;
  failed_back_.insert(host);
  const plan::Node& at = context_.plan.node(node);
  if (failed_back_.size() > tolerance(context_.plan, at)) return fail_at(node);
  context_.emit.notice(context_.name(host) + " drops out of the rollback; " +
                       std::to_string(failed_back_.size()) + " of at most " +
                       std::to_string(at.tolerate) + " failed hosts");
  if (walk_ && !stopping_) walk_->drop(host);
}

// A run of its own.
RunResult Runner::take_back() {
  const WayBack& way = *context_.options.way_back;
  const plan::Plan& recorded = way.recorded != nullptr ? *way.recorded : context_.plan;
  recall(context_.plan, recorded, *way.record, context_.facts);
  if (way.undo()) {
    recall_undo(context_.plan, recorded, *way.record, way.undone, undo_);
    resume();
    undo_all();
    summary_.close_phases(ending_.undo_complete);
    return finish();
  }
  roll_back(*plan::find_rollback(context_.plan, context_.options.way_back->rollback));
  if (ending_.parked && !ending_.aborted && !ending_.sick && context_.replay.problem().empty()) {
    return parked();
  }
  summary_.close_phases(ending_.rollback_complete);
  return finish();
}

}  // namespace cnplay::run
