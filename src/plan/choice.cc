#include "plan/choice.h"

#include <algorithm>
#include <map>
#include <set>

#include "plan/eval.h"

namespace cnplay::plan {

bool is_check(const Node& node) { return !node.actions.empty() && node.actions.front().alone; }

bool has_work(const Node& node) {
  return node.kind == NodeKind::step || node.kind == NodeKind::human;
}

std::string without_keys(const std::string& path) {
  std::string out;
  int depth = 0;
  for (const char c : path) {
    if (c == '[') ++depth;
    if (depth == 0) out += c;
    if (c == ']' && depth > 0) --depth;
  }
  return out;
}

std::vector<NodeId> steps_called(const Plan& plan, const std::string& name) {
  const auto is_called = [&](const std::string& path) {
    return path == name || path.ends_with("/" + name);
  };
  std::vector<NodeId> exact, alike;
  for (const NodeId id : plan.sections.front().nodes) {
    const Node& node = plan.node(id);
    if (!has_work(node)) continue;
    if (is_called(node.path)) exact.push_back(id);
    if (is_called(without_keys(node.path))) alike.push_back(id);
  }
  return exact.empty() ? alike : exact;
}

std::string chosen_part(const Plan& plan) {
  const bool whole = std::ranges::none_of(
      plan.nodes, [](const Node& node) { return has_work(node) && !node.left_out.empty(); });
  if (whole) return "";
  std::string out;
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) out += (out.empty() ? "" : " ") + std::string(option) + " " + value;
  };
  add("--tags", plan.origin.tags);
  add("--skip-tags", plan.origin.skip_tags);
  add("--start-at", plan.origin.start_at);
  return out;
}

std::optional<NodeId> reads_fact_of(const Plan& plan, const Node& node,
                                    const std::function<bool(NodeId)>& wanted) {
  std::optional<NodeId> found;
  const auto look = [&](const Value& value) {
    if (found) return;
    reads_fact(value, [&](const FactRef& ref) {
      if (ref.node == node.id || ref.node >= plan.nodes.size() || !wanted(ref.node)) return false;
      found = ref.node;
      return true;
    });
  };
  const auto look_at = [&](const Column& column) {
    for (const Value& value : column.values()) look(value);
  };
  look_at(node.when);
  for (std::uint32_t p = node.phase; p != kNone; p = plan.phases[p].parent) {
    look(plan.phases[p].when);
  }
  look(node.until);
  look(node.holds);
  look(node.if_not);
  for (const auto* actions : {&node.actions, &node.undo}) {
    for (const Action& action : *actions) {
      look_at(action.when);
      for (const Param& param : action.params) look_at(param.value);
    }
  }
  if (node.human) {
    for (const Value& item : node.human->items) look(item);
    for (const Question& question : node.human->questions) look(question.text);
  }
  return found;
}

std::vector<std::string> program_changes(const std::vector<ProgramPart>& before,
                                         const std::vector<ProgramPart>& after) {
  std::vector<std::string> out;
  if (before.empty() || after.empty()) return out;
  std::map<std::string, std::string> old;
  for (const ProgramPart& part : before) old.emplace(part.name, part.sha256);
  std::set<std::string> texts;  // one that was only named otherwise is the same
  for (const ProgramPart& part : before) texts.insert(part.sha256);
  std::set<std::string> named, kept;
  for (const ProgramPart& part : after) {
    named.insert(part.name);
    kept.insert(part.sha256);
    const auto was = old.find(part.name);
    if (was != old.end() && was->second != part.sha256) {
      out.push_back(part.name + " was changed");
    } else if (was == old.end() && !texts.contains(part.sha256)) {
      out.push_back(part.name + " is new");
    }
  }
  for (const ProgramPart& part : before) {
    if (!named.contains(part.name) && !kept.contains(part.sha256)) {
      out.push_back(part.name + " is gone");
    }
  }
  return out;
}

}  // namespace cnplay::plan
