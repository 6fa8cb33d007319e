#include "run/reruns.h"

#include <utility>

#include "run/recall.h"

namespace cnplay::run {

bool Reruns::defer(const Ready& ready, bool live) {
  if (section_.part() != events::Part::forward) return false;
  if (!context_.replay.defers(ready.node, ready.host, live)) return false;
  deferred_.push_back(ready);
  return true;
}

// What had been changed stays registered for undo: the next check will find it done, and does not
// report what was before.
void Reruns::check() {
  while (const auto applied = context_.replay.take_rerun()) {
    for (const events::ActionEnded* e : *applied) {
      // Of an action that has been changed since, what it had found stands for the one in its
      // place.
      const plan::NodeId id = node_of_now(context_.plan, e->node).value_or(e->node);
      const plan::Node& node = context_.plan.node(id);
      context_.facts.touch(id, e->host);
      if (e->action < node.actions.size()) {
        const plan::Action& action = node.actions[e->action];
        if (auto facts = read_facts(action, e->facts, false); facts && !action.returns.empty()) {
          context_.facts.save(id, e->action, e->host, *facts);
        }
      }
      undo_.changed(id, e->host);
    }
    const std::deque<Ready> deferred = std::exchange(deferred_, {});
    for (const Ready& ready : deferred) section_.begin(ready);
  }
}

}  // namespace cnplay::run
