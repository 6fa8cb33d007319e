// The names of plan/'s enumerations in JSON, in the order of their enumerators.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "plan/plan.h"

namespace cnplay::plan {

template <class E>
struct Names;  // specialised: `all`, one name an enumerator

template <>
struct Names<Op> {
  static constexpr std::array<std::string_view, 28> all{
      "constant", "now",   "fact",   "secret", "concat",   "list",        "record",
      "member",   "index", "negate", "not",    "add",      "sub",         "mul",
      "div",      "mod",   "eq",     "ne",     "lt",       "le",          "gt",
      "ge",       "and",   "or",     "in",     "coalesce", "conditional", "call"};
};
template <>
struct Names<FactType> {
  static constexpr std::array<std::string_view, 8> all{"string",   "int",  "bool", "path",
                                                       "duration", "size", "time", "list<string>"};
};
template <>
struct Names<SecretSource::Kind> {
  static constexpr std::array<std::string_view, 5> all{"env", "command", "ask", "vault",
                                                       "generate"};
};
template <>
struct Names<Verify> {
  static constexpr std::array<std::string_view, 3> all{"check", "script", "none"};
};
template <>
struct Names<NodeKind> {
  static constexpr std::array<std::string_view, 10> all{"step",      "barrier",  "pivot",   "wait",
                                                        "phase_end", "flush",    "handler", "human",
                                                        "batch_end", "assertion"};
};
template <>
struct Names<HumanKind> {
  static constexpr std::array<std::string_view, 3> all{"manual", "approve", "ask"};
};
template <>
struct Names<EdgeKind> {
  static constexpr std::array<std::string_view, 2> all{"same_host", "all_hosts"};
};
template <>
struct Names<ResponseKind> {
  static constexpr std::array<std::string_view, 4> all{"undo_all", "hold", "offer", "section"};
};
template <>
struct Names<Side> {
  static constexpr std::array<std::string_view, 3> all{"any", "before_pivot", "after_pivot"};
};
template <>
struct Names<SectionKind> {
  static constexpr std::array<std::string_view, 4> all{"main", "always", "on_failure", "rollback"};
};
template <>
struct Names<NotifyKind> {
  static constexpr std::array<std::string_view, 3> all{"command", "webhook", "mail"};
};
template <>
struct Names<RequireKind> {
  static constexpr std::array<std::string_view, 1> all{"rehearsed"};
};

template <class E>
constexpr std::string_view name_of(E e) {
  return Names<E>::all[static_cast<std::size_t>(e)];
}
template <class E>
std::optional<E> value_of(std::string_view name) {
  for (std::size_t i = 0; i < Names<E>::all.size(); ++i) {
    if (Names<E>::all[i] == name) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace cnplay::plan
