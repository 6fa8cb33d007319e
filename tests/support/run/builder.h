// Plans written by hand, tersely, for the tests of run/. Every script's text names its action, so
// that the fake hosts know what they are asked: "code#0 check", "code!0 apply" (undo).
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace cnplay::run::test {

class Builder {
 public:
  explicit Builder(std::size_t hosts);

  plan::Node& step(const std::string& name) { return step(name, all()); }
  plan::Node& step(const std::string& name, std::vector<plan::HostIndex> hosts);
  plan::Node& once(const std::string& name, plan::HostIndex host = 0);
  plan::Node& handler(const std::string& name);
  plan::Node& handler(const std::string& name, std::vector<plan::HostIndex> hosts);
  plan::Node& barrier(const std::string& name = "barrier");
  plan::Node& pivot(const std::string& name = "pivot");
  plan::Node& wait(const std::string& name, plan::Value until);
  plan::Node& assertion(const std::string& name, plan::Value holds);
  plan::Node& human(const std::string& name, plan::HumanKind kind);
  plan::Node& flush();
  // Opens a phase around what `inside` adds, and closes it.
  std::uint32_t phase(const std::string& name, const std::function<void()>& inside);
  // What `inside` adds is one batch of the phase around it.
  plan::Node& batch(std::vector<plan::HostIndex> hosts, const std::function<void()>& inside);
  void parallel(std::initializer_list<std::function<void()>> branches);
  // What `inside` adds stands in a section of its own.
  std::uint32_t section(plan::SectionKind kind, const std::function<void()>& inside);

  // A further action of a node; step() makes the first.
  plan::Action& action(plan::Node& node);
  // An undo action of a node.
  plan::Action& undo(plan::Node& node);
  // Makes an action without check, or without apply.
  static void no_check(plan::Action& action) { action.check = plan::kNone; }
  static void no_apply(plan::Action& action) { action.apply = plan::kNone; }
  plan::ScriptId script(const std::string& text);
  static plan::Param param(const std::string& name, plan::Value value, bool path = false);
  // `key`, with the secret at this index of the plan's.
  static plan::Param secret_key(std::uint32_t index);
  static plan::Value fact(plan::NodeId node, const std::string& name, std::uint32_t action = 0);
  plan::OnFailure& on_failure(plan::Side side, std::uint32_t phase,
                              std::vector<plan::Response> responses);

  std::vector<plan::HostIndex> all() const;

  plan::Plan plan;

 private:
  plan::Node& add(plan::NodeKind kind, const std::string& name);
  void link(plan::Node& node);

  std::vector<plan::NodeId> tails_;
  std::uint32_t section_ = 0;
  std::uint32_t phase_ = plan::kNone;
};

}  // namespace cnplay::run::test
