// One action as one line of the printed plan, as far as it fits.
#include <algorithm>

#include "base/columns.h"
#include "base/text.h"
#include "plan/host_text.h"
#include "render/printer.h"

namespace cnplay::render {
namespace {

constexpr std::size_t kLongestValue = 96;  // columns of one value
constexpr std::size_t kValuesShown = 4;    // different values of one parameter
constexpr std::size_t kScriptLines = 8;    // of an inline script

std::string shortened(const std::string& text) {
  if (columns_of(text) <= kLongestValue) return text;
  return cut_to(text, kLongestValue) + " (" + std::to_string(text.size()) + " bytes)";
}

void add_script(std::vector<std::string>& lines, const Plan& plan, ScriptId id, std::size_t width) {
  if (id >= plan.scripts.size()) return;
  const std::string text = Untrusted(plan.scripts[id].text).display();
  std::size_t count = 0;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (++count <= kScriptLines) {
      lines.push_back("  | " + cut_to(text.substr(begin, end - begin), width - 4));
    }
    begin = end + 1;
  }
  if (count > kScriptLines) {
    lines.push_back("  | ... (" + std::to_string(count - kScriptLines) + " more lines)");
  }
}

bool always_true(const Column& when) {
  return when.empty() || (when.uniform() && when.at(0) == Value(true));
}

}  // namespace

std::string column_text(const Plan& plan, const Column& column, const std::vector<HostIndex>& hosts,
                        const DescribeOptions& options) {
  if (column.uniform()) return shortened(describe(column.at(0), plan, options));
  // The hosts of each value, in order of the first host that has it.
  std::vector<std::pair<std::uint32_t, std::vector<HostIndex>>> groups;
  std::vector<std::size_t> group_of(column.values().size(), SIZE_MAX);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::uint32_t value = column.index().at(i);
    if (group_of[value] == SIZE_MAX) {
      group_of[value] = groups.size();
      groups.push_back({value, {}});
    }
    groups[group_of[value]].second.push_back(hosts[i]);
  }
  if (groups.size() == 1) return shortened(describe(column.at(0), plan, options));
  std::string out = "{";
  for (std::size_t i = 0; i < groups.size() && i < kValuesShown; ++i) {
    out += (i == 0 ? "" : ", ") + hosts_text(plan, groups[i].second) + ": " +
           shortened(describe(column.values()[groups[i].first], plan, options));
  }
  if (groups.size() > kValuesShown) {
    out += ", ... " + std::to_string(groups.size()) + " values in all";
  }
  return out + "}";
}

std::vector<std::string> environment_words(const Plan& plan, const Node& node) {
  DescribeOptions how;
  how.bare = true;
  std::vector<std::string> words;
  if (!node.search_path.empty()) {
    std::vector<Value> texts;
    for (const Value& value : node.search_path.values()) {
      std::string text;
      for (const Value& folder : *value.as<List>()) text += *folder.as<std::string>() + ":";
      texts.emplace_back(text + "...");
    }
    const Column column(std::move(texts), node.search_path.index());
    words.push_back("PATH=" + column_text(plan, column, node.hosts, how));
  }
  for (const EnvironmentVariable& variable : node.environment) {
    words.push_back(variable.name + "=" + column_text(plan, variable.value, node.hosts, how));
  }
  return words;
}

std::vector<std::string> wrap(const std::vector<std::string>& words, std::size_t width,
                              std::size_t indent) {
  std::vector<std::string> lines;
  for (const std::string& word : words) {
    if (!lines.empty() && columns_of(lines.back()) + 1 + columns_of(word) <= width) {
      lines.back() += " " + word;
    } else {
      lines.push_back(lines.empty() ? word : std::string(indent, ' ') + word);
    }
  }
  return lines;
}

bool comes_with_file(const Action& action, const Param& param) {
  for (const std::string& file : {action.sends, action.sends_tree, action.renders}) {
    if (file.empty()) continue;
    for (const char* part : {"_sum", "_size", "_mode", "_text", "_manifest"}) {
      if (param.name == file + part) return true;
    }
  }
  return false;
}

std::vector<std::string> action_lines(const Plan& plan, const Action& action, const Node& node,
                                      bool in_undo, const PrintOptions& options,
                                      std::size_t width) {
  DescribeOptions how;
  how.bare = true;
  how.now = options.now;
  how.saved_of = in_undo ? node.id : kNone;
  std::vector<std::string> words{(in_undo ? "undo: " : "") + action.module};
  for (const Param& param : action.params) {
    if (comes_with_file(action, param)) continue;
    // Only a reference to a secret is shown by its name; what stands beside it may tell too much.
    const bool plain =
        !param.secret ||
        std::all_of(param.value.values().begin(), param.value.values().end(),
                    [](const Value& v) { return v.as<SecretRef>() != nullptr || v.is_deferred(); });
    words.push_back(param.name + "=" +
                    (plain ? column_text(plan, param.value, node.hosts, how) : "<secret>"));
  }
  if (!action.become.empty()) words.push_back("(as " + action.become + ")");
  if (!always_true(action.when)) {
    words.push_back("(when " + column_text(plan, action.when, node.hosts, how) + ")");
  }
  if (action.alone) {
    words.push_back("(its check alone)");
  } else if (!action.fetches.empty()) {
    words.push_back("(brings a file here)");
  } else if (action.apply == kNone) {
    words.push_back("(changes nothing)");
  }
  for (const NodeId handler : action.notify) {
    words.push_back("(a change notifies " + short_name(plan.node(handler).path) + ")");
  }
  std::vector<std::string> lines = wrap(words, width, 4);
  if (action.module == "sh") add_script(lines, plan, action.apply, width);
  return lines;
}

}  // namespace cnplay::render
