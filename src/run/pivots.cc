#include "run/pivots.h"

namespace cnplay::run {

bool Pivots::is_past(std::uint32_t phase) const {
  bool inside = false;
  bool inside_passed = false;
  for (const plan::NodeId id : plan_.sections.front().nodes) {
    const plan::Node& node = plan_.node(id);
    if (node.kind != plan::NodeKind::pivot) continue;
    std::uint32_t outer = node.phase;
    while (outer != plan::kNone && outer != phase) outer = plan_.phases[outer].parent;
    if (outer != phase) continue;
    inside = true;
    inside_passed = inside_passed || passed_.contains(id);
  }
  return inside ? inside_passed : any_passed();
}

}  // namespace cnplay::run
