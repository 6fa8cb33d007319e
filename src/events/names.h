// The names of events' enumerations and types, in the order of event.h. Inside of events/.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "events/event.h"

namespace cnplay::events {

template <class E>
struct Names;

template <>
struct Names<Outcome> {
  static constexpr std::array<const char*, 10> all{
      "ok",      "changed", "skipped",      "failed",    "unreachable",
      "unknown", "aborted", "would_change", "would_run", "depends"};
};
template <>
struct Names<Mode> {
  static constexpr std::array<const char*, 2> all{"apply", "check"};
};
template <>
struct Names<Stage> {
  static constexpr std::array<const char*, 5> all{"check", "apply", "verify", "preview",
                                                  "preflight"};
};
template <>
struct Names<Stream> {
  static constexpr std::array<const char*, 2> all{"out", "err"};
};
template <>
struct Names<Part> {
  static constexpr std::array<const char*, 6> all{"forward",    "handler", "undo",
                                                  "on_failure", "always",  "rollback"};
};
template <>
struct Names<Verdict> {
  static constexpr std::array<const char*, 7> all{"success", "failed",  "unreachable", "unknown",
                                                  "aborted", "refused", "parked"};
};
template <>
struct Names<HumanEnd> {
  static constexpr std::array<const char*, 5> all{"answered", "refused", "fell_back", "timed_out",
                                                  "skipped"};
};
template <>
struct Names<AssertionEnd> {
  static constexpr std::array<const char*, 3> all{"holds", "fails", "depends"};
};
template <>
struct Names<AtWindow> {
  static constexpr std::array<const char*, 2> all{"go_on", "roll_back"};
};
template <>
struct Names<Choice> {
  static constexpr std::array<const char*, 3> all{"run", "skip", "run_all"};
};

inline constexpr std::array<const char*, 47> kTypes{"RunStarted",
                                                    "RunResumed",
                                                    "RunContinued",
                                                    "PlanTaken",
                                                    "HostConnecting",
                                                    "HostConnected",
                                                    "HostUnreachable",
                                                    "HostReconnecting",
                                                    "HostReconnected",
                                                    "HostLost",
                                                    "PreflightStarted",
                                                    "PreflightProblem",
                                                    "PreflightEnded",
                                                    "PhaseStarted",
                                                    "PhaseEnded",
                                                    "StepStarted",
                                                    "SentAhead",
                                                    "ActionStarted",
                                                    "Output",
                                                    "ActionEnded",
                                                    "RanAhead",
                                                    "RetryScheduled",
                                                    "StepEnded",
                                                    "BarrierPassed",
                                                    "WaitStarted",
                                                    "WaitEnded",
                                                    "AssertionChecked",
                                                    "HumanStarted",
                                                    "HumanAnswered",
                                                    "HumanEnded",
                                                    "StepChosen",
                                                    "RunParked",
                                                    "Pivoted",
                                                    "FailureDeclared",
                                                    "UndoStarted",
                                                    "UndoEnded",
                                                    "Held",
                                                    "RollbackOffered",
                                                    "DeadlinePassed",
                                                    "WindowClosed",
                                                    "WindowAnswered",
                                                    "RollbackStarted",
                                                    "RollbackEnded",
                                                    "AbortRequested",
                                                    "Notice",
                                                    "RunEnded",
                                                    "NotificationFailed"};
static_assert(kTypes.size() == std::variant_size_v<AnyEvent>);

template <class E>
constexpr const char* text_of(E e) {
  return Names<E>::all.at(static_cast<std::size_t>(e));
}
template <class E>
std::optional<E> enum_of(std::string_view text) {
  for (std::size_t i = 0; i < Names<E>::all.size(); ++i) {
    if (Names<E>::all[i] == text) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace cnplay::events
