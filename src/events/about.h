// What an event is about.
#pragma once

#include <concepts>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::events {

// How the reason of a step begins that is skipped because its phase is. That the phase is skipped
// is a notice of its own, so views need not repeat it for each step and host.
inline constexpr std::string_view kPhaseIsSkipped = "the `when` of the phase";

template <class E>
concept OfNode = requires(const E& e) {
  { e.node } -> std::convertible_to<NodeId>;
};
template <class E>
concept OfPart = requires(const E& e) {
  { e.part } -> std::convertible_to<Part>;
};

// The node of an event that is about one; the part of the run that a step's event belongs to.
inline std::optional<NodeId> node_of(const Event& event) {
  return std::visit(
      []<class E>(const E& e) -> std::optional<NodeId> {
        if constexpr (OfNode<E>) return e.node;
        return std::nullopt;
      },
      event.what);
}
inline std::optional<Part> part_of(const Event& event) {
  return std::visit(
      []<class E>(const E& e) -> std::optional<Part> {
        if constexpr (OfPart<E>) return e.part;
        return std::nullopt;
      },
      event.what);
}

// The actions that the number in an event of this part counts.
inline const std::vector<plan::Action>& actions_of(const plan::Node& node, Part part) {
  return part == Part::undo ? node.undo : node.actions;
}

}  // namespace cnplay::events
