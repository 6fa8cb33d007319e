#include "run/undo_left.h"

#include <map>
#include <optional>
#include <variant>

#include "run/decide.h"
#include "run/recall.h"

namespace cnplay::run {

using events::ActionEnded;
using events::Part;
using plan::NodeId;

namespace {

class UndoReader {
 public:
  UndoReader(const plan::Plan& plan, const plan::Plan& recorded, UndoLog& log)
      : plan_(plan), recorded_(recorded), log_(log) {}

  void operator()(const events::ActionStarted& e) {
    if (e.part != Part::forward) return;
    const auto node = with_undo(e.node);
    if (!node || plan_of(e.node).actions.at(e.action).apply == plan::kNone) return;
    log_.registered(*node, e.host);
  }
  void operator()(const ActionEnded& e) {
    if (e.part != Part::forward) return;
    if (const auto node = with_undo(e.node)) log_.settled(*node, e.host, e.applied);
  }
  void operator()(const events::RanAhead& e) {
    const auto node = with_undo(e.node);
    if (node && e.applied) log_.changed(*node, e.host);
  }
  void operator()(const events::StepEnded& e) {
    if (e.part != Part::undo || is_failure(e.outcome)) return;
    if (const auto node = with_undo(e.node)) log_.forget(*node, e.host);
  }
  void operator()(const events::Pivoted&) { log_.clear(); }
  void operator()(const events::RollbackStarted&) { log_.clear(); }
  template <class E>
  void operator()(const E&) {}

 private:
  // As it stands in the plan in force. nullopt: it has no `undo`, or is gone.
  std::optional<NodeId> with_undo(NodeId node) const {
    if (node >= plan_.nodes.size()) {
      const auto now = node_of_now(recorded_, node);
      if (!now || *now >= plan_.nodes.size()) return std::nullopt;
      node = *now;
    }
    return plan_.node(node).undo.empty() ? std::nullopt : std::optional(node);
  }
  const plan::Node& plan_of(NodeId node) const {
    return node < plan_.nodes.size() ? plan_.node(node) : recorded_.node(node);
  }

  const plan::Plan& plan_;
  const plan::Plan& recorded_;
  UndoLog& log_;
};

}  // namespace

void recall_undo(const plan::Plan& plan, const plan::Plan& recorded,
                 const std::vector<events::Event>& record, const std::set<OnHost>& undone,
                 UndoLog& log) {
  UndoReader reader(plan, recorded, log);
  for (const events::Event& event : record) std::visit(reader, event.what);
  for (const auto& [node, host] : undone) log.forget(node, host);
}

std::vector<UndoLog::Step> undo_left(const plan::Plan& plan, const plan::Plan& recorded,
                                     const std::vector<events::Event>& record,
                                     const std::set<OnHost>& undone) {
  UndoLog log(plan);
  recall_undo(plan, recorded, record, undone, log);
  return log.reverse();
}

std::set<OnHost> undone_by(const std::vector<events::Event>& record) {
  std::set<OnHost> undone;
  for (const events::Event& event : record) {
    const auto* end = std::get_if<events::StepEnded>(&event.what);
    if (end == nullptr || end->part != Part::undo || is_failure(end->outcome)) continue;
    undone.insert({end->node, end->host});
  }
  return undone;
}

}  // namespace cnplay::run
