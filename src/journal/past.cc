#include "journal/past.h"

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/json_text.h"

namespace cnplay::journal {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxSummary = std::size_t{64} << 20;
// Runs that are opened at most: those on other inventories and dry runs are among them.
constexpr std::size_t kMostOpened = 400;

struct Figures {
  std::vector<Duration> changed, ok;
};
using ByStep = std::map<plan::NodeId, Figures>;

// `20261120-213005-update_code-4f2a` is of `update_code`.
bool is_of_play(const std::string& id, const std::string& play) {
  constexpr std::size_t kTime = 16;  // with the dash
  constexpr std::size_t kSalt = 5;
  return id.size() == kTime + play.size() + kSalt && id.compare(kTime, play.size(), play) == 0;
}

std::string text_in(const json& j, const char* name) {
  const auto it = j.find(name);
  return it != j.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// The steps that the plan has as well; false if the run is none to learn from.
bool take(const json& run, const std::unordered_map<std::string, plan::NodeId>& nodes,
          ByStep& into) {
  const auto steps = run.find("steps");
  if (steps == run.end() || !steps->is_array()) return false;
  bool any = false;
  for (const json& step : *steps) {
    if (!step.is_object()) continue;
    const auto node = nodes.find(text_in(step, "step"));
    const auto took = step.find("took_ms");
    const std::string outcome = text_in(step, "outcome");
    if (node == nodes.end() || took == step.end() || !took->is_number_integer()) continue;
    const auto ms = took->get<std::int64_t>();
    if (ms < 0 || ms > std::numeric_limits<std::int32_t>::max()) continue;  // 24 days
    if (outcome == "changed") {
      into[node->second].changed.emplace_back(ms);
    } else if (outcome == "ok") {
      into[node->second].ok.emplace_back(ms);
    } else {
      continue;
    }
    any = true;
  }
  return any;
}

plan::PastStep figure_of(plan::NodeId node, Figures figures) {
  std::vector<Duration>& all = figures.changed.empty() ? figures.ok : figures.changed;
  std::sort(all.begin(), all.end());
  plan::PastStep step;
  step.node = node;
  step.runs = static_cast<std::uint32_t>(all.size());
  const std::size_t middle = all.size() / 2;
  step.median = all.size() % 2 == 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
  step.worst = all.back();
  return step;
}

}  // namespace

plan::Past past_runs(const Disk& disk, const std::string& root, const plan::Plan& plan,
                     Instant before) {
  std::unordered_map<std::string, plan::NodeId> nodes;
  for (const plan::Node& node : plan.nodes) nodes.emplace(node.path, node.id);
  std::vector<std::string> ids;
  for (std::string& id : disk.list(root)) {
    if (is_of_play(id, plan.play)) ids.push_back(std::move(id));
  }
  // They begin with their time.
  std::sort(ids.rbegin(), ids.rend());

  plan::Past past;
  past.inventory = plan.inventory;
  ByStep steps;
  std::size_t opened = 0;
  for (const std::string& id : ids) {
    if (opened == kMostOpened || past.runs == kPastRuns) break;
    const auto text = disk.read(root + "/" + id + "/run.json", kMaxSummary);
    if (!text) continue;
    ++opened;
    const json run = parse_json_or_discard(*text);
    if (!run.is_object() || run.value("version", json()) != json(1)) continue;
    if (text_in(run, "mode") != "apply" || text_in(run, "play") != plan.play) continue;
    if (text_in(run, "inventory") != plan.inventory) continue;
    const auto started = parse_rfc3339(text_in(run, "started"));
    if (!started || *started >= before || !take(run, nodes, steps)) continue;
    ++past.runs;
  }
  for (auto& [node, figures] : steps) past.steps.push_back(figure_of(node, std::move(figures)));
  return past;
}

}  // namespace cnplay::journal
